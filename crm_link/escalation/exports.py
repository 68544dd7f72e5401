"""Incidents out of the database as JSON lines, each with its whole timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, sessionmaker

from config.db import read_session
from config.outputs import whole_file
from crm_link.escalation.models import BURST, Incident, IncidentEvent, Notification

#: Incidents that are read at a time, so that an export of any size needs little memory.
PAGE = 500


def export_incidents(
    sessions: sessionmaker[Session],
    out: Path,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Write every incident to `out`, oldest first, one JSON object a line; return how many.

    The file appears when it is whole. Drills, tests and alerts about Groundswell itself are
    left out.

    Args:
        sessions: Factory of sessions.
        out: The file; one that is there is replaced. `-` is standard output.
        on_progress: Called with the number written so far.

    Raises:
        InputError: The file cannot be written.

    """
    written, last_id = 0, 0
    with whole_file(out) as file:
        while True:
            with read_session(sessions) as session:
                page = _page(session, last_id)
                file.writelines(_lines(session, page))
                last_id = max((incident.id for incident in page), default=0)
            if not page:
                return written
            written += len(page)
            if on_progress is not None:
                on_progress(written)


def _page(session: Session, after_id: int) -> list[Incident]:
    return list(
        session.scalars(
            select(Incident)
            .where(Incident.id > after_id, Incident.kind == BURST)
            .options(joinedload(Incident.brand))
            .order_by(Incident.id)
            .limit(PAGE)
        )
    )


def _lines(session: Session, page: list[Incident]) -> list[bytes]:
    ids = [incident.id for incident in page]
    events: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for event in session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.incident_id.in_(ids))
        .order_by(IncidentEvent.incident_id, IncidentEvent.id)
    ):
        events[event.incident_id].append(
            {"at": event.at, "actor": event.actor, "kind": event.kind, "detail": event.detail}
        )
    notifications: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in session.scalars(
        select(Notification)
        .where(Notification.incident_id.in_(ids))
        .order_by(Notification.incident_id, Notification.id)
    ):
        notifications[row.incident_id].append(
            {
                "contact": row.contact,
                "role": row.role,
                "channel": row.channel,
                "reason": row.reason,
                "status": row.status.value,
                "attempts": row.attempts,
                "created_at": row.created_at,
                "sent_at": row.sent_at,
            }
        )
    return [
        orjson.dumps(
            {
                "id": incident.id,
                "brand": incident.brand.key,
                "topic": incident.topic,
                "title": incident.title,
                "status": incident.status.value,
                "severity": incident.severity,
                "opened_at": incident.opened_at,
                "last_seen_at": incident.last_seen_at,
                "acknowledged_at": incident.acknowledged_at,
                "acknowledged_by": incident.acknowledged_by,
                "resolved_at": incident.resolved_at,
                "resolved_by": incident.resolved_by,
                "facts": incident.facts,
                "peak": incident.peak,
                "events": events[incident.id],
                "notifications": notifications[incident.id],
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for incident in page
    ]
