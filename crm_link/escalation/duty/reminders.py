"""Reminders of what is easily put off: the next drill, the review after an incident.

Each is an alert about Groundswell itself that nobody has to acknowledge: those whom the chain
tells first learn of it once, and once a month again while it is so. It ends by itself when the
drill was held or the review written. Only what the protocol asks for is reminded of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.durations import format_duration
from config.phrases import Day, Phrase, joined, phrase
from crm_link.escalation import chain
from crm_link.escalation.delivery.outbox import MACHINE, pinned_protocol
from crm_link.escalation.detection.operations import end_operation, raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.drills.models import IncidentReview
from crm_link.escalation.drills.result import last_drill_at
from crm_link.escalation.duty.readiness import drill_due_at
from crm_link.escalation.models import BURST, OPERATIONS, Incident, IncidentStatus
from crm_link.escalation.protocol import EscalationProtocol
from listener.models import Brand

#: How often people are reminded of the same thing.
REMIND_EVERY = timedelta(days=30)

#: Reviews that were due longer ago are not reminded of any more.
GIVEN_UP_AFTER = timedelta(days=180)

DRILL_OVERDUE = "!drill overdue"
REVIEW_OVERDUE = "!review overdue"


def remind(
    sessions: sessionmaker[Session],
    protocols: Mapping[int, EscalationProtocol],
    *,
    clock: Clock,
) -> int:
    """Remind of what is overdue, and end reminders of what was done; return how many changed.

    Args:
        sessions: Factory of sessions.
        protocols: The protocol in force of each brand, by the brand's id.
        clock: The present.

    """
    now, changed = clock(), 0
    for brand_id, protocol in sorted(protocols.items()):
        with sessions.begin() as session:
            brand = session.scalar(
                select(Brand).where(Brand.id == brand_id).with_for_update(key_share=True)
            )
            if brand is None or brand.drill_of_id is not None:
                continue
            if "drills" in protocol.model_fields_set:
                changed += _drill(session, brand, protocol, now)
            if "after" in protocol.model_fields_set and any(protocol.after.asked()):
                changed += _reviews(session, brand_id, protocol, now)
    return changed


def end_review_reminder(session: Session, incident: Incident, now: datetime) -> None:
    """End the reminder of an incident's review: it was written."""
    topic = f"{REVIEW_OVERDUE} {incident.id}"
    reason = phrase("the review is written")
    end_operation(session, incident.brand_id, topic=topic, reason=reason, now=now)


def _drill(session: Session, brand: Brand, protocol: EscalationProtocol, now: datetime) -> bool:
    every = protocol.drills.every
    due_at = drill_due_at(protocol, last_drill_at(session, brand.id)) or brand.created_at + every
    if due_at >= now:
        ended = end_operation(
            session, brand.id, topic=DRILL_OVERDUE, reason=phrase("a drill was held"), now=now
        )
        return ended is not None
    line = phrase(
        "The protocol asks for a drill every %(time)s; one was due on %(day)s. Hold one: "
        "groundswell drill false_rumour, or Drills in the console.",
        time=format_duration(every),
        day=Day(due_at),
    )
    title = phrase("A drill of %(brand)s is overdue", brand=brand.name)
    return _tell(session, brand.id, protocol, DRILL_OVERDUE, title, line, now)


def _reviews(session: Session, brand_id: int, protocol: EscalationProtocol, now: datetime) -> int:
    overdue = session.scalars(
        select(Incident)
        .outerjoin(IncidentReview, IncidentReview.incident_id == Incident.id)
        .where(
            Incident.brand_id == brand_id,
            Incident.kind == BURST,
            Incident.status == IncidentStatus.RESOLVED,
            Incident.acknowledged_at.is_not(None),  # what nobody took on needs no review
            Incident.resolved_at < now - protocol.after.review_within,
            Incident.resolved_at > now - GIVEN_UP_AFTER,
            IncidentReview.incident_id.is_(None),
        )
        .order_by(Incident.id)
    ).all()
    told = 0
    for incident in overdue:
        assert incident.resolved_at is not None  # the query asks for it
        line = phrase(
            "Incident %(incident)s was resolved on %(day)s, and its review was due within "
            "%(time)s. Write it under Report on the incident's page: %(fields)s.",
            incident=incident.id,
            day=Day(incident.resolved_at),
            time=format_duration(protocol.after.review_within),
            fields=joined(
                ", ", [Phrase(one.replace("_", " "), {}) for one in protocol.after.asked()]
            ),
        )
        title = phrase("The review of incident %(incident)s is overdue", incident=incident.id)
        topic = f"{REVIEW_OVERDUE} {incident.id}"
        told += _tell(session, brand_id, protocol, topic, title, line, now)
    return told


def _tell(
    session: Session,
    brand_id: int,
    protocol: EscalationProtocol,
    topic: str,
    title: str,
    line: str,
    now: datetime,
) -> bool:
    last = session.scalar(
        select(Incident)
        .where(Incident.brand_id == brand_id, Incident.kind == OPERATIONS, Incident.topic == topic)
        .order_by(Incident.id.desc())
        .limit(1)
        .with_for_update()
    )
    if last is not None and now - last.last_seen_at < REMIND_EVERY:
        return False
    if last is not None and last.open_key is not None:
        # Told again by a round of its own; see below why it does not go on.
        last.round += 1
        last.last_seen_at = now
        last.status = IncidentStatus.OPEN
        incident, pinned = last, pinned_protocol(session, last)
        chain.start_round(incident, pinned, now)
        chain.advance(session, incident, pinned, now)
    else:
        version_id = pin_protocol(session, brand_id, protocol, now)
        found = raise_operation(
            session, brand_id, version_id, topic=topic, title=title, lines=[line], now=now
        )
        if found is None:
            return False
        incident = session.get_one(Incident, found)
    # A reminder wakes nobody and climbs no chain: it waits, as if somebody had it in hand.
    incident.status = IncidentStatus.ACKNOWLEDGED
    incident.acknowledged_at, incident.acknowledged_by = now, MACHINE
    incident.next_due_at = None
    session.flush()
    return True
