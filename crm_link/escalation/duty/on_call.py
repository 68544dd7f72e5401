"""Who is on call, and who is next: overrides first, then the calendar or the rotation.

Overrides are set by people in the console and are in the database; the newest that holds wins,
whatever the hours. Calendars are the last good copy that `calendars` has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import InputError, NotFoundError
from crm_link.escalation.delivery.delivery_models import OnCallOverride
from crm_link.escalation.duty import calendars, rotations
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact
from crm_link.escalation.protocol_parts.on_call import Rotation, on_call_rotation

#: How far ahead "who is next" looks.
AHEAD = timedelta(days=60)

#: Longer overrides belong into the protocol.
LONGEST_OVERRIDE = timedelta(days=90)

#: Changes of one schedule that are looked at, at most: an hourly turn for a month.
_MOST_CHANGES = 1_000


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of time with the same people on call; nobody where `contacts` is empty."""

    begin: datetime
    end: datetime
    contacts: tuple[str, ...]
    source: str  # override, calendar or rotation


@dataclass(frozen=True, slots=True)
class _Plan:
    """One rotation with everything that decides who is on call by it."""

    rotation: Rotation
    overrides: Sequence[OnCallOverride]
    calendar: calendars.Duty | None

    def at(self, now: datetime) -> tuple[tuple[str, ...], str]:
        for override in self.overrides:  # newest first
            if override.starts_at <= now < override.ends_at:
                return (override.contact,), "override"
        source = "calendar" if self.rotation.calendar else "rotation"
        if not rotations.has_hours(self.rotation, now):
            return (), source
        if self.calendar is not None:
            return self.calendar.at(now), source
        turn = rotations.turn_at(self.rotation, now) if self.rotation.members else None
        return ((), source) if turn is None else ((turn.member,), source)

    def next_change(self, now: datetime) -> datetime | None:
        """Return the next moment at which somebody else may be on call."""
        moments = [one for each in self.overrides for one in (each.starts_at, each.ends_at)]
        moments.append(rotations.hours_change(self.rotation, now) or now)
        if self.calendar is not None:
            moments.append(self.calendar.next_change(now, now + AHEAD) or now)
        elif self.rotation.members:
            turn = rotations.turn_at(self.rotation, now)
            first = next(rotations.turns(self.rotation, now, now + AHEAD), None)
            moments += [turn.end] if turn else [first.begin] if first else []
        return min((moment for moment in moments if moment > now), default=None)


def people(
    session: Session,
    protocol: EscalationProtocol,
    brand_id: int,
    words: Iterable[str],
    now: datetime,
) -> list[tuple[ProtocolContact, str]]:
    """Return who is meant by a step's words now, each once, with the word that means them.

    `on_call(rotation)` is who is on call at this moment, which may be nobody.
    """
    found: dict[str, tuple[ProtocolContact, str]] = {}
    for word in words:
        name = on_call_rotation(word)
        if name is None:
            meant = [one for one, _ in protocol.people([word])]
        else:
            meant = who_is_on(session, protocol, brand_id, name, now)
        for contact in meant:
            found.setdefault(contact.id, (contact, word))
    return list(found.values())


def who_is_on(
    session: Session, protocol: EscalationProtocol, brand_id: int, name: str, now: datetime
) -> list[ProtocolContact]:
    """Return the contacts that are on call by a rotation; nobody is an answer too."""
    rotation = protocol.on_call.get(name)
    if rotation is None:
        return []
    ids, _ = _plan(session, protocol, brand_id, name, now, now).at(now)
    return [contact for one in ids if (contact := protocol.find_contact(one)) is not None]


