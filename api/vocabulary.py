"""Names of states, labels and roles that pages show as words: for the translators.

They are looked up where they are shown (the filter `words`); here they stand once as texts.
"""

from __future__ import annotations

from api.language import later

#: Values of enums, with spaces for underscores.
WORDS = (
    # roles
    later("viewer"),
    later("community manager"),
    later("pr lead"),
    later("admin"),
    # sentiment, priorities, intents, emotions
    later("negative"),
    later("neutral"),
    later("positive"),
    later("unknown"),
    later("risk"),
    later("cancel"),
    later("purchase"),
    later("service"),
    later("other"),
    later("complaint"),
    later("question"),
    later("praise"),
    later("anger"),
    later("joy"),
    later("optimism"),
    later("sadness"),
    # states
    later("open"),
    later("done"),
    later("dismissed"),
    later("acknowledged"),
    later("resolved"),
    later("suggested"),
    later("confirmed"),
    later("rejected"),
    later("withdrawn"),
    later("pending"),
    later("sending"),
    later("sent"),
    later("dead"),
    later("cancelled"),
    later("requested"),
    later("approved"),
    later("published"),
    later("new"),
    later("ok"),
    later("retrying"),
    later("paused"),
    later("failing"),
    # verdicts
    later("untrue"),
    later("partly"),
    later("true claim"),
    # kinds of posts
    later("post"),
    later("reply"),
    later("repost"),
    later("quote"),
    later("comment"),
    later("article"),
)
