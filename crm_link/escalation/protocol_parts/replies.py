"""How replies that are posted through the API are approved, and in whose name they go out."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field, field_validator

from config.durations import Duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict

#: Longer, and whoever approved has forgotten what.
MOST_HOLD = timedelta(hours=1)


class Approval(StrEnum):
    """Which replies somebody else must approve."""

    ALWAYS = "always"
    UNLESS_FROM_FAQ = "unless_from_faq"  # an answer of the protocol's `faq`, word for word
    NEVER = "never"


class Replies(Strict):
    """Replies through the API.

    `own_by_admin` lets admins approve what they wrote themselves. `hold` is how long an approved
    reply waits, so that it can still be cancelled. `accounts` names the account by platform where
    a brand has one of its own: its settings have the name in theirs.
    """

    approval: Approval = Approval.ALWAYS
    own_by_admin: bool = False
    hold: Duration = timedelta(seconds=10)
    accounts: dict[str, str] = Field(default_factory=dict)

    @field_validator("hold")
    @classmethod
    def _is_short(cls, value: timedelta) -> timedelta:
        if value > MOST_HOLD:
            msg = phrase("an approved reply is held for 1h at most")
            raise ValueError(msg)
        return value

    @field_validator("accounts")
    @classmethod
    def _are_names(cls, value: dict[str, str]) -> dict[str, str]:
        for platform, account in value.items():
            if not (account.isascii() and account.isalnum()):
                msg = phrase(
                    "the account '%(account)s' of %(platform)s is no name: letters and digits only",
                    account=account,
                    platform=platform,
                )
                raise ValueError(msg)
        return value
