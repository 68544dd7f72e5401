"""Letting go of mild incidents that nobody took on, once it is known that they are over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from crm_link.escalation.detection import raising
from crm_link.escalation.detection.pinned import read_pinned
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.protocol import WAKING_LEVELS
from sentiment.bursts.readings import bursts_of
from sentiment.bursts.series import WHOLE_BRAND

#: An incident is let go by itself only while the burst index is known and below this.
CALM_INDEX = 0.5


def let_go_of_quiet(
    sessions: sessionmaker[Session], raised: set[tuple[int, str]], now: datetime
) -> list[int]:
    """Resolve mild incidents that nobody took on, once nothing more has come for long."""
    with read_session(sessions) as session:
        mild = session.scalars(
            select(Incident).where(
                Incident.open_key.is_not(None),
                Incident.status == IncidentStatus.OPEN,
                Incident.severity.not_in(WAKING_LEVELS),
            )
        ).all()
        pinned = read_pinned(session, {incident.protocol_version_id for incident in mild})
        quiet = [
            incident.id
            for incident in mild
            if (incident.brand_id, incident.topic) not in raised
            and incident.protocol_version_id in pinned
            and raising.is_over(incident, pinned[incident.protocol_version_id], now)
            and _is_calm(session, incident, now)
        ]
    for incident_id in quiet:
        with sessions.begin() as session:
            raising.let_go(session, incident_id, now)
    return quiet


def _is_calm(session: Session, incident: Incident, now: datetime) -> bool:
    """Say whether nothing speaks against a calm: no burst, and no source fallen silent."""
    bursts = bursts_of(session, incident.brand_id, now)
    burst = bursts.get(incident.topic) or bursts.get(WHOLE_BRAND)
    return burst is None or (burst.is_known and burst.index < CALM_INDEX)
