"""Step 6 of a mention's way: messages leave the outbox, at least once.

A row is claimed for a lease, sent outside any transaction, and marked. A crash in between
leaves it claimed; when the lease is over it is sent again with the same idempotency key.
A failure that may pass is tried again, later each time. A channel that refuses, or fails too
often, is given up for the contact's next one; when nobody of a step can be reached, the next
step is taken at once. The last way to a person is not given up for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.errors import InputError, PermanentError, TransientError
from config.logs import get_logger, place_of
from crm_link.escalation.channel import Message, make_channel
from crm_link.escalation.failing import record_failure
from crm_link.escalation.messages import compose
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.outbox import UNSENT
from crm_link.escalation.protocol_lint import resolve_address
from crm_link.escalation.telling import load_telling
from crm_link.models import DeliveryStatus

log = get_logger(__name__)

#: How long a claimed row is left alone; longer than any channel may take to send one.
LEASE = timedelta(seconds=60)

#: Contacts that are told at the same time.
THREADS = 16


@dataclass(frozen=True, slots=True)
class _Claim:
    """A row that is ours until its lease is over, with what is needed to send it."""

    id: int
    incident_id: int
    lease_until: datetime
    message: Message | None
    plugin: str
    to: str


def deliver_notifications(
    sessions: sessionmaker[Session], *, clock: Clock, limit: int = 100, public_url: str = ""
) -> int:
    """Send what is due; return how many messages were accepted by their channels.

    Contacts are served side by side, so that a slow channel of one does not hold the others.
    Several workers may run this: no row is sent by two, unless one of them stopped in
    between.

    Args:
        sessions: Factory of sessions.
        clock: The present.
        limit: How many messages this call tries to send.
        public_url: The console's address, for links.

    """
    with read_session(sessions) as session:
        due = session.execute(
            select(Notification.contact, Notification.id)
            .where(Notification.status.in_(UNSENT), Notification.next_attempt_at <= clock())
            .join(Incident, Incident.id == Notification.incident_id)
            .order_by(Incident.severity, Notification.next_attempt_at, Notification.id)
            .limit(limit)
        )
        lanes: dict[str, list[int]] = {}
        for contact, notification_id in due:
            lanes.setdefault(contact, []).append(notification_id)
    if not lanes:
        return 0

    def serve(ids: Sequence[int]) -> int:
        sent = 0
        for notification_id in ids:
            try:
                claim = _claim(sessions, notification_id, clock(), public_url)
                sent += claim is not None and _send(sessions, claim, clock)
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 - one broken alert must not hold up the others
                log.error(
                    "alert broke",
                    notification_id=notification_id,
                    kind=type(error).__name__,
                    at=place_of(error),
                )
        return sent

    with ThreadPoolExecutor(min(THREADS, len(lanes)), thread_name_prefix="alert") as pool:
        return sum(pool.map(serve, lanes.values()))


def _claim(
    sessions: sessionmaker[Session], notification_id: int, now: datetime, public_url: str
) -> _Claim | None:
    with sessions.begin() as session:
        row = session.scalar(
            select(Notification)
            .where(
                Notification.id == notification_id,
                Notification.status.in_(UNSENT),
                Notification.next_attempt_at <= now,
            )
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None  # somebody else has it, or it was taken back
        row.status = DeliveryStatus.SENDING
        row.attempts += 1
        # The index of due rows is on this column: a lease that is over is due.
        row.lease_until = row.next_attempt_at = now + LEASE
        telling = load_telling(session, row, public_url)
        address = None if telling is None else telling.contact.channels[row.channel_index]
        return _Claim(
            id=row.id,
            incident_id=row.incident_id,
            lease_until=row.lease_until,
            message=None if telling is None else compose(telling),
            plugin="" if address is None else address.plugin,
            to="" if address is None else address.to,
        )


def _send(sessions: sessionmaker[Session], claim: _Claim, clock: Clock) -> bool:
    try:
        if claim.message is None:
            msg = "the contact or channel is not in the incident's protocol"
            raise PermanentError(msg)  # noqa: TRY301 - one place says what a refusal means
        make_channel(claim.plugin).send(claim.message, resolve_address(claim.to))
    except TransientError as error:
        _failed(sessions, claim, str(error), clock(), retry_after_s=error.retry_after_s)
        return False
    except (PermanentError, InputError) as error:
        _failed(sessions, claim, str(error), clock(), is_final=True)
        return False
    except Exception as error:  # noqa: BLE001 - a plugin's bug must not cost the alert
        # Its text may hold the address, so only its kind is kept.
        log.error("channel broke", notification_id=claim.id, kind=type(error).__name__)
        message = f"the channel broke with {type(error).__name__}"
        _failed(sessions, claim, message, clock())
        return False
    with sessions.begin() as session:
        marked = session.scalar(
            update(Notification)
            .where(*_ours(claim))
            .values(status=DeliveryStatus.SENT, sent_at=clock(), lease_until=None, last_error=None)
            .returning(Notification.id)
        )
        if marked is None:
            # Taken back or claimed by another in the meantime; that it left stays on record.
            session.execute(
                update(Notification).where(Notification.id == claim.id).values(sent_at=clock())
            )
    log.info("alert sent", notification_id=claim.id, channel=claim.plugin)
    return True


def _failed(
    sessions: sessionmaker[Session],
    claim: _Claim,
    error: str,
    now: datetime,
    *,
    is_final: bool = False,
    retry_after_s: float | None = None,
) -> None:
    record_failure(
        sessions,
        incident_id=claim.incident_id,
        ours=_ours(claim),
        error=error,
        is_final=is_final,
        retry_after_s=retry_after_s,
        now=now,
    )


def _ours(claim: _Claim) -> tuple[ColumnElement[bool], ...]:
    """Return the condition under which a claimed row is still ours."""
    return (
        Notification.id == claim.id,
        Notification.status == DeliveryStatus.SENDING,
        Notification.lease_until == claim.lease_until,
    )
