"""Files of reports that people ask for; `file_making` makes them, and they are kept for a day.

A PDF of a long timeline takes longer than anybody should wait for an answer. Whoever asks gets a
row, and whoever wants the same meanwhile gets the same one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from config.errors import NotFoundError, TransientError
from config.phrases import phrase
from crm_link.reporting.models import FileKind, FileState, ReportFile
from listener.models import Brand

#: How long what was made, or could not be made, is given to whoever asks for the same.
FRESH = timedelta(minutes=5)

#: How long a file is kept, and how many at most.
KEPT_FOR = timedelta(days=1)
MOST_KEPT = 50

#: Files that may wait: more are refused, so that nobody fills the queue.
MOST_WAITING = 20

#: States of a file that is still to be made, and of one that nothing more is done to.
UNDONE = (FileState.QUEUED, FileState.MAKING)
DONE = (FileState.READY, FileState.FAILED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file is to hold: two who want the same get the same file.

    Args:
        kind: What it reports on.
        brand_id: Of which brand.
        language: The reader's language.
        zone: The reader's time zone.
        incident_id: Which incident, where it is about one.
        until_at: The end of its window, where it has one.
        with_people: Whether contacts are named.
        seen_brands: Ids of the brands that the reader sees, as `as_words` writes them.

    """

    kind: FileKind
    brand_id: int
    language: str
    zone: str
    incident_id: int | None = None
    until_at: datetime | None = None
    with_people: bool = False
    seen_brands: str | None = None

    @classmethod
    def of(cls, file: ReportFile) -> Wanted:
        """Return what was wanted of a file."""
        return cls(**{one.name: getattr(file, one.name) for one in fields(cls)})

    def columns(self) -> dict[str, Any]:
        """Return the columns of a row that stands for it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def as_words(brand_ids: Collection[int] | None) -> str | None:
    """Return ids of brands as a file keeps them; None are all brands."""
    return None if brand_ids is None else ",".join(str(one) for one in sorted(brand_ids))


def from_words(seen_brands: str | None) -> frozenset[int] | None:
    """Return the ids of the brands that a file's reader sees; None are all brands."""
    if seen_brands is None:
        return None
    return frozenset(int(one) for one in seen_brands.split(",") if one)


def find_file(session: Session, wanted: Wanted, *, now: datetime) -> ReportFile | None:
    """Return the newest file of the same that is being made, or is done and fresh."""
    same = (getattr(ReportFile, name) == value for name, value in wanted.columns().items())
    return session.scalar(
        select(ReportFile)
        .where(
            *same,
            ReportFile.expires_at > now,
            or_(ReportFile.state.in_(UNDONE), ReportFile.done_at > now - FRESH),
        )
        .order_by(ReportFile.id.desc())
        .limit(1)
    )


def ask_for_file(
    session: Session, wanted: Wanted, *, by_id: int, now: datetime, anew: bool = False
) -> ReportFile:
    """Return the file that will be made, or that is there already.

    Args:
        session: In whose transaction.
        wanted: What it is to hold.
        by_id: The account of whoever asks.
        now: The present.
        anew: Make it again although one is done; what is being made is new enough.

    Raises:
        TransientError: Too many wait already.

    """
    # Two who ask at once for the same get one file. Not a lock that would hold up new mentions.
    session.execute(
        select(Brand.id).where(Brand.id == wanted.brand_id).with_for_update(key_share=True)
    )
    found = find_file(session, wanted, now=now)
    if found is not None and not (anew and found.state in DONE):
        return found
    waiting = session.scalar(
        select(func.count()).select_from(ReportFile).where(ReportFile.state.in_(UNDONE))
    )
    if (waiting or 0) >= MOST_WAITING:
        raise TransientError(
            phrase("many files wait to be made already; ask again in a minute"), retry_after_s=60
        )
    file = ReportFile(
        **wanted.columns(),
        asked_by_id=by_id,
        state=FileState.QUEUED,
        attempts=0,
        next_attempt_at=now,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(file)
    session.flush()
    return file


def get_file(session: Session, file_id: int, *, now: datetime) -> ReportFile:
    """Return a file's row, without its content.

    Raises:
        NotFoundError: There is none, or it is older than files are kept.

    """
    found = session.scalar(
        select(ReportFile).where(ReportFile.id == file_id, ReportFile.expires_at > now)
    )
    if found is None:
        raise NotFoundError(
            "there is no file %(file_id)s any more; files are kept for a day, ask for it again",
            file_id=file_id,
        )
    return found


def read_content(session: Session, file: ReportFile) -> bytes:
    """Return what is in a file that is ready.

    Raises:
        NotFoundError: It is gone meanwhile.

    """
    content = session.scalar(select(ReportFile.content).where(ReportFile.id == file.id))
    if content is None:
        raise NotFoundError(
            "there is no file %(file_id)s any more; files are kept for a day, ask for it again",
            file_id=file.id,
        )
    return content


def forget_files(session: Session, *, incident_id: int | None = None) -> int:
    """Delete what is done, and let what is being made begin anew; return how many.

    For what must not be in any file from now on, or is not in those that there are.

    Args:
        session: In whose transaction.
        incident_id: Of which incident; None: all files.

    """
    of_it = () if incident_id is None else (ReportFile.incident_id == incident_id,)
    gone = session.execute(
        delete(ReportFile).where(ReportFile.state.in_(DONE), *of_it).returning(ReportFile.id)
    ).all()
    again = session.execute(
        update(ReportFile)
        .where(ReportFile.state == FileState.MAKING, *of_it)
        .values(state=FileState.QUEUED, owner=None, next_attempt_at=ReportFile.created_at)
        .returning(ReportFile.id)
    ).all()
    return len(gone) + len(again)


def delete_old(session: Session, now: datetime) -> None:
    """Delete the files whose time is over, and the oldest of too many."""
    session.execute(delete(ReportFile).where(ReportFile.expires_at <= now))
    too_many = session.scalars(
        select(ReportFile.id)
        .where(ReportFile.state.in_(DONE))
        .order_by(ReportFile.id.desc())
        .offset(MOST_KEPT)
        .limit(MOST_KEPT)
    ).all()
    if too_many:
        session.execute(delete(ReportFile).where(ReportFile.id.in_(too_many)))
