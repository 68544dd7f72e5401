"""The contract of a replier: it answers posts on one platform from the company's own account.

The outbox (`crm_link.replying`) owns the database, approval, retries and what is in doubt. A
replier owns the platform: its limits, its SDK and what its refusals mean. No platform knows an
idempotency key for posts, so a replier says of every failure whether the post may be there all
the same, and finds the account's own posts again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar

from pydantic_settings import BaseSettings

from config.errors import InputError, PermanentError, TransientError
from config.plugins import load_plugin, plugin_names
from config.settings import read_settings

FOLDER = "listener.repliers"


class Refusal(StrEnum):
    """Why a platform does not take a reply."""

    DUPLICATE = "duplicate"  # the account said the same before
    RESTRICTED = "restricted"  # the author or the place lets others reply only
    GONE = "gone"  # the post was deleted
    TOO_LONG = "too_long"
    SUSPENDED = "suspended"  # the account is locked or suspended
    TOKEN = "token"  # noqa: S105 - the credentials ended or are wrong
    PERMISSION = "permission"  # the app may not write
    CREDIT = "credit"  # the month's cap or the credit is used up
    OTHER = "other"


#: What concerns the account, whatever is posted: people mend it, then replies go out.
OF_ACCOUNT = frozenset(
    {Refusal.SUSPENDED, Refusal.TOKEN, Refusal.PERMISSION, Refusal.CREDIT},
)


class ReplyRefusedError(PermanentError):
    """The platform refused a reply for good; nothing was posted."""

    def __init__(self, message: str, refusal: Refusal) -> None:
        super().__init__(message)
        self.refusal = refusal


class PerhapsPostedError(TransientError):
    """The request left and its answer did not come: nobody knows whether it was posted."""


@dataclass(frozen=True, slots=True)
class OwnPost:
    """A post of ours: the platform's id, and its page."""

    external_id: str
    url: str


@dataclass(frozen=True, slots=True)
class OwnSearch:
    """What the account's own posts say about a reply.

    Args:
        post: The reply, if it is there.
        is_sure: Whether everything was looked through that it could be in. A reply of ours to
            the same post in other words makes it unsure too.

    """

    post: OwnPost | None
    is_sure: bool


class Replier(ABC):
    """Answers posts on one platform.

    Raises, from `post`, `find_own` and `check`:
        PerhapsPostedError: From `post` only: it may have been posted.
        TransientError: Nothing was posted, and it may work later; `retry_after_s` where said.
        BudgetExhaustedError: A monthly cap or credit is used up; nothing was posted.
        ReplyRefusedError: Nothing was posted, and will not be before something changes.
    """

    #: The settings of this platform's account.
    Settings: ClassVar[type[BaseSettings]]

    #: The most that `length_of` may give.
    max_length: ClassVar[int]

    @staticmethod
    def length_of(text: str) -> int:
        """Return how long the platform finds a text."""
        return len(text)

    @abstractmethod
    def post(self, reply_to: str, text: str) -> OwnPost:
        """Post `text` as a reply to the post with the id `reply_to`. Never tries twice."""

    @abstractmethod
    def find_own(self, reply_to: str, text: str, since: datetime) -> OwnSearch:
        """Look for the reply among what the account posted since then."""

    @abstractmethod
    def check(self) -> str:
        """Ask the platform whose account this is, which shows whether credentials are right."""

    def close(self) -> None:
        """Give up connections."""


def replier_names() -> tuple[str, ...]:
    """Return the names of the platforms that replies can be posted to."""
    return plugin_names(FOLDER)


@lru_cache(maxsize=64)
def find_replier(platform: str) -> type[Replier] | None:
    """Return the class of a platform's replier, None where there is none."""
    if platform not in replier_names():
        return None
    return load_plugin(FOLDER, platform, Replier)  # type: ignore[type-abstract]


def is_set_up(platform: str, account: str = "") -> bool:
    """Say whether the account of a platform has its settings."""
    kind = find_replier(platform)
    if kind is None:
        return False
    try:
        read_settings(kind.Settings, account)
    except InputError:
        return False
    return True


def make_replier(platform: str, account: str = "") -> Replier:
    """Return the replier of `platform`, signed in with the settings of the environment.

    Raises:
        InputError: There is none, or settings are missing.

    """
    kind = find_replier(platform)
    if kind is None:
        raise InputError(
            "replies cannot be posted to %(platform)s; they can to %(names)s",
            platform=platform,
            names=", ".join(replier_names()),
        )
    return kind(read_settings(kind.Settings, account))  # type: ignore[call-arg]
