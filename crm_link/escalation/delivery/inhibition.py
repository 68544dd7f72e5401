"""What keeps an incident's chain from going on: a silence, or a worse incident around it.

A brand-wide SEV-1 inhibits the mild incidents of single topics: those who fight the fire need
no message for each room. Whoever escalates by hand afterwards is obeyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.phrases import phrase
from crm_link.escalation.closing import close
from crm_link.escalation.delivery.outbox import MACHINE, add_event, cancel_unsent
from crm_link.escalation.delivery.silences import find_silence
from crm_link.escalation.models import BURST, Incident, IncidentEvent
from crm_link.escalation.protocol import WAKING_LEVELS
from crm_link.escalation.protocol_parts.triage import GENERAL

#: The severity that inhibits, brand-wide.
INHIBITS = "SEV-1"

#: How often an inhibited incident is looked at again.
LOOK_EVERY = timedelta(seconds=30)

#: What was seen less than this ago is still on.
STILL_ON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why nobody is told, and when to look again."""

    by: str  # silence:7 or incident:7
    since: datetime
    until: datetime


def find_suppression(session: Session, incident: Incident, now: datetime) -> Suppression | None:
    """Return what keeps people from being told of an incident now."""
    found: Suppression | None = None
    silence = find_silence(session, incident, now)
    if silence is not None:
        found = Suppression(f"silence:{silence.id}", silence.created_at, silence.ends_at)
    elif incident.topic != GENERAL and incident.severity not in WAKING_LEVELS:
        worse = _inhibitor(session, incident)
        if worse is not None:
            found = Suppression(f"incident:{worse.id}", worse.opened_at, now + LOOK_EVERY)
    if found is not None and _escalated_since(session, incident, found.since):
        return None
    return found


def is_held_back(session: Session, incident: Incident, now: datetime) -> bool:
    """Say whether an open incident's chain must wait, and bring the incident to that state.

    One that was held back and is not any more begins its chain anew where it is still on, and
    is closed where it is mild and over.
    """
    found = find_suppression(session, incident, now)
    if found is not None:
        if incident.suppressed_by != found.by:
            incident.suppressed_by = found.by
            cancel_unsent(session, incident.id)
            detail = {"by": found.by, "until": found.until.isoformat()}
            add_event(session, incident.id, "silenced", MACHINE, now, detail)
        incident.next_due_at = found.until
        return True
    if incident.suppressed_by is None:
        return False
    was, incident.suppressed_by = incident.suppressed_by, None
    if not _is_still_on(incident, now):
        what, _, number = was.partition(":")
        reason = (
            phrase("over when silence %(number)s was", number=number)
            if what == "silence"
            else phrase("over when incident %(number)s was", number=number)
        )
        close(session, incident, by=MACHINE, reason=reason, now=now)
        return True
    add_event(session, incident.id, "unsilenced", MACHINE, now, {"by": was})
    incident.round += 1
    incident.first_round = incident.round
    incident.step = 0
    incident.next_due_at = now
    return False


def _inhibitor(session: Session, incident: Incident) -> Incident | None:
    if incident.kind != BURST:
        return None
    return session.scalar(
        select(Incident).where(
            Incident.open_key == f"{incident.brand_id}:{GENERAL}",
            Incident.severity == INHIBITS,
            Incident.kind == BURST,
            Incident.suppressed_by.is_(None),
        )
    )


def _escalated_since(session: Session, incident: Incident, since: datetime) -> bool:
    found = session.scalar(
        select(IncidentEvent.id)
        .where(
            IncidentEvent.incident_id == incident.id,
            IncidentEvent.kind == "escalated",
            IncidentEvent.at >= since,
        )
        .limit(1)
    )
    return found is not None


def _is_still_on(incident: Incident, now: datetime) -> bool:
    """Say whether people must still learn of it: a severe one always, a mild one if it goes on."""
    if incident.severity in WAKING_LEVELS:
        return True
    window = timedelta(seconds=float(incident.facts.get("window_s") or 0.0))
    return now - incident.last_seen_at <= max(window, STILL_ON)
