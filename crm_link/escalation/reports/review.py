"""What people write after an incident: the fields that its protocol asks for, and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from config.bulk import upsert
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.delivery.outbox import add_event, pinned_protocol
from crm_link.escalation.drills.models import IncidentReview
from crm_link.escalation.duty.reminders import end_review_reminder
from crm_link.escalation.incidents import get_incident
from crm_link.escalation.models import Incident
from crm_link.escalation.protocol import EscalationProtocol

#: Longer texts belong into a document.
MAX_FIELD_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Review:
    """What people write afterwards, and by when.

    Args:
        asked: The fields that the protocol asks of people.
        written: What they wrote, by field.
        due_at: By when; None while the incident is not resolved.
        is_overdue: Whether it is missing and should be there.

    """

    asked: tuple[str, ...]
    written: Mapping[str, str]
    written_by: str | None
    written_at: datetime | None
    due_at: datetime | None
    is_overdue: bool


def get_reported(session: Session, incident_id: int) -> Incident:
    """Return an incident that has a report.

    Raises:
        NotFoundError: There is no such incident, or it is not about mentions.

    """
    incident = get_incident(session, incident_id)
    if not incident.is_about_mentions:
        raise NotFoundError(
            "incident %(incident_id)s has no report: it is not about mentions of the brand",
            incident_id=incident_id,
        )
    return incident


def read_review(
    session: Session, incident: Incident, protocol: EscalationProtocol, *, now: datetime
) -> Review:
    """Return what was written after an incident, and by when it should be."""
    row = session.get(IncidentReview, incident.id)
    asked = tuple(protocol.after.asked())
    due_at = (
        None
        if incident.resolved_at is None
        else incident.resolved_at + protocol.after.review_within
    )
    return Review(
        asked=asked,
        written={} if row is None else {name: str(text) for name, text in row.fields.items()},
        written_by=None if row is None else row.written_by,
        written_at=None if row is None else row.written_at,
        due_at=due_at,
        is_overdue=bool(asked) and row is None and due_at is not None and due_at < now,
    )


def write_review(
    session: Session, incident_id: int, fields: Mapping[str, str], *, by: str, now: datetime
) -> Review:
    """Store what people wrote after an incident; what was there is replaced.

    Raises:
        NotFoundError: There is no such incident, or it has no report.
        ConflictError: It is not resolved yet.
        InputError: A field is not one that the protocol asks of people, nothing is written, or
            a text is too long.

    """
    incident = get_reported(session, incident_id)
    if incident.resolved_at is None:
        raise ConflictError(
            "incident %(incident_id)s is not resolved: its review comes afterwards",
            incident_id=incident_id,
        )
    protocol = pinned_protocol(session, incident)
    asked = tuple(protocol.after.asked())
    unknown = sorted(set(fields) - set(asked))
    if unknown:
        raise InputError(
            "the protocol does not ask for '%(unknown)s'; it asks for %(asked)s",
            unknown=unknown[0],
            asked=", ".join(asked),
        )
    written = {name: text.strip() for name, text in fields.items() if text.strip()}
    if not written or any(len(text) > MAX_FIELD_CHARS for text in written.values()):
        raise InputError(
            "write at least one field, each of at most %(max_field_chars)s characters",
            max_field_chars=f"{MAX_FIELD_CHARS:,}",
        )
    row = {
        "incident_id": incident_id,
        "fields": written,
        "written_by": by,
        "written_at": now,
    }
    upsert(
        session,
        IncidentReview,
        [row],
        key=("incident_id",),
        update_columns=("fields", "written_by", "written_at"),
    )
    add_event(session, incident_id, "reviewed", by, now, {"fields": sorted(written)})
    end_review_reminder(session, incident, now)
    session.flush()
    return read_review(session, incident, protocol, now=now)
