"""The escalation chain: telling more people while nobody acknowledges.

An incident carries its place in the chain (`round`, `step`) and when the next step is due.
Steps that became due while nothing ran are taken at once, in order, each once, and nobody is
told twice; a whole missed round is not made up for. Whoever runs this locks the incident, so
that two workers take a step once.

A step outside its hours waits, with the time stored, or is passed over; a step of which nobody
is on call is passed over at once. A silenced or inhibited incident waits as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.logs import get_logger, place_of
from crm_link.escalation.delivery import acks
from crm_link.escalation.delivery.inhibition import is_held_back
from crm_link.escalation.delivery.outbox import MACHINE, add_event, pinned_protocol, tell
from crm_link.escalation.duty import on_call
from crm_link.escalation.duty.hours import step_begin
from crm_link.escalation.models import TEST, Incident, IncidentEvent, IncidentStatus
from crm_link.escalation.protocol import EVERYONE, ChainStep, EscalationProtocol

log = get_logger(__name__)

#: How many incidents one call moves on; the next call takes the rest.
MOST_AT_ONCE = 1_000

#: How long people have to acknowledge where the protocol has no such severity any more.
DEFAULT_ACK = timedelta(minutes=15)


@dataclass(slots=True)
class _Round:
    """What one call has done so far, so that nobody is told twice by it."""

    told: set[str] = field(default_factory=set)
    #: Whether this round of the chain reached anybody; from the middle of one it is not asked.
    reached: bool = False


def run_due_steps(sessions: sessionmaker[Session], *, clock: Clock) -> int:
    """Take every step that is due; return how many incidents moved on."""
    with read_session(sessions) as session:
        due = session.scalars(
            select(Incident.id)
            .where(Incident.next_due_at.is_not(None), Incident.next_due_at <= clock())
            .order_by(Incident.severity, Incident.next_due_at)
            .limit(MOST_AT_ONCE)
        ).all()
    moved = 0
    for incident_id in due:
        try:
            moved += run_one(sessions, incident_id, clock())
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken incident must not hold up the others
            log.error(
                "chain broke",
                incident_id=incident_id,
                kind=type(error).__name__,
                at=place_of(error),
            )
    return moved


def run_one(sessions: sessionmaker[Session], incident_id: int, now: datetime) -> bool:
    """Take an incident's step if it is due; say whether it was ours to take."""
    with sessions.begin() as session:
        incident = session.scalar(
            select(Incident)
            .where(Incident.id == incident_id, Incident.next_due_at <= now)
            .with_for_update(skip_locked=True)
        )
        if incident is None:
            return False  # another worker has it, or somebody acknowledged just now
        protocol = pinned_protocol(session, incident)
        if incident.status is IncidentStatus.ACKNOWLEDGED and incident.kind != TEST:
            _expire_acknowledgement(session, incident, protocol, now)
        advance(session, incident, protocol, now)
    log.info("chain moved on", incident_id=incident_id)
    return True


def start_round(incident: Incident, protocol: EscalationProtocol, at: datetime) -> None:
    """Let the chain begin, or begin again, at `at`: its first step is due `after` that."""
    incident.step = 0
    first = _next_step(incident, protocol)
    incident.next_due_at = at if first is None else at + first[1].after


def advance(
    session: Session, incident: Incident, protocol: EscalationProtocol, now: datetime
) -> None:
    """Take the steps of an open incident that are due by `now`."""
    if incident.kind == TEST:
        incident.next_due_at = None  # a test message has no chain
    if incident.status is not IncidentStatus.OPEN or is_held_back(session, incident, now):
        return
    this = _Round(reached=incident.step > 0)
    while incident.next_due_at is not None and incident.next_due_at <= now:
        found = _next_step(incident, protocol)
        if found is not None:
            if not _is_pausing(session, incident, protocol, found, now):
                _take(session, incident, protocol, found, now=now, this=this)
        elif this.reached and _repeats(incident, protocol):
            acks.carry_over(session, incident, incident.round + 1)
            incident.round += 1
            this.reached = False
            start_round(incident, protocol, now)
        else:
            _last_resort(session, incident, protocol, now)


def ack_limit(protocol: EscalationProtocol, level: str) -> timedelta:
    """Return how long people have to acknowledge an incident of this severity."""
    severity = protocol.find_severity(level)
    return DEFAULT_ACK if severity is None else severity.ack


def upcoming(
    incident: Incident, protocol: EscalationProtocol
) -> tuple[tuple[str, ...], datetime] | None:
    """Return who is told next unless somebody acknowledges, and when; None: nobody."""
    if incident.status is not IncidentStatus.OPEN or incident.next_due_at is None:
        return None
    found = _next_step(incident, protocol)
    if found is not None:
        return found[1].notify, incident.next_due_at
    if _repeats(incident, protocol):
        steps = protocol.chain_for(incident.severity).steps
        first = next(step for step in steps if step.is_for(incident.severity))
        return first.notify, incident.next_due_at
    return (EVERYONE,), incident.next_due_at


