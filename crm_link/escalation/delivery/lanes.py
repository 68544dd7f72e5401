"""What leaves now, to whom, in which order: the worst first, within each person's limit.

Over channels that people read, a person gets at most so many messages in a time, as the
protocol says; what is over that waits with a stored time, and what waits together leaves as
one message. SEV-1 has twice the limit. Nothing is ever dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.errors import InputError
from crm_link.escalation.channel import make_channel
from crm_link.escalation.delivery.outbox import UNSENT
from crm_link.escalation.detection.pinned import read_pinned
from crm_link.escalation.models import DRILL, Incident, Notification
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.delivery import Limits
from crm_link.models import DeliveryStatus

#: Messages that one bundle holds at most; longer ones are not read.
MOST_IN_BUNDLE = 20

#: The severity that has twice the limit.
FIRST = "SEV-1"


@dataclass(frozen=True, slots=True)
class _Due:
    """A row of the outbox that is due."""

    id: int
    contact: str
    channel: str
    severity: str
    incident_version: int
    channel_index: int
    is_drill: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What leaves now: for each contact sendings in order, each of one or more rows."""

    lanes: tuple[tuple[tuple[int, ...], ...], ...]
    #: Rows that wait for their contact's limit -> until when.
    delayed: dict[int, datetime]


def plan(session: Session, now: datetime, limit: int) -> Plan:
    """Return what of the outbox leaves now; reads only."""
    due = [
        _Due(*row)
        for row in session.execute(
            select(
                Notification.id,
                Notification.contact,
                Notification.channel,
                Incident.severity,
                Incident.protocol_version_id,
                Notification.channel_index,
                Incident.kind == DRILL,
            )
            .where(Notification.status.in_(UNSENT), Notification.next_attempt_at <= now)
            .join(Incident, Incident.id == Notification.incident_id)
            # A drill holds up no alert.
            .order_by(
                Incident.kind == DRILL,
                Incident.severity,
                Notification.next_attempt_at,
                Notification.id,
            )
            .limit(limit)
        )
    ]
    pinned = read_pinned(session, {row.incident_version for row in due})
    by_contact: dict[str, dict[tuple[str, str, bool], list[_Due]]] = {}
    for row in due:
        address = _address(pinned.get(row.incident_version), row)
        groups = by_contact.setdefault(row.contact, {})
        groups.setdefault((*address, row.is_drill), []).append(row)
    delayed: dict[int, datetime] = {}
    lanes = []
    for groups in by_contact.values():
        sendings: list[tuple[int, ...]] = []
        for (plugin, _, _), rows in groups.items():
            if _is_for_people(plugin):
                limits = (pinned[rows[0].incident_version]).limits
                sendings += _within_limit(session, rows, limits, now, delayed)
            else:
                sendings += [(row.id,) for row in rows]
        lanes.append(tuple(sendings))
    return Plan(tuple(lane for lane in lanes if lane), delayed)


def delay(session: Session, delayed: dict[int, datetime]) -> None:
    """Store until when rows wait for their contact's limit."""
    for row_id, until in sorted(delayed.items()):
        session.execute(
            update(Notification)
            .where(Notification.id == row_id, Notification.status == DeliveryStatus.PENDING)
            .values(next_attempt_at=until)
        )


def _within_limit(
    session: Session,
    rows: Sequence[_Due],
    limits: Limits,
    now: datetime,
    delayed: dict[int, datetime],
) -> list[tuple[int, ...]]:
    sent = _sent_lately(session, rows[0], limits, now)
    found: list[tuple[int, ...]] = []
    for is_first, allowed in ((True, 2 * limits.messages), (False, limits.messages)):
        some = [row.id for row in rows if (row.severity == FIRST) is is_first]
        if not some:
            continue
        free = allowed - len(sent) - len(found)
        if free <= 0:
            until = sent[0] + limits.per if sent else now + limits.per
            delayed.update(dict.fromkeys(some, max(until, now)))
        elif len(some) >= limits.bundle_from or len(some) > free:
            found += list(_chunks(some))[:free]
        else:
            found += [(row_id,) for row_id in some]
    return found


def _sent_lately(session: Session, row: _Due, limits: Limits, now: datetime) -> list[datetime]:
    """Return when the contact's last messages over this channel left; a bundle is one.

    Messages of drills and of alerts are counted apart: neither uses up the other's limit.
    """
    times = session.scalars(
        select(Notification.sent_at)
        .distinct()
        .join(Incident, Incident.id == Notification.incident_id)
        .where(
            (Incident.kind == DRILL) if row.is_drill else (Incident.kind != DRILL),
            Notification.contact == row.contact,
            Notification.channel == row.channel,
            Notification.sent_at > now - limits.per,
        )
        .order_by(Notification.sent_at)
    )
    return [moment for moment in times if moment is not None]


def _chunks(ids: Sequence[int]) -> Iterable[tuple[int, ...]]:
    for start in range(0, len(ids), MOST_IN_BUNDLE):
        yield tuple(ids[start : start + MOST_IN_BUNDLE])


def _address(protocol: EscalationProtocol | None, row: _Due) -> tuple[str, str]:
    """Return the plugin and the address; contacts of two brands with one id may be two people."""
    contact = None if protocol is None else protocol.find_contact(row.contact)
    if contact is None or row.channel_index >= len(contact.channels):
        return "", str(row.id)
    address = contact.channels[row.channel_index]
    return address.plugin, address.to


def _is_for_people(plugin: str) -> bool:
    try:
        return bool(plugin) and make_channel(plugin).is_for_people
    except InputError:
        return False  # it is refused where it is sent
