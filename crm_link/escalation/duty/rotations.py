"""The arithmetic of turns: who of a rotation is on call at an instant. Pure.

Turns change at wall-clock times of the rotation's zone. The instant of each hand-over is
computed by itself, so that a change of clocks makes one turn an hour shorter or longer and
moves none of the later ones. A hand-over in an hour that comes twice is in its first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crm_link.escalation.duty.hours import holds, next_change
from crm_link.escalation.protocol_parts.on_call import Rotation


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of time in which one member is on call, without regard to hours."""

    member: str
    begin: datetime
    end: datetime


def turn_at(rotation: Rotation, now: datetime) -> Turn | None:
    """Return the turn that holds now; None before the rotation's start."""
    number = _number_at(rotation, now)
    return None if number < 0 else _turn(rotation, number)


def turns(rotation: Rotation, since: datetime, until: datetime) -> Iterator[Turn]:
    """Yield the turns that touch a time, in order."""
    number = max(_number_at(rotation, since), 0)
    while True:
        turn = _turn(rotation, number)
        if turn.begin >= until:
            return
        yield turn
        number += 1


def has_hours(rotation: Rotation, now: datetime) -> bool:
    """Say whether somebody is on call at this hour at all."""
    return rotation.hours is None or holds(rotation.hours, rotation.tz, now)


def hours_change(rotation: Rotation, now: datetime) -> datetime | None:
    """Return when the rotation's hours begin or end next; None: they never do."""
    return None if rotation.hours is None else next_change(rotation.hours, rotation.tz, now)


def _turn(rotation: Rotation, number: int) -> Turn:
    member = rotation.members[number % len(rotation.members)]
    return Turn(member, _handover(rotation, number), _handover(rotation, number + 1))


def _handover(rotation: Rotation, number: int) -> datetime:
    wall = datetime.combine(rotation.start, rotation.handover_time) + number * rotation.every
    return wall.replace(tzinfo=ZoneInfo(rotation.tz)).astimezone(UTC)


def _number_at(rotation: Rotation, now: datetime) -> int:
    wall = now.astimezone(ZoneInfo(rotation.tz)).replace(tzinfo=None)
    number = (wall - datetime.combine(rotation.start, rotation.handover_time)) // rotation.every
    # In an hour that comes twice the wall clock is ambiguous; the instants are not.
    while _handover(rotation, number + 1) <= now:
        number += 1
    while _handover(rotation, number) > now:
        number -= 1
    return number
