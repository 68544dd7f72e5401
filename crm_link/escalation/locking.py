"""Getting an incident for a change: locked, so that of two people one is told who was first."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError, NotFoundError
from crm_link.escalation.models import Incident, IncidentStatus


def lock_incident(session: Session, incident_id: int) -> Incident:
    """Return the incident as it is now; nobody else changes it until this transaction ends.

    Raises:
        NotFoundError: There is none with this id.

    """
    incident = session.scalar(
        select(Incident)
        .where(Incident.id == incident_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if incident is None:
        raise NotFoundError("there is no incident %(incident_id)s", incident_id=incident_id)
    return incident


def lock_unresolved(session: Session, incident_id: int) -> Incident:
    """Return the incident, locked, if people still work on it.

    Raises:
        NotFoundError: There is none with this id.
        ConflictError: It is resolved.

    """
    incident = lock_incident(session, incident_id)
    if incident.status is IncidentStatus.RESOLVED:
        raise ConflictError(
            "incident %(incident_id)s is resolved already, by %(resolved_by)s",
            incident_id=incident_id,
            resolved_by=incident.resolved_by,
        )
    return incident
