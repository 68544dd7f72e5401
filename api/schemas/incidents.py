"""Incidents, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.base import Out
from crm_link.escalation.models import IncidentStatus
from crm_link.models import DeliveryStatus


class EventOut(Out):
    """One entry of an incident's timeline."""

    id: int
    at: datetime
    actor: str
    kind: str
    detail: dict[str, Any]


class IncidentOut(Out):
    """Alerts on one topic of one brand, which people must act on."""

    id: int
    brand_id: int
    topic: str
    title: str
    kind: str = Field(description="burst, operations (of Groundswell itself), test or drill.")
    status: IncidentStatus
    severity: str
    opened_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    facts: dict[str, Any]
    peak: dict[str, Any]
    next_due_at: datetime | None


class NotificationOut(Out):
    """One message about an incident."""

    id: int
    contact: str
    role: str
    channel: str
    reason: str
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    sent_at: datetime | None


class IncidentDetailOut(IncidentOut):
    """An incident with its timeline and its messages."""

    timeline: list[EventOut]
    notifications: list[NotificationOut]


class NoteIn(BaseModel):
    """A note for the timeline."""

    text: str = Field(min_length=1, max_length=10_000, examples=["Called the plant: no recall."])
    is_decision: bool = Field(default=False, description="It is a decision, and shown as one.")


class ReasonIn(BaseModel):
    """Why somebody does it."""

    reason: str = Field(default="", max_length=2000, examples=["Answered and corrected."])
