"""Replies that are posted, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.base import Out
from crm_link.replying.changes import MAX_WHY
from crm_link.replying.models import ReplyState
from listener.replier import Refusal

#: No platform takes more characters.
MAX_TEXT = 40_000


class ReplyTextIn(BaseModel):
    """What is answered."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)
    closes: bool = Field(default=False, description="The mention is done once it is posted.")


class VersionIn(BaseModel):
    """Which version of a reply was seen; one that changed since is left as it is (409)."""

    version: int = Field(ge=1)


class ReplyEditIn(VersionIn):
    """A reply in other words."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)
    closes: bool | None = None


class SendBackIn(VersionIn):
    """A reply that is to be written anew."""

    why: str = Field(min_length=1, max_length=MAX_WHY)


class SettleIn(VersionIn):
    """What somebody found on the platform."""

    is_there: bool
    url: str = Field(default="", max_length=2000, description="The reply's page, if it is there.")


class PostedReplyOut(Out):
    """A reply on its way out, or that is over."""

    id: int
    mention_id: int
    brand_id: int
    platform: str
    account: str = Field(description="Its name in the settings; empty where there is one only.")
    text: str
    faq_id: str | None = Field(description="The protocol's answer that it is, word for word.")
    closes: bool
    state: ReplyState
    version: int
    written_by: str
    written_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    why: str | None = Field(description="It was sent back.")
    next_attempt_at: datetime | None
    refusal: Refusal | None
    last_error: str | None
    posted_id: str | None
    posted_url: str | None
    posted_at: datetime | None


class ReplyEventOut(Out):
    """What was done to a reply."""

    at: datetime
    actor: str
    action: str = Field(examples=["approved"])
    version: int
    note: str
    text: str | None


class LengthIn(BaseModel):
    """A text for a platform."""

    platform: str = Field(max_length=40)
    text: str = Field(max_length=MAX_TEXT)


class LengthOut(Out):
    """How long the platform finds a text."""

    length: int
    most: int
    fits: bool


class FailingAccountOut(Out):
    """An account in whose name nothing can be posted."""

    platform: str
    account: str
    refusal: Refusal
    said: str
    replies: int
    since: datetime | None
