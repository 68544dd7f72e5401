"""The burst index of every brand and topic, kept up with what is stored.

`step_bursts` takes closed buckets of the roll-up into the stored detectors, and looks at
what the open ones hold so far, so that an alert need not wait for a bucket's end. Detectors
start from up to ten days of stored history: an imported past calibrates them and raises
nothing. A restart changes nothing: the state is in the database, the copy in the process
only saves reading it again, and rows that another process wrote meanwhile win.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.clock import Clock, utc_now
from config.db import read_session
from config.errors import InputError
from config.logs import get_logger
from listener.models import Brand
from sentiment.bursts.budget import store_peaks
from sentiment.bursts.counts import (
    Seen,
    buckets,
    unfinished_brands,
)
from sentiment.bursts.listening import STEP_S, Listening, listen
from sentiment.bursts.series import Followed, Series, brand_series, topic_series
from sentiment.bursts.stored import HISTORY, History, NewestCounts
from sentiment.models import BurstHour, BurstState
from sentiment.rollups import bucket_of

log = get_logger(__name__)

#: Topics of one brand that are followed, the first that were named negatively.
MOST_TOPICS = 50

#: Seconds between two looks of one process at the open buckets.
LOOK_EVERY_S = 15.0

#: Seconds of one call after which the rest of a backlog is left to the next one: after a long
#: stop, or when a new version makes thousands of detectors, escalation must not stand still.
BUDGET_S = 2.0

#: A brand with older mentions that are not judged yet waits: its history is not yet whole.
UNFINISHED_AFTER = timedelta(hours=1)

#: Series that are written in one transaction.
BATCH = 512

_STEP = timedelta(seconds=STEP_S)
_KEY = ("brand_id", "topic", "kind", "config")


def step_bursts(sessions: sessionmaker[Session], *, clock: Clock = utc_now) -> int:
    """Bring the burst index of all active brands up to now; return how many buckets were taken.

    Calls within `LOOK_EVERY_S` of each other do nothing.
    """
    with _KEEPERS_LOCK:
        keeper = _KEEPERS.setdefault(sessions, _Keeper())
    with keeper.lock:
        return keeper.step(sessions, clock())


def forget_bursts(session: Session, brand_ids: Collection[int]) -> None:
    """Let the brands' detectors start anew from the stored history, as after an import of it."""
    session.execute(delete(BurstState).where(BurstState.brand_id.in_(brand_ids)))
    session.execute(delete(BurstHour).where(BurstHour.brand_id.in_(brand_ids)))


