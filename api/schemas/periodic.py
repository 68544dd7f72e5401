"""Weekly reports, response times and their schedules, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.reports.periodic import PeriodicForm, PeriodicKind
from api.schemas.base import Out
from crm_link.models import DeliveryStatus
from crm_link.reporting.models import FileState, ReportMail, ReportSchedule


class ResponseRowOut(Out):
    """What happened to a group of flagged mentions; times in seconds."""

    name: str
    flagged: int
    handled: int
    open: int
    in_time: int
    late: int
    share_in_time: float | None
    median_s: float | None
    p90_s: float | None


class ResponseTimesOut(Out):
    """Response times of a window."""

    since: datetime
    until: datetime
    whole: ResponseRowOut
    priorities: list[ResponseRowOut]
    people: list[ResponseRowOut]
    weeks: list[ResponseRowOut]


class ScheduleIn(BaseModel):
    """A report that is mailed every week."""

    brand: str = Field(max_length=100, examples=["acme"])
    kind: PeriodicKind = PeriodicKind.WEEKLY
    form: PeriodicForm = PeriodicForm.HTML
    weekday: int = Field(default=0, ge=0, le=6, description="0 is Monday.")
    hour: int = Field(default=8, ge=0, le=23, description="In `zone`.")
    zone: str = Field(default="UTC", max_length=60, examples=["Europe/Madrid"])
    recipients: list[str] = Field(min_length=1, max_length=50)
    language: Literal["en", "es"] = "en"


class ScheduleOut(Out):
    """A schedule. Its addresses are null for whoever may not change schedules."""

    id: int
    brand_id: int
    kind: PeriodicKind
    form: PeriodicForm
    weekday: int
    hour: int
    zone: str
    language: str
    recipients: list[str] | None
    recipient_count: int = 0
    is_active: bool
    next_due_at: datetime
    created_by: str

    @classmethod
    def of(cls, row: ReportSchedule, *, shows_addresses: bool) -> ScheduleOut:
        """Return a schedule, with its addresses where they may be seen."""
        hidden = {} if shows_addresses else {"recipients": None}
        counted = {"recipient_count": len(row.recipients)}
        return cls.model_validate(row).model_copy(update=counted | hidden)


class MailOut(Out):
    """One report to one address, which is null for whoever may not change schedules.

    So is what the mail server said: it may name the address.
    """

    id: int
    schedule_id: int
    kind: PeriodicKind
    form: PeriodicForm
    until_at: datetime
    recipient: str | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    sent_at: datetime | None

    @classmethod
    def of(cls, row: ReportMail, *, shows_addresses: bool) -> MailOut:
        """Return a mail, with its address where it may be seen."""
        hidden = {} if shows_addresses else {"recipient": None, "last_error": None}
        return cls.model_validate(row).model_copy(update=hidden)


class ReportFileOut(Out):
    """A file that is being made: ask its address again."""

    id: int
    state: FileState = Field(examples=["making"])
    address: str = Field(examples=["/api/v1/report-files/7"])
