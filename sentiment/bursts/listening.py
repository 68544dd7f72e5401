"""What the detectors may believe: which buckets are closed, and in which nobody listened.

Counters run on event time. A bucket is closed when every source that is waited for has read
past its end; a source that fails, or takes longer than it should, is not waited for. Posts
that come after that are late: they are counted in the roll-up, and raise nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, load_only

from listener.models import Gap, Source, SourceState
from listener.plan import FIRST_LOOK_BACK
from sentiment.rollups import bucket_of

#: Width of a bucket in seconds: the roll-up's finer grain.
STEP_S = 300

#: No bucket is closed sooner after its end, so that what was read can be judged first.
SETTLE = timedelta(minutes=2)

#: Platforms show a post this much later at the latest, as a rule.
PLATFORM_LAG = timedelta(minutes=1)

#: A source is waited for this long after a bucket's end, and longer if it is read seldom ...
PATIENCE = timedelta(minutes=15)

#: ... or was not even tried since, as after a time when nothing ran; but never longer than
#: this, the detector's longest fast window.
MOST_PATIENCE = timedelta(hours=3)

#: A new brand's detectors wait this long for each source's first look back.
FIRST_READ_PATIENCE = timedelta(hours=1)

_COLUMNS = (
    Source.brand_id,
    Source.state,
    Source.every_s,
    Source.last_attempt_at,
    Source.last_success_at,
    Source.created_at,
)
_NOT_WAITED_FOR = frozenset({SourceState.FAILING, SourceState.PAUSED})


@dataclass(frozen=True, slots=True)
class Listening:
    """What is known about one brand's sources.

    Args:
        closed_to: End of the last closed bucket.
        is_settled: Whether every source has looked back once, so that there is a past to
            learn from.
        read: For each source, up to when it has read, and the stretches that it missed.

    """

    closed_to: datetime
    is_settled: bool = True
    read: tuple[tuple[datetime, tuple[tuple[datetime, datetime], ...]], ...] = ()

    def is_known(self, at: datetime) -> bool:
        """Say whether at least one source has read the whole bucket that begins at `at`.

        A brand without sources gets its posts by other ways and is taken as known.
        """
        end = at + timedelta(seconds=STEP_S)
        return not self.read or any(
            end <= until and not any(start < end and stop > at for start, stop in missed)
            for until, missed in self.read
        )


def listen(session: Session, brand_ids: Collection[int], now: datetime) -> dict[int, Listening]:
    """Return for each brand which of its buckets are closed and which were not heard."""
    sources: dict[int, list[Source]] = defaultdict(list)
    for source in session.scalars(
        select(Source).where(Source.is_active).options(load_only(*_COLUMNS))
    ):
        sources[source.brand_id].append(source)
    gaps = _gaps(session, now)
    settled = bucket_of(now - SETTLE, STEP_S)
    found = {}
    for brand_id in brand_ids:
        closed_to, is_settled, read = settled, True, []
        for source in sources[brand_id]:
            succeeded = source.last_success_at
            if source.state not in _NOT_WAITED_FOR:
                given_up = now - _patience(source.every_s, source.last_attempt_at, now)
                closed_to = min(closed_to, max(given_up, (succeeded or given_up) - PLATFORM_LAG))
                is_new = succeeded is None and now - source.created_at < FIRST_READ_PATIENCE
                is_settled = is_settled and not is_new
            until = succeeded or source.created_at - FIRST_LOOK_BACK
            read.append((until, gaps.get(source.id, ())))
        found[brand_id] = Listening(bucket_of(closed_to, STEP_S), is_settled, tuple(read))
    return found


def _patience(every_s: float, tried: datetime | None, now: datetime) -> timedelta:
    usual = max(PATIENCE, timedelta(seconds=every_s) + SETTLE + PLATFORM_LAG)
    if tried is None or now - tried > usual:
        return MOST_PATIENCE
    return min(usual, MOST_PATIENCE)


def _gaps(session: Session, now: datetime) -> dict[int, tuple[tuple[datetime, datetime], ...]]:
    """Return the open gaps of the time that detectors look back."""
    oldest = now - timedelta(days=15)
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for source_id, start, stop, seen_at in session.execute(
        select(Gap.source_id, Gap.from_at, Gap.to_at, Gap.found_at).where(
            Gap.filled_at.is_(None), or_(Gap.to_at.is_(None), Gap.to_at > oldest)
        )
    ):
        found[source_id].append((start or oldest, stop or seen_at))
    return {source_id: tuple(stretches) for source_id, stretches in found.items()}
