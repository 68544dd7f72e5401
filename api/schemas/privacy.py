"""Consent, opt-outs and erasures, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.base import Out
from crm_link.privacy.models import ErasureState
from listener.types import DeletionReason


class ConsentIn(BaseModel):
    """That a contact agreed to being linked."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(max_length=40, description="A platform, or `any`.")
    note: str = Field(max_length=1000, description="Where the consent is on file.")


class ConsentOut(Out):
    """A consent, and whether it was taken back."""

    id: int
    scope: str
    note: str
    recorded_by: str
    recorded_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None


class ConsentsOut(BaseModel):
    """All that a contact said about being linked."""

    opted_out: bool = Field(description="They are linked to nobody, whatever they agreed to.")
    consents: list[ConsentOut]


class AccountIn(BaseModel):
    """An account of a platform."""

    model_config = ConfigDict(extra="forbid")

    platform: str = Field(max_length=40)
    account: str = Field(
        max_length=200, description="The platform's id, or @handle of an account that is known."
    )


class OptedOutOut(Out):
    """Our row of what opted out; null: it is not stored, and will not be linked either."""

    author_id: int | None
    contact_id: int | None


class GoneIn(BaseModel):
    """Posts and accounts that a platform shows no more."""

    model_config = ConfigDict(extra="forbid")

    platform: str = Field(max_length=40)
    posts: dict[str, DeletionReason] = Field(
        default_factory=dict, max_length=10_000, description="Why, by the platform's id."
    )
    accounts: dict[str, DeletionReason] = Field(
        default_factory=dict, max_length=1_000, description="Why, by the platform's id."
    )


class GoneOut(BaseModel):
    """What was emptied."""

    mentions: int
    accounts: int


class PersonIn(BaseModel):
    """Whom a request is about: one of author and contact."""

    model_config = ConfigDict(extra="forbid")

    author: str = Field("", max_length=300, description="PLATFORM:ID, with the id or the handle.")
    contact: str = Field("", max_length=300, description="CRM:ID.")
    whole_person: bool = Field(
        default=False, description="Every account and record that is confirmed to be theirs too."
    )


class ErasureIn(PersonIn):
    """A person's erasure."""

    reason: str = Field(max_length=1000, description="Where the request is on file.")


class ErasurePreviewOut(BaseModel):
    """What an erasure would take."""

    subject: str
    rows: dict[str, int] = Field(description="By table: rows that are about the person.")


class ErasureOut(Out):
    """An erasure, how far it is, and its receipts."""

    id: int
    subject: str
    reason: str
    requested_by: str
    requested_at: datetime
    state: ErasureState
    receipts: list[dict[str, Any]]
    last_error: str | None = Field(description="What it waits for.")
    done_at: datetime | None
