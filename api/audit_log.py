"""The audit log: who did what to what, as admins look it up and take it away."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent
from config.db import read_session
from crm_link.contacts.csv_tables import guard_cell

#: Entries of one look at the database while a file is written.
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; empty means all.

    Args:
        who: A part of the actor's name.
        what: A part of the action.
        about: What it was done to: a kind (`incident`), or one thing (`incident 17`).
        since: From then on.
        until: Before then.
    """

    who: str = ""
    what: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


def list_events(
    session: Session, wanted: AuditFilter, *, before: int | None = None, limit: int = 100
) -> tuple[list[AuditEvent], int | None]:
    """Return entries, the newest first, and after which id more follow; None at the end."""
    query = _filtered(wanted)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    found = list(session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit + 1)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def csv_lines(sessions: sessionmaker[Session], wanted: AuditFilter) -> Iterator[str]:
    """Yield the entries as a CSV file, the newest first; times are UTC."""
    yield _line("at", "who", "what", "about")
    before: int | None = None
    while True:
        with read_session(sessions) as session:
            events, before = list_events(session, wanted, before=before, limit=BATCH)
            lines = [
                _line(f"{one.at:%Y-%m-%dT%H:%M:%SZ}", one.actor, one.action, one.subject)
                for one in events
            ]
        yield "".join(lines)
        if before is None:
            return


def _filtered(wanted: AuditFilter) -> Select[AuditEvent]:
    query = select(AuditEvent)
    if wanted.who:
        query = query.where(AuditEvent.actor.icontains(wanted.who, autoescape=True))
    if wanted.what:
        query = query.where(AuditEvent.action.icontains(wanted.what, autoescape=True))
    about = wanted.about.strip().lower()
    if about:
        is_kind = AuditEvent.subject.startswith(f"{about} ", autoescape=True)
        query = query.where((AuditEvent.subject == about) | is_kind)
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    return query


def _line(*cells: str) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerow(guard_cell(cell) for cell in cells)
    return buffer.getvalue()
