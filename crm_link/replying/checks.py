"""What a reply must be before anybody is asked about it, and whether somebody must be asked."""

from __future__ import annotations

from dataclasses import dataclass

from config.errors import ConflictError, InputError
from config.settings import settings_prefix
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.replies import Approval
from listener.replier import Replier, find_replier, is_set_up, replier_names


@dataclass(frozen=True, slots=True)
class Length:
    """How long a platform finds a text, of at most how much."""

    length: int
    most: int

    @property
    def fits(self) -> bool:
        """Whether the platform takes it."""
        return self.length <= self.most


def replier_of(platform: str) -> type[Replier]:
    """Return the class of a platform's replier.

    Raises:
        InputError: There is none.

    """
    kind = find_replier(platform)
    if kind is None:
        known = ", ".join(replier_names())
        raise InputError(
            "replies to %(platform)s are not posted from here (but to %(known)s): open its page",
            platform=platform,
            known=known,
        )
    return kind


def length_of(platform: str, text: str) -> Length:
    """Return how long the platform finds a text.

    Raises:
        InputError: Nothing is posted to this platform.

    """
    kind = replier_of(platform)
    return Length(kind.length_of(clean(text)), kind.max_length)


def clean(text: str) -> str:
    """Return a text as it is posted: as it was typed, with one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def check_text(platform: str, text: str) -> str:
    """Return the text as it is posted.

    Raises:
        InputError: It is empty, too long, or nothing is posted to this platform.

    """
    found, text = length_of(platform, text), clean(text)
    if not text:
        raise InputError("write what is to be posted")
    if not found.fits:
        raise InputError(
            "%(platform)s takes %(most)s characters, and this counts %(length)s",
            platform=platform,
            most=f"{found.most:,}",
            length=f"{found.length:,}",
        )
    return text


def check_account(platform: str, account: str) -> None:
    """Refuse an account without settings.

    Raises:
        ConflictError: It has none; the message says which are meant.

    """
    if not is_set_up(platform, account):
        prefix = settings_prefix(replier_of(platform).Settings, account)
        raise ConflictError(
            "no account is set up to reply on %(platform)s: set %(prefix)s..., see docs/replies.md",
            platform=platform,
            prefix=prefix,
        )


def faq_of(protocol: EscalationProtocol, text: str) -> str | None:
    """Return the id of the protocol's answer that this text is, word for word."""
    said = " ".join(text.split())
    for faq in protocol.faq:
        if any(" ".join(answer.split()) == said for answer in faq.answer.values()):
            return faq.id
    return None


def needs_approval(protocol: EscalationProtocol, text: str) -> bool:
    """Say whether somebody else must approve a text before it is posted."""
    approval = protocol.replies.approval
    if approval is Approval.UNLESS_FROM_FAQ:
        return faq_of(protocol, text) is None
    return approval is Approval.ALWAYS
