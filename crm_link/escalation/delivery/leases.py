"""Claiming rows of the outbox for a lease: nobody else sends them meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.logs import get_logger, place_of
from crm_link.escalation.channel import Message
from crm_link.escalation.delivery.acks import Links
from crm_link.escalation.delivery.messages import bundle, compose
from crm_link.escalation.delivery.outbox import UNSENT
from crm_link.escalation.delivery.presence import Presence
from crm_link.escalation.delivery.telling import FindWishes, load_telling, no_wishes
from crm_link.escalation.models import Notification
from crm_link.models import DeliveryStatus

log = get_logger(__name__)

#: How long a claimed row is left alone; longer than any channel may take to send one.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows that are ours until their lease is over, and the one message that they make.

    Args:
        rows: Row and incident of each.
        message: None: the contact or channel is not in the incident's protocol.

    """

    rows: tuple[tuple[int, int], ...]
    lease_until: datetime
    message: Message | None
    plugin: str
    to: str

    def ours(self, row_id: int) -> tuple[ColumnElement[bool], ...]:
        """Return the condition under which a row is still ours."""
        return (
            Notification.id == row_id,
            Notification.status == DeliveryStatus.SENDING,
            Notification.lease_until == self.lease_until,
        )


def claim(
    sessions: sessionmaker[Session],
    row_ids: Sequence[int],
    *,
    now: datetime,
    links: Links,
    worker: str | None,
    wishes_of: FindWishes = no_wishes,
) -> Claim | None:
    """Claim rows of one contact and channel; None: others have them, or they were taken back."""
    rows: list[tuple[int, int]] = []
    messages: list[Message] = []
    plugin = to = ""
    with sessions.begin() as session:
        for row_id in row_ids:
            row = _lock(session, row_id, now)
            if row is None:
                continue
            try:
                telling = load_telling(session, row, links, wishes_of, now=now)
                message = None if telling is None else compose(telling)
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 - one broken alert must not hold up the others
                kind = type(error).__name__
                log.error("alert broke", notification_id=row_id, kind=kind, at=place_of(error))
                continue
            if (message is None or telling is None) and rows:
                continue  # it is refused by itself, not with those that can be sent
            row.status = DeliveryStatus.SENDING
            row.attempts += 1
            row.claimed_by = worker
            # The index of due rows is on this column: a lease that is over is due.
            row.lease_until = row.next_attempt_at = now + LEASE
            rows.append((row.id, row.incident_id))
            if message is None or telling is None:
                break
            address = telling.contact.channels[row.channel_index]
            plugin, to = address.plugin, address.to
            messages.append(message)
    if not rows:
        return None
    return Claim(tuple(rows), now + LEASE, _one(messages), plugin, to)


def mark_sent(session: Session, done: Claim, now: datetime) -> None:
    """Record that a claim's message left."""
    for row_id, _ in done.rows:
        marked = session.scalar(
            update(Notification)
            .where(*done.ours(row_id))
            .values(status=DeliveryStatus.SENT, sent_at=now, lease_until=None, last_error=None)
            .returning(Notification.id)
        )
        if marked is None:
            # Taken back or claimed by another in the meantime; that it left stays on record.
            session.execute(
                update(Notification).where(Notification.id == row_id).values(sent_at=now)
            )


def free_claims_of_the_dead(
    sessions: sessionmaker[Session], presence: Presence, now: datetime
) -> int:
    """Make due at once what workers had claimed that do not live any more; return how many."""
    alive = presence.alive()
    if alive is None:
        return 0
    orphaned = (
        Notification.status == DeliveryStatus.SENDING,
        Notification.claimed_by.is_not(None),
        Notification.claimed_by.not_in(alive),
        Notification.next_attempt_at > now,
    )
    with read_session(sessions) as session:
        ids = session.scalars(select(Notification.id).where(*orphaned)).all()
    if not ids:
        return 0
    with sessions.begin() as session:
        freed = session.scalars(
            update(Notification)
            .where(Notification.id.in_(ids), *orphaned)
            .values(next_attempt_at=now)
            .returning(Notification.id)
        ).all()
    log.warning("claims of dead workers freed", count=len(freed))
    return len(freed)


def _lock(session: Session, row_id: int, now: datetime) -> Notification | None:
    return session.scalar(
        select(Notification)
        .where(
            Notification.id == row_id,
            Notification.status.in_(UNSENT),
            Notification.next_attempt_at <= now,
        )
        .with_for_update(skip_locked=True)
    )


def _one(messages: Sequence[Message]) -> Message | None:
    """Return the message itself, or several as one with a key of all of them."""
    if len(messages) < 2:  # noqa: PLR2004 - one is no bundle
        return messages[0] if messages else None
    keys = "\n".join(sorted(message.idempotency_key for message in messages))
    return bundle(messages, key=f"bundle:{hashlib.sha256(keys.encode()).hexdigest()[:32]}")