class _Keeper:
    """The detectors that this process has at hand, and the way to keep them up."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._followed: dict[Series, Followed] = {}
        #: Rows that another version wrote, and up to when they had come.
        self._outdated: dict[Series, datetime] = {}
        self._looked_at: datetime | None = None
        self._stop_at = 0.0

    def step(self, sessions: sessionmaker[Session], now: datetime) -> int:
        if self._looked_at and 0 <= (now - self._looked_at).total_seconds() < LOOK_EVERY_S:
            return 0
        self._looked_at, self._stop_at = now, time.monotonic() + BUDGET_S
        with read_session(sessions) as session:
            watched = select(Brand.id).where(Brand.is_active, Brand.competitor_of_id.is_(None))
            active = set(session.scalars(watched))
            listening = listen(session, active, now)
            for series in [one for one in self._followed if one.brand_id not in active]:
                del self._followed[series]
            self._load(session, {one for one in active if not self._has(one)})
            until = bucket_of(now, STEP_S) + _STEP
            counts = NewestCounts(session, self._oldest(until - HISTORY), until)
            steps = self._take_in(counts, listening)
            steps += self._make_missing(session, counts, listening, now)
        self._store(sessions, [one for one in self._followed.values() if not one.is_shown])
        return steps

    def _has(self, brand_id: int) -> bool:
        return all(series in self._followed for series in brand_series(brand_id))

    def _load(self, session: Session, brand_ids: Collection[int]) -> None:
        """Read the brands' stored detectors that are not at hand."""
        if not brand_ids:
            return
        for row in session.scalars(select(BurstState).where(BurstState.brand_id.in_(brand_ids))):
            series = Series(row.brand_id, row.topic, row.kind, row.config)
            if series in self._followed:
                continue
            try:
                self._followed[series] = Followed.from_row(row)
            except (InputError, KeyError):
                # Made by another version: made anew from the stored counts, over the old row.
                self._outdated[series] = row.stepped_to
                log.info("burst state is made anew", brand_id=row.brand_id)
        session.expunge_all()

    def _oldest(self, limit: datetime) -> datetime:
        """Return from when on counts are needed; older buckets are left out, as not known."""
        for one in self._followed.values():
            one.stepped_to = max(one.stepped_to, limit)
        return min((one.stepped_to for one in self._followed.values()), default=limit)

    def _take_in(self, counts: NewestCounts, listening: Mapping[int, Listening]) -> int:
        """Step over the closed buckets, and look at the open ones."""
        steps = 0
        for series, one in self._followed.items():
            seen, heard = counts.of(series), listening[series.brand_id]
            if not seen and not _any(one.coming) and one.stepped_to >= heard.closed_to:
                continue
            for at in buckets(one.stepped_to, heard.closed_to):
                if time.monotonic() > self._stop_at:
                    break
                one.step(seen.get(at, series.nothing), is_known=heard.is_known(at))
                steps += 1
            one.look(
                tuple(seen.get(at, series.nothing) for at in buckets(one.stepped_to, counts.until))
            )
        return steps

    def _make_missing(
        self,
        session: Session,
        counts: NewestCounts,
        listening: Mapping[int, Listening],
        now: datetime,
    ) -> int:
        """Make the detectors of new brands and topics from the stored history."""
        missing = [
            series
            for brand_id in listening
            for series in (
                *brand_series(brand_id),
                *(topic_series(brand_id, topic) for topic in counts.topics(brand_id)),
            )
            if series not in self._followed
        ]
        if not missing:
            return 0
        self._load(session, {series.brand_id for series in missing})
        topics = Counter(series.brand_id for series in self._followed if series.topic)
        unfinished = unfinished_brands(session, now - UNFINISHED_AFTER)
        history = History(session, now)
        steps = 0
        for series in missing:
            heard = listening[series.brand_id]
            is_one_too_many = bool(series.topic) and topics[series.brand_id] >= MOST_TOPICS
            if (
                series in self._followed
                or is_one_too_many
                or not heard.is_settled
                or series.brand_id in unfinished
            ):
                continue
            if time.monotonic() > self._stop_at:
                break
            topics[series.brand_id] += bool(series.topic)
            one, taken = history.make(series, heard)
            one.stored_to = self._outdated.pop(series, None)
            seen = counts.of(series)
            one.look(
                tuple(seen.get(at, series.nothing) for at in buckets(one.stepped_to, counts.until))
            )
            self._followed[series] = one
            steps += taken
        return steps

    def _store(self, sessions: sessionmaker[Session], changed: Sequence[Followed]) -> None:
        for first in range(0, len(changed), BATCH):
            batch = changed[first : first + BATCH]
            with sessions.begin() as session:
                stored = {
                    Series(*row[:4]): row.stepped_to
                    for row in session.execute(
                        select(*(getattr(BurstState, name) for name in (*_KEY, "stepped_to")))
                        .where(BurstState.brand_id.in_({one.series.brand_id for one in batch}))
                        .order_by(*(getattr(BurstState, name) for name in _KEY))
                        .with_for_update()
                    )
                }
                mine = [one for one in batch if stored.get(one.series) == one.stored_to]
                rows = [one.to_row() for one in mine]
                columns = [name for name in rows[0] if name not in _KEY] if rows else []
                upsert(session, BurstState, rows, key=_KEY, update_columns=columns)
                store_peaks(session, mine)
            for one in mine:
                one.stored_to, one.is_shown, one.peaks = one.stepped_to, True, {}
            # Another process was here, or the history was imported anew: theirs holds.
            lost = {one.series.brand_id for one in batch if not one.is_shown}
            for series in [one for one in self._followed if one.brand_id in lost]:
                del self._followed[series]


def _any(coming: Sequence[Seen]) -> bool:
    return any(any(one) if isinstance(one, tuple) else one for one in coming)


_KEEPERS: WeakKeyDictionary[sessionmaker[Session], _Keeper] = WeakKeyDictionary()
_KEEPERS_LOCK = threading.Lock()
