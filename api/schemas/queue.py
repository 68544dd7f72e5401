"""Work on the review queue, as the JSON API gives and takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from api.schemas.base import Out
from api.schemas.mentions import FlagOut
from crm_link.flags.acts import MAX_AT_ONCE, Act, Change
from crm_link.flags.queue import QueueFilter
from crm_link.types import Priority
from sentiment.types import Label


class FilterIn(BaseModel):
    """Which part of the queue is meant; what is empty does not narrow it."""

    brand: str = ""
    platform: str = ""
    priority: str = ""
    label: str = ""
    lang: str = ""
    text: str = Field(default="", max_length=500)
    assignee: str = Field(default="", description="An e-mail address, `me` or `nobody`.")
    tier: str = Field(default="", description="Of the contact; `nobody`: no contact is known.")
    state: str = Field(default="", description="`late` or `snoozed`.")

    def filter(self, me: str) -> QueueFilter:
        """Return the filter that is meant, where `me` is who asks."""
        values = self.model_dump()
        return QueueFilter(**values | {"assignee": me if self.assignee == "me" else self.assignee})


class ChangesIn(BaseModel):
    """What to do, and to which mentions: those named, or all that a filter finds."""

    act: Act = Field(examples=["assign"])
    mention_ids: list[int] = Field(default=[], max_length=MAX_AT_ONCE)
    all_of: FilterIn | None = Field(default=None, description="In place of `mention_ids`.")
    seen: dict[int, int] = Field(
        default={},
        description="The `version` of each flag that was seen; one that changed since stays.",
    )
    assignee: str | None = Field(default=None, description="For assign; null: nobody.")
    until: AwareDatetime | None = Field(default=None, description="For snooze; null: now.")
    label: Label | None = Field(default=None, description="For label.")
    priority: Priority | None = Field(default=None, description="For priority.")
    note: str = Field(default="", max_length=2000, description="For done, dismiss and escalate.")
    closes: bool = Field(default=False, description="For answer: it is done too.")
    contact_id: int | None = Field(
        default=None, description="For link: who wrote them; for unlink: from whom alone."
    )
    is_expected: bool = Field(
        default=False, description="For link: it would not surprise them; X asks for it."
    )
    incident_id: int | None = Field(
        default=None, description="For escalate: the incident that they join."
    )
    severity: str = Field(
        default="", max_length=20, description="For escalate: of the incident that they open."
    )

    def change(self) -> Change:
        """Return the change that is asked for."""
        return Change(
            self.act,
            assignee=self.assignee,
            until=self.until,
            label=self.label,
            priority=self.priority,
            note=self.note,
            closes=self.closes,
            contact_id=self.contact_id,
            is_expected=self.is_expected,
            incident_id=self.incident_id,
            severity=self.severity,
        )


class LeftOut(BaseModel):
    """A mention that stays as it was, and why."""

    mention_id: int
    reason: str = Field(examples=["ana@example.org changed this 20 s ago: done. ..."])


class ChangesOut(BaseModel):
    """What was done."""

    batch: str = Field(description="By which it is undone.")
    changed: list[FlagOut]
    left: list[LeftOut]


class FlagEventOut(Out):
    """What somebody did to a flag."""

    batch: str
    at: datetime
    actor: str
    action: str = Field(examples=["assign"])
    before: dict[str, Any]
    after: dict[str, Any]
    undone_at: datetime | None
    undone_by: str | None


class ViewIn(BaseModel):
    """Filters to keep under a name."""

    name: str = Field(max_length=60)
    filters: FilterIn
    is_shared: bool = False
    is_default: bool = Field(default=False, description="The queue begins with it.")


class ViewOut(Out):
    """Filters under a name."""

    id: int
    name: str
    owner: str
    filters: dict[str, str]
    is_shared: bool
    is_default: bool


class PresenceIn(BaseModel):
    """With which mention the caller is now."""

    mention_id: int | None = Field(default=None, description="Null: with none any more.")
    is_working: bool = False


class PresenceOut(Out):
    """Somebody who is with a mention."""

    mention_id: int
    who: str
    name: str
    is_working: bool
    seen_at: datetime


class PresentOut(BaseModel):
    """Who is with some mentions, and what holds of their flags."""

    people: list[PresenceOut]
    versions: dict[int, int] = Field(description="The version of each mention's flag.")
