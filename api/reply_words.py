"""What states, refusals and acts of replies are called, and what helps."""

from __future__ import annotations

from api.language import gettext, later, told
from crm_link.replying.models import Reply, ReplyEvent, ReplyState
from listener.replier import Refusal

_STATES = {
    ReplyState.WAITING: later("waits for approval"),
    ReplyState.SENT_BACK: later("sent back"),
    ReplyState.APPROVED: later("about to go out"),
    ReplyState.SENDING: later("going out"),
    ReplyState.IN_DOUBT: later("in doubt"),
    ReplyState.POSTED: later("posted"),
    ReplyState.REHEARSED: later("rehearsed"),
    ReplyState.FAILED: later("not posted"),
    ReplyState.CANCELLED: later("cancelled"),
}

_REFUSALS = {
    Refusal.DUPLICATE: later("Your account said the same before: change the words."),
    Refusal.RESTRICTED: later("Not everybody may reply there: answer another way."),
    Refusal.GONE: later("The post is gone: there is nothing to answer."),
    Refusal.TOO_LONG: later("The platform finds it too long: shorten it."),
    Refusal.SUSPENDED: later(
        "Your account is locked or suspended: sign in on the platform and follow what it says. "
        "Then this goes out by itself."
    ),
    Refusal.TOKEN: later(
        "Your account's credentials are missing, wrong or have ended: an admin sets new ones. "
        "Then this goes out by itself."
    ),
    Refusal.PERMISSION: later(
        "Your app may not write: an admin gives it the right and makes new tokens. "
        "Then this goes out by itself."
    ),
    Refusal.CREDIT: later("The month's cap or the credit is used up: raise it, or wait."),
    Refusal.OTHER: later("The platform refused it: look at the post there."),
}

_ACTIONS = {
    "written": later("wrote it"),
    "edited": later("changed the words"),
    "approved": later("approved it"),
    "let go": later("let it go, as no approval is needed"),
    "sent back": later("sent it back"),
    "cancelled": later("cancelled it"),
    "tried again": later("had it tried again"),
    "asked again": later("asked for approval again"),
    "posted": later("posted it"),
    "found": later("found it on the platform"),
    "not there": later("found that it is not there"),
    "in doubt": later("got no answer: it may be there"),
    "put off": later("put it off"),
    "failed": later("could not post it"),
    "left to people": later("could not tell whether it is there"),
    "rehearsed": later("showed it as it would go"),
}


def reply_state(reply: Reply) -> str:
    """Return what a reply's state is called; one that the platform holds up is named so."""
    if reply.state is ReplyState.APPROVED and reply.last_error:
        return gettext("held up")
    return gettext(_STATES[reply.state])


def refusal_words(reply: Reply) -> str:
    """Return why a reply is not out and what helps; empty where nothing is wrong."""
    if reply.refusal is not None:
        return refusal_says(reply.refusal)
    if reply.state is ReplyState.FAILED:
        return gettext("It did not go out within a day of its approval: read it again.")
    return told(reply.last_error or "")


def refusal_says(refusal: Refusal) -> str:
    """Return what a refusal means and what helps."""
    return gettext(_REFUSALS[refusal])


def reply_act(event: ReplyEvent) -> str:
    """Return what was done to a reply, as the rest of a sentence that begins with who."""
    return gettext(_ACTIONS.get(event.action, event.action))
