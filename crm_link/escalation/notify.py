"""Step 6 of a mention's way: messages leave the outbox, at least once.

A row is claimed for a lease, sent outside any transaction, and marked. A crash in between
leaves it claimed; when its worker is known to be dead, or the lease is over, it is sent again
with the same idempotency key. A failure that may pass is tried again, later each time. A
channel that refuses, or fails too often, is given up for the contact's next one; when nobody
of a step can be reached, the next step is taken at once. The last way to a person is not given
up for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.errors import InputError, PermanentError, TransientError
from config.logs import get_logger, place_of
from config.phrases import phrase
from crm_link.escalation.channel import make_channel
from crm_link.escalation.delivery.acks import Links
from crm_link.escalation.delivery.failing import record_failure
from crm_link.escalation.delivery.lanes import delay, plan
from crm_link.escalation.delivery.leases import (
    LEASE,
    Claim,
    claim,
    free_claims_of_the_dead,
    mark_sent,
)
from crm_link.escalation.delivery.presence import Presence
from crm_link.escalation.delivery.telling import FindWishes, no_wishes
from crm_link.escalation.protocol_parts.lint import resolve_address

__all__ = ["LEASE", "deliver_notifications"]

log = get_logger(__name__)

#: Contacts that are told at the same time.
THREADS = 16


def deliver_notifications(
    sessions: sessionmaker[Session],
    *,
    clock: Clock,
    limit: int = 300,
    public_url: str = "",
    key: str = "",
    presence: Presence | None = None,
    wishes_of: FindWishes = no_wishes,
) -> int:
    """Send what is due; return how many messages were accepted by their channels.

    Contacts are served side by side, so that a slow channel of one does not hold the others.
    Several workers may run this: no row is sent by two, unless one of them stopped in
    between. A bundle counts as the messages that it holds.

    Args:
        sessions: Factory of sessions.
        clock: The present.
        limit: How many messages this call tries to send.
        public_url: The console's address, for links.
        key: The secret that signs links by which people acknowledge; empty: none do.
        presence: This worker's sign of life; None: its claims last as long as their lease.
        wishes_of: Says in which language and zone a contact reads the console.

    """
    if presence is not None:
        free_claims_of_the_dead(sessions, presence, clock())
    with read_session(sessions) as session:
        now = plan(session, clock(), limit)
    if now.delayed:
        with sessions.begin() as session:
            delay(session, now.delayed)
    if not now.lanes:
        return 0
    links = Links(public_url, key)
    worker = None if presence is None else presence.worker

    def serve(lane: Sequence[Sequence[int]]) -> int:
        sent = 0
        for row_ids in lane:
            try:
                claimed = claim(
                    sessions,
                    row_ids,
                    now=clock(),
                    links=links,
                    worker=worker,
                    wishes_of=wishes_of,
                )
                if claimed is not None and _send(sessions, claimed, clock):
                    sent += len(claimed.rows)
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 - one broken alert must not hold up the others
                log.error(
                    "alert broke",
                    notification_ids=list(row_ids),
                    kind=type(error).__name__,
                    at=place_of(error),
                )
        return sent

    with ThreadPoolExecutor(min(THREADS, len(now.lanes)), thread_name_prefix="alert") as pool:
        return sum(pool.map(serve, now.lanes))


def _send(sessions: sessionmaker[Session], claimed: Claim, clock: Clock) -> bool:
    ids = [row_id for row_id, _ in claimed.rows]
    try:
        if claimed.message is None:
            msg = phrase("the contact or channel is not in the incident's protocol")
            raise PermanentError(msg)  # noqa: TRY301 - one place says what a refusal means
        make_channel(claimed.plugin).send(claimed.message, resolve_address(claimed.to))
    except TransientError as error:
        _failed(sessions, claimed, error.said, clock(), retry_after_s=error.retry_after_s)
        return False
    except (PermanentError, InputError) as error:
        _failed(sessions, claimed, error.said, clock(), is_final=True)
        return False
    except Exception as error:  # noqa: BLE001 - a plugin's bug must not cost the alert
        # Its text may hold the address, so only its kind is kept.
        log.error("channel broke", notification_ids=ids, kind=type(error).__name__)
        message = phrase("the channel broke with %(kind)s", kind=type(error).__name__)
        _failed(sessions, claimed, message, clock())
        return False
    with sessions.begin() as session:
        mark_sent(session, claimed, clock())
    log.info("alert sent", notification_ids=ids, channel=claimed.plugin)
    return True


def _failed(
    sessions: sessionmaker[Session],
    claimed: Claim,
    error: str,
    now: datetime,
    *,
    is_final: bool = False,
    retry_after_s: float | None = None,
) -> None:
    for row_id, incident_id in claimed.rows:
        record_failure(
            sessions,
            incident_id=incident_id,
            ours=claimed.ours(row_id),
            error=error,
            is_final=is_final,
            retry_after_s=retry_after_s,
            now=now,
        )
