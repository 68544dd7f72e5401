"""How far each CRM is: contacts, the last sync, what waits and what is dead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from config.phrases import Phrase, joined, phrase
from crm_link.calls.budget_models import CrmBudget
from crm_link.calls.budgets import Limit
from crm_link.calls.crm_health import CrmWork, failing_crms
from crm_link.calls.health_models import CrmHealth
from crm_link.models import Contact, CrmCursor, DeliveryStatus, WriteBack
from crm_link.outbox.dead_letters import causes_of

#: What is done with a CRM, as it is said before what went wrong.
_WORK = {CrmWork.CONTACTS.value: phrase("contacts"), CrmWork.WRITES.value: phrase("writes")}


@dataclass(frozen=True, slots=True)
class CrmStatus:
    """One CRM's counts; `last_error` is of a record that waits or is dead, the newest.

    `failing_since` is empty where its calls go well; `failing` says what fails, and what it said.
    `given_up` are the reasons of dead records, each with how many there are.
    """

    name: str
    contacts: int
    synced_at: datetime | None
    waiting: int
    dead: int
    last_error: str | None
    failing_since: datetime | None = None
    failing: str = ""
    given_up: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """What is left of one limit of a CRM's account.

    Args:
        crm: The CRM.
        limit: Which limit, such as `daily`.
        size: Calls or credits in its window; with a window of 0, at one moment.
        window_s: The window's length in seconds.
        free: How many may be made at this moment.
        said: What the CRM said was left, and of how many; empty where it says nothing.
        paused_until: Until when nobody calls.
        reason: Why.

    """

    crm: str
    limit: str
    size: int
    window_s: float
    free: int
    said: str
    paused_until: datetime | None
    reason: str


def budget_status(session: Session, names: Sequence[str], now: datetime) -> list[BudgetStatus]:
    """Return the limits of the CRMs called `names` that were ever called, in their order."""
    rows = session.scalars(
        select(CrmBudget).where(CrmBudget.crm.in_(names)).order_by(CrmBudget.name)
    ).all()
    order = {name: place for place, name in enumerate(names)}
    return [_budget(row, now) for row in sorted(rows, key=lambda row: order[row.crm])]


def _budget(row: CrmBudget, now: datetime) -> BudgetStatus:
    limit = Limit(row.name, row.size, row.window_s)
    if limit.window_s:
        since_s = max((now - row.filled_at).total_seconds(), 0.0)
        free = min(limit.at_once, row.tokens + since_s * limit.per_s)
    else:
        free = limit.size - len(row.running)
    is_paused = row.paused_until is not None and row.paused_until > now
    return BudgetStatus(
        row.crm,
        row.name,
        row.size,
        row.window_s,
        max(int(free), 0),
        f"{row.said_left:,} of {row.said_of:,}" if row.said_left is not None else "",
        row.paused_until if is_paused else None,
        (row.reason or "") if is_paused else "",
    )


def crm_status(session: Session, names: Sequence[str]) -> list[CrmStatus]:
    """Return how far the CRMs called `names` are, in their order."""
    contacts = dict(
        session.execute(
            select(Contact.crm, func.count())
            .where(Contact.crm.in_(names), Contact.deleted_at.is_(None))
            .group_by(Contact.crm)
        ).all()
    )
    synced = dict(
        session.execute(
            select(CrmCursor.crm, CrmCursor.updated_at).where(CrmCursor.crm.in_(names))
        ).all()
    )
    is_dead = WriteBack.status == DeliveryStatus.DEAD
    outbox = {
        row.crm: row
        for row in session.execute(
            select(
                WriteBack.crm,
                func.sum(case((is_dead, 0), else_=1)).label("waiting"),
                func.sum(case((is_dead, 1), else_=0)).label("dead"),
                func.max(case((WriteBack.last_error.is_not(None), WriteBack.id))).label("failed"),
            )
            .where(
                WriteBack.crm.in_(names),
                WriteBack.status.in_(
                    [DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.DEAD]
                ),
            )
            .group_by(WriteBack.crm)
        )
    }
    failed = [row.failed for row in outbox.values() if row.failed is not None]
    errors = dict(
        session.execute(
            select(WriteBack.crm, WriteBack.last_error).where(WriteBack.id.in_(failed))
        ).all()
    )
    failing: dict[str, list[CrmHealth]] = defaultdict(list)
    for one in failing_crms(session, names):
        failing[one.crm].append(one)
    causes = causes_of(session, names)
    return [
        CrmStatus(
            name,
            contacts.get(name, 0),
            synced.get(name),
            int(outbox[name].waiting) if name in outbox else 0,
            int(outbox[name].dead) if name in outbox else 0,
            errors.get(name),
            min((one.failing_since for one in failing[name] if one.failing_since), default=None),
            joined(
                "; ",
                [
                    Phrase(
                        "%(work)s: %(error)s",
                        {"work": _WORK.get(one.work, one.work), "error": one.last_error},
                    )
                    for one in failing[name]
                ],
            ),
            tuple((one.reason, one.records) for one in causes if one.crm == name),
        )
        for name in names
    ]
