"""When hours of a week hold, and when a person may be told: pure, on instants.

A day's hours are turned into instants in the zone, so that a night with a change of clocks is
an hour shorter or longer. A wall-clock time that the clocks skip is the same moment after the
jump; one that comes twice is its first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.chain import OUTSIDE_BUSINESS, ChainStep
from crm_link.escalation.protocol_parts.contacts import ProtocolContact
from crm_link.escalation.protocol_parts.hours import Hours
from crm_link.escalation.rules import end_of_quiet

#: Hours that hold on no day within so many are never waited for.
FARTHEST = timedelta(days=400)

#: Quiet hours and working hours push each other on at most so often.
_MOST_PUSHES = 20


def instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time, in UTC."""
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def holds(hours: Hours, zone: str, now: datetime) -> bool:
    """Say whether the hours hold now; `zone` serves where they name none."""
    return any(begin <= now < end for begin, end in _around(hours, zone, now))


def next_begin(hours: Hours, zone: str, now: datetime) -> datetime | None:
    """Return `now` while the hours hold, else when they do next; None: in no time."""
    if holds(hours, zone, now):
        return now
    last = now + FARTHEST
    for begin, _ in _spans(hours, zone, now):
        if begin > now:
            return begin if begin <= last else None
    return None


def next_change(hours: Hours, zone: str, now: datetime) -> datetime | None:
    """Return when the hours begin or stop to hold next; None: in no time."""
    state = holds(hours, zone, now)
    for begin, end in _spans(hours, zone, now):
        for moment in (begin, end):
            if moment > now and holds(hours, zone, moment) is not state:
                return moment
    return None


def may_be_told_at(contact: ProtocolContact, now: datetime) -> datetime:
    """Return `now`, or when the contact's quiet hours are over and working hours have begun."""
    moment = now
    for _ in range(_MOST_PUSHES):
        later = end_of_quiet(contact.quiet_times(), contact.tz, moment)
        if contact.hours is not None:
            # Somebody who never works is told now: an alert is not for never.
            later = next_begin(contact.hours, contact.tz, later) or now
        if later == moment:
            break
        moment = later
    return moment


def step_begin(protocol: EscalationProtocol, step: ChainStep, now: datetime) -> datetime | None:
    """Return `now` where a step's hours hold, else when they begin; None: never."""
    if step.hours is None:
        return now
    if not isinstance(step.hours, str):
        return next_begin(step.hours, "UTC", now)
    if protocol.business_hours is None:
        return now
    if step.hours == OUTSIDE_BUSINESS:
        is_business = holds(protocol.business_hours, "UTC", now)
        return next_change(protocol.business_hours, "UTC", now) if is_business else now
    return next_begin(protocol.business_hours, "UTC", now)


def _around(hours: Hours, zone: str, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts that begin today or yesterday, on the zone's clock."""
    place = ZoneInfo(hours.tz or zone)
    today = now.astimezone(place).date()
    for day in (today - timedelta(days=1), today):
        yield from _of_day(hours, place, day)


def _spans(hours: Hours, zone: str, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts from yesterday on, in order, until far ahead."""
    place = ZoneInfo(hours.tz or zone)
    first = now.astimezone(place).date() - timedelta(days=1)
    for number in count():
        if timedelta(days=number) > FARTHEST:
            return
        yield from sorted(_of_day(hours, place, first + timedelta(days=number)))


def _of_day(hours: Hours, place: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime]]:
    if hours.is_holiday(day):
        return
    for days, begin, end in hours.spans():
        if day.weekday() in days:
            last = day if end > begin else day + timedelta(days=1)
            yield instant(day, begin, place), instant(last, end, place)
