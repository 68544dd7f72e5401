"""Who is on call, silences and tests of alerts, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from api.schemas.base import Out


class ShiftOut(Out):
    """A stretch of time with the same people on call; nobody where `contacts` is empty."""

    begin: datetime
    end: datetime
    contacts: list[str]
    source: str


class RotationOut(BaseModel):
    """Who is on call by one rotation of one brand, and who is next."""

    brand: str
    rotation: str
    now: list[str]
    next: ShiftOut | None
    shifts: list[ShiftOut]


class OverrideIn(BaseModel):
    """Somebody is on call in another's place."""

    brand: str = Field(max_length=100)
    rotation: str = Field(max_length=100)
    contact: str = Field(max_length=100)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: str = Field(default="", max_length=500)


class OverrideOut(Out):
    """An override that holds or will."""

    id: int
    brand_id: int
    rotation: str
    contact: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str


class SilenceIn(BaseModel):
    """For what, until when and why nobody is told."""

    brand: str = Field(default="", max_length=100, description="Empty: every brand.")
    topics: list[str] = Field(default=[], max_length=50, description="Empty: every topic.")
    severities: list[str] = Field(min_length=1, max_length=4, examples=[["SEV-3", "SEV-4"]])
    starts_at: AwareDatetime | None = Field(default=None, description="Left out: now.")
    ends_at: AwareDatetime
    comment: str = Field(min_length=1, max_length=1000)


class SilenceOut(Out):
    """A silence, with who set it and why."""

    id: int
    brand_id: int | None
    topics: list[str]
    severities: list[str]
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    comment: str
    created_by: str


class AlertTestIn(BaseModel):
    """Whom a test message goes to; nobody named: everybody of the brand's protocol."""

    brand: str = Field(max_length=100)
    contacts: list[str] = Field(default=[], max_length=100)
