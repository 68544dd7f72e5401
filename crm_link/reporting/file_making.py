"""Making the files that people asked for: claimed for a lease, made, stored.

Any number of processes may do it. A claim that its owner does not renew, because it was killed,
is over with its lease, and another one makes the file.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, exists, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.errors import AppError, TransientError
from config.logs import get_logger
from config.phrases import phrase
from crm_link.reporting.files import KEPT_FOR, UNDONE, delete_old
from crm_link.reporting.models import FileState, ReportFile

log = get_logger(__name__)

#: How long a claim holds that is not renewed, and how often its owner renews it.
LEASE = timedelta(minutes=2)
RENEWED_EVERY = timedelta(seconds=20)

#: How often a file is begun, and how long after a failure it is begun again.
MOST_ATTEMPTS = 3
AGAIN_AFTER = timedelta(seconds=5)


class LeftOffError(TransientError):
    """Making a file was left off: this process stops, or the file is not its own any more."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file: how it is called, and what is in it."""

    name: str
    content: bytes


#: Makes the file of a row; the second says, now and then, whether it is still wanted of us.
Make = Callable[[ReportFile, Callable[[], bool]], Made]


def make_files(
    sessions: sessionmaker[Session],
    make: Make,
    *,
    clock: Clock,
    waited: timedelta = timedelta(0),
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Make the files that are due, one after another; return how many were made.

    Args:
        sessions: Factory of sessions.
        make: Makes a file's content.
        clock: The present.
        waited: How long a file must have waited: others go first.
        is_stopping: Says whether this process stops.

    """
    now = clock()
    with read_session(sessions) as session:
        due = session.scalars(
            select(ReportFile.id)
            .where(ReportFile.state.in_(UNDONE), ReportFile.next_attempt_at <= now - waited)
            .order_by(ReportFile.next_attempt_at, ReportFile.id)
        ).all()
        has_old = session.scalar(select(exists().where(ReportFile.expires_at <= now)))
    if has_old:
        with sessions.begin() as session:
            delete_old(session, now)
    made = 0
    for file_id in due:
        if is_stopping():
            break
        file = _claim(sessions, file_id, clock())
        if file is not None:
            made += _make(sessions, file, make, clock)
    return made


def _claim(sessions: sessionmaker[Session], file_id: int, now: datetime) -> ReportFile | None:
    with sessions.begin() as session:
        file = session.scalar(
            select(ReportFile)
            .where(
                ReportFile.id == file_id,
                ReportFile.state.in_(UNDONE),
                ReportFile.next_attempt_at <= now,
            )
            .with_for_update(skip_locked=True)
        )
        if file is None:
            return None
        if file.attempts >= MOST_ATTEMPTS:
            # Whoever made it died each time, and could not say of what.
            file.state, file.owner, file.done_at = FileState.FAILED, None, now
            file.last_error = phrase("it was begun several times, and broken off each time")
            log.warning("file given up", file_id=file_id)
            return None
        file.state, file.owner = FileState.MAKING, uuid.uuid4().hex
        file.attempts += 1
        file.next_attempt_at = now + LEASE
        session.flush()
        session.expunge(file)
        return file


def _make(sessions: sessionmaker[Session], file: ReportFile, make: Make, clock: Clock) -> bool:
    try:
        made = make(file, _renewal(sessions, file, clock))
    except LeftOffError:
        # Another one begins at once; this attempt was none.
        values = {"attempts": file.attempts - 1, "next_attempt_at": clock()}
        _mark(sessions, file, {"state": FileState.QUEUED, **values})
        return False
    except TransientError as error:
        _failed(sessions, file, error.said, clock(), is_final=False)
        return False
    except AppError as error:
        _failed(sessions, file, error.said, clock(), is_final=True)
        return False
    except Exception as error:  # noqa: BLE001 - one broken file must not hold up the others
        log.error("file broke", file_id=file.id, kind=type(error).__name__)
        said = phrase("making it broke with %(kind)s", kind=type(error).__name__)
        _failed(sessions, file, said, clock(), is_final=False)
        return False
    now = clock()
    values = {"content": made.content, "file_name": made.name, "last_error": None}
    done = {"state": FileState.READY, "done_at": now, "expires_at": now + KEPT_FOR}
    is_kept = _mark(sessions, file, values | done, now=now)
    log.info("file made", file_id=file.id, report=file.kind.value, is_kept=is_kept)
    return is_kept


def _renewal(sessions: sessionmaker[Session], file: ReportFile, clock: Clock) -> Callable[[], bool]:
    """Return what renews a claim when it is time, and says whether it still holds."""
    due = clock() + RENEWED_EVERY

    def is_ours() -> bool:
        nonlocal due
        now = clock()
        if now < due:
            return True
        due = now + RENEWED_EVERY
        return _mark(sessions, file, {"next_attempt_at": now + LEASE, "owner": file.owner})

    return is_ours


def _failed(
    sessions: sessionmaker[Session], file: ReportFile, error: str, now: datetime, *, is_final: bool
) -> None:
    is_final = is_final or file.attempts >= MOST_ATTEMPTS
    values: dict[str, Any] = {"last_error": error[:500]}
    if is_final:
        values |= {"state": FileState.FAILED, "done_at": now}
    else:
        values |= {"state": FileState.QUEUED, "next_attempt_at": now + AGAIN_AFTER}
    _mark(sessions, file, values)
    log.warning("file not made", file_id=file.id, is_final=is_final)


def _mark(
    sessions: sessionmaker[Session],
    file: ReportFile,
    values: dict[str, Any],
    *,
    now: datetime | None = None,
) -> bool:
    """Write what became of a file where it is still ours; say whether it was."""
    with sessions.begin() as session:
        done = session.execute(
            update(ReportFile)
            .where(
                ReportFile.id == file.id,
                ReportFile.state == FileState.MAKING,
                ReportFile.owner == file.owner,
            )
            .values({"owner": None, **values})
        )
        if now is not None:
            delete_old(session, now)
        return cast("CursorResult[Any]", done).rowcount == 1
