"""How the calls to each CRM go: noted as they go, so that people are told of one that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.clock import Clock
from config.db import read_session
from config.errors import AppError, BudgetExhaustedError
from crm_link.calls.budgets import LimitError
from crm_link.calls.health_models import CrmHealth

#: How often it is written down that all goes well.
NOTE_EVERY = timedelta(minutes=1)

#: What is kept of an error's words.
MAX_ERROR_CHARS = 500


class CrmWork(StrEnum):
    """What is done in a CRM; one may fail while the other goes well."""

    CONTACTS = "contacts"  # reading contacts
    WRITES = "writes"  # writing enrichment, cases and notes


@contextmanager
def noted(
    sessions: sessionmaker[Session], crm: str, work: CrmWork, *, clock: Clock
) -> Iterator[None]:
    """Note whether what is done inside goes well; errors go on their way.

    A used-up limit or budget says nothing: it is shown as such, and passes by itself.
    """
    try:
        yield
    except (LimitError, BudgetExhaustedError):
        raise
    except AppError as error:
        _note_failure(sessions, crm, work, error.said, clock())
        raise
    _note_success(sessions, crm, work, clock())


def failing_crms(session: Session, names: Sequence[str]) -> list[CrmHealth]:
    """Return the work that fails in some CRMs, by CRM and work."""
    return list(
        session.scalars(
            select(CrmHealth)
            .where(CrmHealth.crm.in_(names), CrmHealth.failing_since.is_not(None))
            .order_by(CrmHealth.crm, CrmHealth.work)
        )
    )


def _note_failure(
    sessions: sessionmaker[Session], crm: str, work: CrmWork, error: str, now: datetime
) -> None:
    with sessions.begin() as session:
        row = _held(session, crm, work)
        row.failing_since = row.failing_since or now
        row.failures += 1
        row.last_error = error[:MAX_ERROR_CHARS]


def _note_success(sessions: sessionmaker[Session], crm: str, work: CrmWork, now: datetime) -> None:
    with read_session(sessions) as session:
        known = session.get(CrmHealth, (crm, work.value))
    if known is not None and known.failing_since is None:
        last = known.last_success_at
        if last is not None and timedelta() <= now - last < NOTE_EVERY:
            return
    with sessions.begin() as session:
        row = _held(session, crm, work)
        row.failing_since, row.failures, row.last_error = None, 0, None
        row.last_success_at = now


def _held(session: Session, crm: str, work: CrmWork) -> CrmHealth:
    """Return the row of some work, made if it is not there, and hold it."""
    new = {"crm": crm, "work": work.value, "failures": 0}
    insert_new(session, CrmHealth, [new], key=["crm", "work"])
    return session.scalars(
        select(CrmHealth)
        .where(CrmHealth.crm == crm, CrmHealth.work == work.value)
        .with_for_update()
    ).one()
