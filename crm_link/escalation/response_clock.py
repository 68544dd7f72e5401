"""When a first answer is due: pure, on the protocol's response times and business hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_link.escalation.duty.hours import next_begin, next_change
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.types import Priority

#: The order of what is due in the same minute: DataEQ's RPCS, then the rest.
QUEUE_ORDER = (
    Priority.RISK,
    Priority.PURCHASE,
    Priority.CANCEL,
    Priority.SERVICE,
    Priority.OTHER,
)

#: Stretches of business hours that a response time may reach over.
_MOST_STRETCHES = 400


def due_at(protocol: EscalationProtocol, priority: Priority, begin: datetime) -> datetime:
    """Return when a mention that came into the queue at `begin` is to be answered.

    In whole minutes, so that among what is due together the priority decides.
    """
    times = protocol.response_times
    limit = times.limit_of(priority.value)
    hours = protocol.business_hours
    if times.hours == "business" and hours is not None:
        return _whole_minute(_after_working(protocol, begin, limit))
    return _whole_minute(begin + limit)


def queue_rank(priority: Priority, *, is_negative: bool) -> int:
    """Return the place among those due in the same minute: 0 comes first."""
    return 2 * QUEUE_ORDER.index(priority) + (0 if is_negative else 1)


def _after_working(protocol: EscalationProtocol, begin: datetime, limit: timedelta) -> datetime:
    """Return the moment at which `limit` of business hours has passed since `begin`."""
    hours = protocol.business_hours
    if hours is None:
        return begin + limit
    at, left = begin, limit
    for _ in range(_MOST_STRETCHES):
        start = next_begin(hours, "UTC", at)
        if start is None:
            break
        stop = next_change(hours, "UTC", start)
        if stop is None or stop - start >= left:
            return start + left
        at, left = stop, left - (stop - start)
    # Hours that hold on no day stop no clock.
    return begin + limit


def _whole_minute(moment: datetime) -> datetime:
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(minutes=1)
