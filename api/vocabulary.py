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
    # what the options of a source mean, as their classes describe them
    later("search or mentions"),
    later("For mentions: the account's handle or numeric id."),
    later("Posts per request."),
    later("search, comments or inbox"),
    later("Subreddits without r/; all of them if left out."),
    later("Things per request."),
    later("Address of the feed"),
    later("A file or pattern (inbox/*.jsonl), relative to the home folder."),
    later("The platform that the posts are from, for example x."),
    later("What times without a zone mean, for example Europe/Berlin."),
    later("Whether posts that the query does not find are left out."),
)