def has_next_step(incident: Incident, protocol: EscalationProtocol) -> bool:
    """Say whether this round has a step that was not taken yet."""
    return _next_step(incident, protocol) is not None


def _repeats(incident: Incident, protocol: EscalationProtocol) -> bool:
    """Say whether the chain is gone through once more after this round."""
    done = incident.round - incident.first_round + 1
    return done < protocol.chain_for(incident.severity).repeat


def _next_step(incident: Incident, protocol: EscalationProtocol) -> tuple[int, ChainStep] | None:
    steps = enumerate(protocol.chain_for(incident.severity).steps)
    return next(
        (
            (number, step)
            for number, step in steps
            if number >= incident.step and step.is_for(incident.severity)
        ),
        None,
    )


def _is_pausing(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    found: tuple[int, ChainStep],
    now: datetime,
) -> bool:
    """Say whether a step is not taken now because of its hours; it waits, or is passed over."""
    number, step = found
    begin = step_begin(protocol, step, now)
    if begin == now:
        return False
    severity = protocol.find_severity(incident.severity)
    detail: dict[str, Any] = {"step": number, "round": incident.round}
    if step.outside == "skip" or begin is None:
        _pass_over(incident, protocol, found, now)
        add_event(session, incident.id, "step_skipped", MACHINE, now, detail)
        return True
    if severity is not None and not severity.respects_quiet_hours:
        return False
    incident.next_due_at = begin
    detail["until"] = begin.isoformat()
    add_event(session, incident.id, "paused", MACHINE, now, detail)
    return True


def _pass_over(
    incident: Incident, protocol: EscalationProtocol, found: tuple[int, ChainStep], now: datetime
) -> None:
    """Go to the following step at once; after the last one, wait as after any last step."""
    incident.step = found[0] + 1
    if _next_step(incident, protocol) is None:
        incident.next_due_at = now + ack_limit(protocol, incident.severity)
    else:
        incident.next_due_at = now


def _take(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    found: tuple[int, ChainStep],
    *,
    now: datetime,
    this: _Round,
) -> None:
    number, step = found
    due = incident.next_due_at or now
    left_out = incident.facts.get("leave_out", ())
    meant = [
        one
        for one in on_call.people(session, protocol, incident.brand_id, step.notify, now)
        if one[0].id not in left_out
    ]
    done = acks.acknowledged_by(session, incident)
    detail: dict[str, Any] = {"step": number, "round": incident.round}
    if not meant:
        add_event(
            session, incident.id, "nobody", MACHINE, now, detail | {"words": list(step.notify)}
        )
        _pass_over(incident, protocol, found, now)
        if not this.reached and _next_step(incident, protocol) is None:
            incident.next_due_at = now  # nobody in a whole round: everyone, without waiting
        return
    people = [one for one in meant if one[0].id not in this.told | done]
    contacts = tell(
        session, incident, protocol, people, reason="step", tag=f"step{number}", now=now
    )
    this.told.update(contacts)
    this.reached = True
    detail["contacts"] = contacts
    add_event(session, incident.id, "notified", MACHINE, now, detail)
    incident.step = number + 1
    following = _next_step(incident, protocol)
    if following is not None:
        incident.next_due_at = due + (following[1].after - step.after)
    else:
        incident.next_due_at = now + ack_limit(protocol, incident.severity)


def _last_resort(
    session: Session, incident: Incident, protocol: EscalationProtocol, now: datetime
) -> None:
    """Tell everyone who has not acknowledged; nothing more comes by itself."""
    done = acks.acknowledged_by(session, incident)
    people = [one for one in protocol.people([EVERYONE]) if one[0].id not in done]
    contacts = tell(
        session, incident, protocol, people, reason="last_resort", tag="last_resort", now=now
    )
    add_event(session, incident.id, "last_resort", MACHINE, now, {"contacts": contacts})
    incident.next_due_at = None


def _expire_acknowledgement(
    session: Session, incident: Incident, protocol: EscalationProtocol, now: datetime
) -> None:
    """Open an acknowledged incident again on which nobody has reported.

    Whatever a person has put into the timeline is a report, and moves the expiry.
    """
    severity = protocol.find_severity(incident.severity)
    last = session.scalar(
        select(func.max(IncidentEvent.at)).where(
            IncidentEvent.incident_id == incident.id, IncidentEvent.actor != MACHINE
        )
    )
    if severity is not None and severity.ack_expires is not None and last is not None:
        expiry = last + severity.ack_expires
        if expiry > now:
            incident.next_due_at = expiry
            return
    add_event(
        session,
        incident.id,
        "ack_expired",
        MACHINE,
        now,
        {"acknowledged_by": incident.acknowledged_by},
    )
    resume(incident, protocol, now)


def resume(incident: Incident, protocol: EscalationProtocol, now: datetime) -> None:
    """Open an incident again and let its chain go on at once where it stopped."""
    incident.status = IncidentStatus.OPEN
    incident.acknowledged_at = None
    incident.acknowledged_by = None
    incident.next_due_at = now
    if _next_step(incident, protocol) is None:
        incident.round += 1
        start_round(incident, protocol, now)
