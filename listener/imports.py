"""Importing files of posts, so that they go the same way as collected ones; docs/import.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock, utc_now
from config.db import in_transaction, read_session
from config.errors import InputError
from listener.format_rows import Item
from listener.formats import FileReader
from listener.quarantine import quarantine
from listener.query import Query, parse
from listener.service import subject_of
from listener.sources import get_brand
from listener.store import StoreCounts, store_posts
from listener.types import Post, RejectedItem

#: Records per transaction: large enough to be fast, small enough that nobody waits.
BATCH = 500


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import came to.

    `read` counts posts and rejected items; `new` and `changed` mentions; `repeated` posts
    that were there already; `skipped` those that the query does not find (with `match`);
    `rejected` items that were quarantined. `first_errors` shows some of the reasons.
    """

    brand_key: str
    read: int = 0
    new: int = 0
    changed: int = 0
    repeated: int = 0
    skipped: int = 0
    rejected: int = 0
    format: str = ""
    encoding: str = ""
    notes: tuple[str, ...] = ()
    first_errors: tuple[str, ...] = ()


#: Reasons of rejected items that a result shows.
SHOWN_ERRORS = 5


def import_mentions(
    sessions: sessionmaker[Session],
    path: Path,
    *,
    brand_key: str | None = None,
    match: bool = False,
    platform: str | None = None,
    zone: ZoneInfo | None = None,
    clock: Clock = utc_now,
    keep_raw: bool = True,
    on_progress: Callable[[ImportResult], None] | None = None,
) -> ImportResult:
    """Store the posts of a file as mentions that wait for scoring; return what it came to.

    Each batch is one transaction, and importing again changes nothing, so that an import
    that was stopped is simply started again.

    Args:
        sessions: Where to store.
        path: CSV, JSON lines (our own export too), X API v2 pages as twarc saves them, or
            API 1.1; UTF-8, UTF-16 or Windows-1252; also gzipped. Found out by content.
        brand_key: Whose mentions they are; may be left out where there is one brand.
        match: Keep only what the brand's query finds.
        platform: The platform of records that do not say it; else `x` for X's answers and
            `import` for others.
        zone: What times without a zone mean; without it they are refused.
        clock: The present.
        keep_raw: Whether X's own answers are kept too.
        on_progress: Called after each batch with the result so far.

    Raises:
        InputError: The file cannot be read, or is no file of posts.
        NotFoundError, ConflictError: The brand is unknown, or not said where there are several.

    """
    with read_session(sessions) as session:
        brand = get_brand(session, brand_key)
        brand_id, brand_key, query = brand.id, brand.key, parse(brand.query)
    if not path.is_file():
        msg = f"{path} is no file"
        raise InputError(msg)
    reader = FileReader(path, zone=zone, platform=platform)
    tally = _Tally(brand_key, reader)
    items = reader.items()
    while batch := list(islice(items, BATCH)):
        posts = tally.sort(batch, query if match else None)
        store = partial(
            _store,
            posts=posts,
            rejected=tally.rejected,
            brand_id=brand_id,
            now=clock(),
            keep_raw=keep_raw,
        )
        tally.counts += in_transaction(sessions, store)
        if on_progress is not None:
            on_progress(tally.result())
    return tally.result()


def _store(
    session: Session,
    *,
    posts: Mapping[str, Sequence[Post]],
    rejected: Sequence[RejectedItem],
    brand_id: int,
    now: datetime,
    keep_raw: bool,
) -> StoreCounts:
    counts = StoreCounts()
    for platform, found in sorted(posts.items()):
        counts += store_posts(
            session,
            brand_id=brand_id,
            platform=platform,
            posts=found,
            source_id=None,
            now=now,
            keep_raw=keep_raw,
        )
    quarantine(session, rejected, source_id=None, now=now)
    return counts


class _Tally:
    """Counts what an import has done so far."""

    def __init__(self, brand_key: str, reader: FileReader) -> None:
        self._brand_key = brand_key
        self._reader = reader
        self._read = self._skipped = self._refused = 0
        self._errors: list[str] = []
        self.counts = StoreCounts()
        self.rejected: list[RejectedItem] = []

    def sort(self, batch: list[Item | RejectedItem], query: Query | None) -> dict[str, list[Post]]:
        """Return the batch's wanted posts by platform; `rejected` holds what is none."""
        posts: dict[str, list[Post]] = {}
        self.rejected = []
        self._read += len(batch)
        for item in batch:
            if isinstance(item, RejectedItem):
                self.rejected.append(item)
            elif query is not None and not query.matches(subject_of(item.post, item.platform)):
                self._skipped += 1
            else:
                posts.setdefault(item.platform, []).append(item.post)
        self._refused += len(self.rejected)
        self._errors += [item.error for item in self.rejected[: SHOWN_ERRORS - len(self._errors)]]
        return posts

    def result(self) -> ImportResult:
        """Return the result so far."""
        counts = self.counts
        return ImportResult(
            brand_key=self._brand_key,
            read=self._read,
            new=counts.new,
            changed=counts.changed,
            repeated=counts.seen - counts.new - counts.changed - counts.rejected,
            skipped=self._skipped,
            rejected=self._refused + counts.rejected,
            format=self._reader.format or "",
            encoding=self._reader.encoding,
            notes=tuple(self._reader.notes),
            first_errors=tuple(self._errors),
        )
