"""Step 6, to the CRMs: delivering queued enrichment.

Rows are claimed by a lease, the CRM is called outside any transaction, and the results are
recorded row by row; `crm_link.outbox.journal` looks first at what stands in the records. A worker
that dies leaves rows whose lease runs out; they are sent again, which changes nothing, because a
write says what the record should be.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import update_rows
from config.clock import Clock, utc_now
from config.errors import BudgetExhaustedError, InputError, PermanentError, TransientError
from config.logs import get_logger
from crm_link.calls.budgets import LimitError
from crm_link.calls.crm_health import CrmWork, noted
from crm_link.crm import Crm
from crm_link.models import DeliveryStatus, WriteBack
from crm_link.outbox.journal import write_with_journal
from crm_link.types import ContactUpdate, WriteResult

#: How long a worker may take for one batch before another one takes it over, in seconds, and
#: from when on it begins no write any more. Two that write the same record at once would leave
#: the older one's fields, and those look like a person's.
LEASE_S = 300.0
LAST_WRITE_S = LEASE_S / 2

#: The first retry's mean wait in seconds; each later one waits twice as long.
RETRY_BASE_S = 10.0

#: The longest wait between two tries, in seconds.
RETRY_MAX_S = 3600.0

#: After so many failures a row is dead, and people see it: about 2 hours of trying.
MAX_ATTEMPTS = 10

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    version: int
    attempts: int
    lease_until: datetime
    update: ContactUpdate


def deliver_write_backs(
    sessions: sessionmaker[Session],
    crm: Crm,
    *,
    name: str = "csv_file",
    limit: int | None = None,
    clock: Clock = utc_now,
) -> int:
    """Write due enrichment to the CRM called `name`; return how many records were written.

    At most one batch of the CRM's size, or `limit`. A failure is recorded and retried
    later, and after `MAX_ATTEMPTS` the row is dead; nothing is raised for it.
    """
    size = min(limit or crm.batch_size, crm.batch_size)
    began = clock()
    with sessions.begin() as session:
        claimed = _claim(session, name, size, began)
    if not claimed:
        return 0
    updates = [item.update for item in claimed]
    try:
        with noted(sessions, name, CrmWork.WRITES, clock=clock):
            results = write_with_journal(
                sessions,
                crm,
                name,
                updates,
                clock=clock,
                write_until=began + timedelta(seconds=LAST_WRITE_S),
            )
    except (TransientError, BudgetExhaustedError) as error:
        wait_s = getattr(error, "retry_after_s", None) or getattr(error, "resume_after_s", None)
        results = _all_failed(
            updates,
            error.said,
            is_transient=True,
            retry_after_s=wait_s,
            is_limit=isinstance(error, (LimitError, BudgetExhaustedError)),
        )
    except (PermanentError, InputError) as error:
        # The whole CRM refuses (credentials, a wrong file), not these records: a person
        # mends it, and then they go out. So they wait, and die only after many tries.
        results = _all_failed(updates, error.said, is_transient=True, retry_after_s=None)
    with sessions.begin() as session:
        _record(session, claimed, results, clock())
    failed = sum(1 for result in results if result.error is not None)
    if failed:
        _log.warning("write_back_failed", crm=name, failed=failed, of=len(results))
    return len(results) - failed


def revive(session: Session, write_back_ids: Sequence[int], *, now: datetime) -> int:
    """Let dead rows be tried again; return how many there were."""
    rows = session.scalars(
        select(WriteBack.id)
        .where(WriteBack.id.in_(write_back_ids), WriteBack.status == DeliveryStatus.DEAD)
        .order_by(WriteBack.id)
        .with_for_update()
    ).all()
    update_rows(
        session,
        WriteBack,
        [
            {"id": row, "status": DeliveryStatus.PENDING, "attempts": 0, "next_attempt_at": now}
            for row in rows
        ],
    )
    return len(rows)


def _claim(session: Session, crm: str, limit: int, now: datetime) -> list[_Claimed]:
    """Take due rows: on PostgreSQL past those that another worker holds at this moment."""
    rows = session.execute(
        select(
            WriteBack.id,
            WriteBack.external_id,
            WriteBack.fields,
            WriteBack.version,
            WriteBack.attempts,
        )
        .where(
            WriteBack.status.in_([DeliveryStatus.PENDING, DeliveryStatus.SENDING]),
            WriteBack.next_attempt_at <= now,
            WriteBack.crm == crm,
        )
        .order_by(WriteBack.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    until = now + timedelta(seconds=LEASE_S)
    update_rows(
        session,
        WriteBack,
        [
            {
                "id": row.id,
                "status": DeliveryStatus.SENDING,
                "lease_until": until,
                "next_attempt_at": until,
            }
            for row in rows
        ],
    )
    return [
        _Claimed(
            row.id,
            row.version,
            row.attempts,
            until,
            ContactUpdate(row.external_id, row.fields, f"write_back:{row.id}:{row.version}"),
        )
        for row in rows
    ]


def _record(
    session: Session,
    claimed: Sequence[_Claimed],
    results: Sequence[WriteResult],
    now: datetime,
) -> None:
    """Write what became of each row; one whose lease another worker took over is left to it."""
    if len(results) != len(claimed):
        results = _all_failed(
            [item.update for item in claimed],
            f"the CRM gave {len(results)} results for {len(claimed)} records",
            is_transient=True,
            retry_after_s=None,
        )
    leases = {item.id: item.lease_until for item in claimed}
    versions = {
        row.id: row.version
        for row in session.execute(
            select(WriteBack.id, WriteBack.version, WriteBack.lease_until)
            .where(
                WriteBack.id.in_([item.id for item in claimed]),
                WriteBack.status == DeliveryStatus.SENDING,
            )
            .order_by(WriteBack.id)
            .with_for_update()
        )
        if row.lease_until == leases[row.id]
    }
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for item, result in zip(claimed, results, strict=True):
        if item.id not in versions:
            continue
        if result.error is None:
            is_latest = versions[item.id] == item.version
            done.append(
                {
                    "id": item.id,
                    "sent_version": item.version,
                    "status": DeliveryStatus.SENT if is_latest else DeliveryStatus.PENDING,
                    "attempts": 0,
                    "next_attempt_at": now,
                    "lease_until": None,
                    "last_error": None,
                    "sent_at": now,
                }
            )
        else:
            failed.append(_failed_row(item, result, now))
    update_rows(session, WriteBack, done)
    update_rows(session, WriteBack, failed)


def _failed_row(item: _Claimed, result: WriteResult, now: datetime) -> dict[str, Any]:
    attempts = item.attempts + (not result.is_limit)
    wait_s = retry_wait_s(max(attempts, 1), result.retry_after_s)
    is_dead = not result.is_transient or attempts >= MAX_ATTEMPTS
    return {
        "id": item.id,
        "status": DeliveryStatus.DEAD if is_dead else DeliveryStatus.PENDING,
        "attempts": attempts,
        # A dead row keeps when it died.
        "next_attempt_at": now if is_dead else now + timedelta(seconds=wait_s),
        "lease_until": None,
        "last_error": (result.error or "")[:1000],
    }


def retry_wait_s(attempts: int, retry_after_s: float | None = None) -> float:
    """Return how long to wait after so many failures, in seconds, half of it by chance.

    Never shorter than the CRM asked for.
    """
    ceiling = min(RETRY_MAX_S, RETRY_BASE_S * 2.0 ** (attempts - 1))
    jittered = ceiling * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
    return max(jittered, retry_after_s or 0.0)


def _all_failed(
    updates: Sequence[ContactUpdate],
    error: str,
    *,
    is_transient: bool,
    retry_after_s: float | None,
    is_limit: bool = False,
) -> list[WriteResult]:
    return [
        WriteResult(
            update.external_id,
            error=error,
            is_transient=is_transient,
            retry_after_s=retry_after_s,
            is_limit=is_limit,
        )
        for update in updates
    ]
