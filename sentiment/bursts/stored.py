"""The stored counts as detectors take them: the newest of all brands, or one brand's history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy.orm import Session

from sentiment.bursts.counts import (
    NEGATIVE,
    REACH,
    RISK,
    Counts,
    brand_counts,
    buckets,
    first_bucket,
    share_counts,
    topic_counts,
    weighed_counts,
)
from sentiment.bursts.listening import STEP_S, Listening
from sentiment.bursts.series import Followed, Series, make_detector
from sentiment.rollups import bucket_of

#: How much stored history a new detector learns from.
HISTORY = timedelta(days=10)


class NewestCounts:
    """The counts of a stretch of time, of all brands and their topics."""

    def __init__(self, session: Session, since: datetime, until: datetime) -> None:
        self.until = until
        brands = brand_counts(session, since, until)
        named = {brand_id for brand_id, kind in brands if kind == NEGATIVE}
        self._brands: dict[tuple[int, str], Counts] = {
            **brands,
            **share_counts(brands),
            **weighed_counts(session, named, since, until),
        }
        self._topics = topic_counts(session, named, since, until)

    def of(self, series: Series) -> Counts:
        """Return a series' counts by bucket; a bucket without mentions is not in them."""
        if series.topic:
            return self._topics.get((series.brand_id, series.topic), {})
        return self._brands.get((series.brand_id, series.kind), {})

    def topics(self, brand_id: int) -> list[str]:
        """Return the topics that the brand's negative mentions name."""
        return self._named.get(brand_id, [])

    @cached_property
    def _named(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for brand_id, topic in self._topics:
            found[brand_id].append(topic)
        return found


class History:
    """Stored history, from which new detectors learn; one brand's at a time."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._limit = bucket_of(now, STEP_S) - HISTORY
        self._brand_id = 0
        self._since: datetime | None = None
        self._counts: Mapping[tuple[int, str], Counts] = {}

    def make(self, series: Series, heard: Listening) -> tuple[Followed, int]:
        """Return a new detector that has seen the series' closed buckets, and their number."""
        if series.brand_id != self._brand_id:
            self._read(series.brand_id, heard.closed_to)
        since = min(self._since or heard.closed_to, heard.closed_to)
        if series.topic:
            seen: Counts = topic_counts(
                self._session, [series.brand_id], since, heard.closed_to, topic=series.topic
            ).get((series.brand_id, series.topic), {})
        else:
            seen = self._counts.get((series.brand_id, series.kind), {})
            if series.kind in {REACH, RISK}:
                # They are counted in the mentions, which may be younger than the roll-up.
                reached = self._counts.get((series.brand_id, REACH), {})
                since = max(since, min(reached, default=heard.closed_to))
        detector = make_detector(series.config)
        one = Followed(series, detector, since, None, (), detector.reading, is_shown=False)
        taken = 0
        for at in buckets(since, heard.closed_to):
            one.step(seen.get(at, series.nothing), is_known=heard.is_known(at))
            taken += 1
        return one, taken

    def _read(self, brand_id: int, until: datetime) -> None:
        first = first_bucket(self._session, brand_id)
        self._brand_id, self._since = brand_id, None
        self._counts = {}
        if first is not None:
            self._since = max(first, self._limit)
            brand = brand_counts(self._session, self._since, until, brand_id=brand_id)
            weighed = weighed_counts(self._session, [brand_id], self._since, until)
            self._counts = {**brand, **share_counts(brand), **weighed}
