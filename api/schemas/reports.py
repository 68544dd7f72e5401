"""Readiness, drills, reports and reviews, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.base import Out
from crm_link.escalation.drills.models import DrillMode, DrillState


class PartOut(Out):
    """One part of the readiness score, and what to do for it."""

    name: str
    points: int
    earned: int
    found: str
    to_do: str


class ReadinessOut(Out):
    """How ready the people of a brand are, 0 to 100."""

    brand_key: str
    brand_name: str
    score: int
    parts: list[PartOut]


class DrillOut(Out):
    """A rehearsed attack, and what it came to."""

    id: int
    brand_id: int
    mode: DrillMode
    state: DrillState
    scenario: str
    title: str
    started_at: datetime
    started_by: str
    ends_at: datetime
    ended_at: datetime | None
    fed: int
    score: int | None
    result: dict[str, Any]


class DrillIn(BaseModel):
    """What to rehearse: a shipped scenario for a brand, or a past incident."""

    brand: str = Field(default="", max_length=100, examples=["acme"])
    scenario: str = Field(default="", max_length=100, examples=["false_rumour"])
    incident_id: int | None = Field(default=None, description="Replay this one's stored posts.")


class TimingOut(BaseModel):
    """How long something took, in seconds, and what the protocol allows."""

    what: str
    took_s: float | None
    limit_s: float | None
    is_met: bool | None


class ReviewOut(Out):
    """What people wrote afterwards."""

    asked: list[str]
    written: dict[str, str]
    written_by: str | None
    written_at: datetime | None
    due_at: datetime | None
    is_overdue: bool


class ReviewIn(BaseModel):
    """What people write, by the fields that the protocol asks for."""

    fields: dict[str, str] = Field(examples=[{"lessons": "Call the plant first."}])


class ReportOut(BaseModel):
    """The figures of an after-action report; texts are in its files."""

    incident_id: int
    title: str
    is_drill: bool
    worst_severity: str
    made_at: datetime
    since: datetime
    until: datetime
    times: list[TimingOut]
    mentions: int
    negatives: int
    authors: int
    contacts: int
    contacts_by_tier: dict[str, int]
    topics: dict[str, int]
    platforms: dict[str, int]
    claims: dict[str, int] = Field(description="Claims by verdict.")
    peak_at: datetime | None
    peak_mentions: int | None
    net_sentiment: float | None
    rebound_days: int | None
    coverage: float | None
    told: list[str]
    review: ReviewOut