def schedule(
    session: Session,
    protocol: EscalationProtocol,
    brand_id: int,
    name: str,
    *,
    since: datetime,
    until: datetime,
) -> list[Shift]:
    """Return who is on call by a rotation over a time, in order, without gaps.

    Raises:
        NotFoundError: The protocol has no such rotation.

    """
    if name not in protocol.on_call:
        known = ", ".join(protocol.on_call) or "none"
        raise NotFoundError(
            "there is no rotation '%(name)s'; known: %(known)s", name=name, known=known
        )
    plan = _plan(session, protocol, brand_id, name, since, until)
    shifts: list[Shift] = []
    begin = since
    for _ in range(_MOST_CHANGES):
        end = min(plan.next_change(begin) or until, until)
        contacts, source = plan.at(begin)
        if shifts and (shifts[-1].contacts, shifts[-1].source) == (contacts, source):
            shifts[-1] = Shift(shifts[-1].begin, end, contacts, source)
        else:
            shifts.append(Shift(begin, end, contacts, source))
        if end >= until:
            break
        begin = end
    return shifts


def who_is_next(
    session: Session, protocol: EscalationProtocol, brand_id: int, name: str, now: datetime
) -> Shift | None:
    """Return the next shift with somebody else on call; None: nobody within two months."""
    shifts = schedule(session, protocol, brand_id, name, since=now, until=now + AHEAD)
    here = shifts[0].contacts
    return next((one for one in shifts[1:] if one.contacts and one.contacts != here), None)


def list_overrides(session: Session, brand_id: int, *, now: datetime) -> list[OnCallOverride]:
    """Return the overrides that hold or will, the next one first."""
    return list(
        session.scalars(
            select(OnCallOverride)
            .where(
                OnCallOverride.brand_id == brand_id,
                OnCallOverride.ends_at > now,
                OnCallOverride.removed_at.is_(None),
            )
            .order_by(OnCallOverride.starts_at, OnCallOverride.id)
        )
    )


def add_override(
    session: Session,
    protocol: EscalationProtocol,
    *,
    brand_id: int,
    rotation: str,
    contact: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: str,
    clock: Clock,
) -> OnCallOverride:
    """Put somebody on call in another's place.

    Raises:
        InputError: The rotation, the contact or the times are wrong.

    """
    now = clock()
    if rotation not in protocol.on_call:
        known = ", ".join(protocol.on_call) or "none"
        raise InputError(
            "there is no rotation '%(rotation)s'; known: %(known)s", rotation=rotation, known=known
        )
    if protocol.find_contact(contact) is None:
        known = ", ".join(one.id for one in protocol.contacts)
        raise InputError(
            "there is no contact '%(contact)s'; known: %(known)s", contact=contact, known=known
        )
    if not starts_at < ends_at or ends_at <= now or ends_at - starts_at > LONGEST_OVERRIDE:
        raise InputError(
            "an override ends after it begins, in the future, and lasts 90 days at most"
        )
    override = OnCallOverride(
        brand_id=brand_id,
        rotation=rotation,
        contact=contact,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip()[:500],
        created_by=by,
        created_at=now,
        removed_at=None,
        removed_by=None,
    )
    session.add(override)
    session.flush()
    return override


def remove_override(session: Session, override_id: int, *, by: str, clock: Clock) -> OnCallOverride:
    """Take an override back; who it replaced is on call again.

    Raises:
        NotFoundError: There is none with this id, or it was removed.

    """
    override = session.get(OnCallOverride, override_id)
    if override is None or override.removed_at is not None:
        raise NotFoundError("there is no override %(override_id)s", override_id=override_id)
    override.removed_at, override.removed_by = clock(), by
    session.flush()
    return override


def _plan(
    session: Session,
    protocol: EscalationProtocol,
    brand_id: int,
    name: str,
    since: datetime,
    until: datetime,
) -> _Plan:
    rotation = protocol.on_call[name]
    overrides = session.scalars(
        select(OnCallOverride)
        .where(
            OnCallOverride.brand_id == brand_id,
            OnCallOverride.rotation == name,
            OnCallOverride.ends_at > since,
            OnCallOverride.starts_at <= until,
            OnCallOverride.removed_at.is_(None),
        )
        .order_by(OnCallOverride.id.desc())
    ).all()
    known = [one for one in overrides if protocol.find_contact(one.contact) is not None]
    duty = calendars.find_duty(session, protocol, rotation) if rotation.calendar else None
    return _Plan(rotation, known, duty)
