"""What people change about escalation: on-call overrides, silences, tests; with the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.brand_limits import require_every_brand
from api.deps import Actor
from crm_link.escalation.delivery import silences, trial
from crm_link.escalation.delivery.delivery_models import OnCallOverride, Silence
from crm_link.escalation.delivery.silences import Matcher
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.duty import on_call
from crm_link.escalation.duty.calendars import list_problems
from crm_link.escalation.models import Incident
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.mentions import get_brand, list_brands
from listener.models import Brand


@dataclass(frozen=True, slots=True)
class RotationView:
    """One rotation of one brand: who is on call over a time, and who is next."""

    brand: Brand
    name: str
    protocol: EscalationProtocol
    shifts: Sequence[on_call.Shift]
    next: on_call.Shift | None


def rotations(session: Session, brand: str, since: datetime, until: datetime) -> list[RotationView]:
    """Return the rotations of a brand, or of all; the first shift is who is on call now."""
    found = []
    for one in [get_brand(session, brand)] if brand else list_brands(session):
        protocol = protocol_in_force(session, one.id)
        for name in protocol.on_call:
            shifts = on_call.schedule(session, protocol, one.id, name, since=since, until=until)
            following = on_call.who_is_next(session, protocol, one.id, name, since)
            found.append(RotationView(one, name, protocol, shifts, following))
    return found


def calendar_problems(session: Session) -> list[str]:
    """Return what is wrong with the on-call calendars of all brands."""
    return [
        f"{one.name}, {problem}"
        for one in list_brands(session)
        for problem in list_problems(session, protocol_in_force(session, one.id))
    ]


def add_override(
    actor: Actor,
    *,
    brand: str,
    rotation: str,
    contact: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
) -> OnCallOverride:
    """Put somebody on call in another's place."""
    brand_id = get_brand(actor.session, brand).id
    override = on_call.add_override(
        actor.session,
        protocol_in_force(actor.session, brand_id),
        brand_id=brand_id,
        rotation=rotation,
        contact=contact,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record("on-call override added", f"override {override.id}")
    return override


def remove_override(actor: Actor, override_id: int) -> OnCallOverride:
    """Take an override back."""
    override = on_call.remove_override(actor.session, override_id, by=actor.name, clock=actor.clock)
    actor.record("on-call override removed", f"override {override_id}")
    return override


def add_silence(
    actor: Actor, matcher: Matcher, *, starts_at: datetime, ends_at: datetime, comment: str
) -> Silence:
    """Plan a silence."""
    if matcher.brand_id is None:
        require_every_brand(actor.brands, "a silence of every brand")
    silence = silences.create_silence(
        actor.session,
        matcher,
        starts_at=starts_at,
        ends_at=ends_at,
        comment=comment,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record("silence added", f"silence {silence.id}")
    return silence


def end_silence(actor: Actor, silence_id: int) -> Silence:
    """End a silence now."""
    planned = actor.session.get(Silence, silence_id)
    if planned is not None and planned.brand_id is None:
        require_every_brand(actor.brands, "a silence of every brand")
    silence = silences.end_silence(actor.session, silence_id, by=actor.name, clock=actor.clock)
    actor.record("silence ended", f"silence {silence_id}")
    return silence


def send_test(actor: Actor, brand: str, contacts: Sequence[str]) -> Incident:
    """Send a marked test message to people."""
    brand_id = get_brand(actor.session, brand).id
    incident = trial.send_test(
        actor.session,
        protocol_in_force(actor.session, brand_id),
        brand_id=brand_id,
        contacts=contacts,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record("test sent", f"incident {incident.id}")
    return incident
