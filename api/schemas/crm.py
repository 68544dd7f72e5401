"""CRMs: how far each is, what its account allows, what did not arrive."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from api.schemas.base import Out


class CrmStatusOut(Out):
    """One CRM's counts; `last_error` is of a record that waits or is dead, the newest.

    `failing_since` is null where its calls go well; `failing` says what fails. `given_up` are the
    reasons of dead records, each with how many there are.
    """

    name: str
    contacts: int
    synced_at: datetime | None
    waiting: int
    dead: int
    last_error: str | None
    failing_since: datetime | None
    failing: str
    given_up: list[tuple[str, int]]


class BudgetOut(Out):
    """One limit of an account: calls or credits in its window of seconds (0: at one moment)."""

    crm: str
    limit: str
    size: int
    window_s: float
    free: int
    said: str
    paused_until: datetime | None
    reason: str


class CrmsOut(BaseModel):
    """All CRMs, and the limits of their accounts that were ever called."""

    crms: list[CrmStatusOut]
    budgets: list[BudgetOut]


class DeadLetterOut(Out):
    """A record that was given up: why and what helps, and what was said at the last try."""

    id: int
    crm: str
    external_id: str
    contact_id: int
    contact_name: str
    attempts: int
    reason: str
    said: str
    since: datetime


class RetriedOut(BaseModel):
    """How many are tried again."""

    retried: int
