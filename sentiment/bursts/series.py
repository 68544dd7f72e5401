"""Which series of counts are followed, and the row that one detector is kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import orjson

from sentiment.burst import BurstDetector, BurstReading
from sentiment.bursts.config import SLOW, BurstConfig
from sentiment.bursts.counts import ALL, NEGATIVE, REACH, RISK, SHARE, Seen
from sentiment.bursts.listening import STEP_S
from sentiment.bursts.share import ShareDetector
from sentiment.bursts.usual_share import ATTACK, SLOW_SHARE, ShareConfig
from sentiment.models import BurstState
from sentiment.rollups import bucket_of

#: The detectors by the name that their states are stored under.
CONFIGS: Mapping[str, BurstConfig | ShareConfig] = {
    "default": BurstConfig(),
    "slow": SLOW,
    "attack": ATTACK,
    "slow_share": SLOW_SHARE,
}

#: What a series counts of its own index, by kind and configuration: together they share one
#: budget of about one false alarm a week, which the one that finds most gets most of. All
#: mentions raise nothing: a burst of praise is no crisis. Measured on made-up and on thinned
#: published volumes: `tests/benchmarks/bench_burst.py`.
WEIGHTS: Mapping[tuple[str, str], float] = {
    (SHARE, "attack"): 1.05,
    (NEGATIVE, "default"): 0.7,
    (RISK, "default"): 0.6,
    (REACH, "default"): 0.5,
    (SHARE, "slow_share"): 0.45,
    (NEGATIVE, "slow"): 0.35,
}

#: The same for each topic: there are many, and each may cry wolf.
TOPIC_WEIGHT = 0.6

#: The topic of the series that follow a brand as a whole.
WHOLE_BRAND = ""

#: Indexes below this are not worth a row of their own between two buckets.
NOTABLE_INDEX = 0.5

HOUR_S = 3600


class Detector(Protocol):
    """What follows one series: of counts, or of counts and the totals that they are part of."""

    @property
    def reading(self) -> BurstReading:
        """The newest step's reading."""

    def step(self, seen: Any, at: datetime) -> BurstReading:  # noqa: ANN401 - a count or a pair
        """Take in a step."""

    def is_more_than_expected(self, seen: Any, at: datetime) -> bool:  # noqa: ANN401
        """Say whether a step's count alone is more than is expected of it."""

    def look_ahead(self, coming: Sequence[Any]) -> BurstReading:
        """Return the reading if `coming` were all of the next steps' counts."""

    def to_state(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""


class Series(NamedTuple):
    """What a detector follows; `topic` may be `WHOLE_BRAND`."""

    brand_id: int
    topic: str
    kind: str
    config: str

    @property
    def nothing(self) -> Seen:
        """What a bucket without mentions holds."""
        return (0, 0) if self.kind == SHARE else 0


def brand_series(brand_id: int) -> tuple[Series, ...]:
    """Return the series of a whole brand; all mentions are only shown."""
    alerting = (Series(brand_id, WHOLE_BRAND, kind, config) for kind, config in WEIGHTS)
    return (*alerting, Series(brand_id, WHOLE_BRAND, ALL, "default"))


def topic_series(brand_id: int, topic: str) -> Series:
    """Return the series of one topic: negatives, fast only."""
    return Series(brand_id, topic, NEGATIVE, "default")


def weight_of(topic: str, kind: str, config: str) -> float:
    """Return what a series counts of its own index; 0 if it raises nothing."""
    return TOPIC_WEIGHT if topic else WEIGHTS.get((kind, config), 0.0)


def windows_of(config: str) -> tuple[int, ...]:
    """Return a configuration's windows in seconds, the shortest first."""
    found = CONFIGS[config]
    volume = found.volume if isinstance(found, ShareConfig) else found
    return tuple(steps * volume.step_s for steps in volume.window_steps)


def make_detector(config: str) -> Detector:
    """Return a detector without history."""
    found = CONFIGS[config]
    return ShareDetector(found) if isinstance(found, ShareConfig) else BurstDetector(found)


@dataclass(slots=True)
class Followed:
    """A detector with what is stored of it.

    Args:
        stepped_to: End of the last bucket that the detector took in.
        stored_to: The same in the database; None if it is not there yet.
        coming: Counts of the buckets after that, as the last look saw them.
        reading: What people get to see: the detector's, or a higher one of open buckets.
        is_shown: Whether the stored row says so.
        peaks: The highest weighed index of each hour that is not stored yet.

    """

    series: Series
    detector: Detector
    stepped_to: datetime
    stored_to: datetime | None
    coming: tuple[Seen, ...]
    reading: BurstReading
    is_shown: bool = True
    peaks: dict[datetime, float] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: BurstState) -> Followed:
        """Go on where a stored row was left."""
        detector = load_detector(row.config, row.state)
        coming = load_coming(row.coming)
        return cls(
            series=Series(row.brand_id, row.topic, row.kind, row.config),
            detector=detector,
            stepped_to=row.stepped_to,
            stored_to=row.stepped_to,
            coming=coming,
            reading=detector.look_ahead(coming),
        )

    def step(self, seen: Seen, *, is_known: bool) -> None:
        """Take in the next bucket.

        Where nobody listened, what was seen is the least that there was: it counts if that
        alone is more than expected, else the bucket is not known.
        """
        at = self.stepped_to
        is_taken = is_known or self.detector.is_more_than_expected(seen, at)
        self.detector.step(seen if is_taken else None, at)
        self.stepped_to = at + timedelta(seconds=STEP_S)
        self.coming, self.reading, self.is_shown = (), self.detector.reading, False
        if self.reading.is_ready:
            weight = weight_of(*self.series[1:])
            hour = bucket_of(at, HOUR_S)
            self.peaks[hour] = max(self.peaks.get(hour, 0.0), weight * self.reading.index)

    def look(self, coming: tuple[Seen, ...]) -> None:
        """See what the open buckets hold so far."""
        if coming == self.coming:
            return
        reading = self.detector.look_ahead(coming)
        was, now = self.reading.index, reading.index
        self.coming, self.reading = coming, reading
        if now != was and max(now, was) >= NOTABLE_INDEX:
            self.is_shown = False

    def to_row(self) -> dict[str, Any]:
        """Return the row that says all of this."""
        reading = self.reading
        return {
            **self.series._asdict(),
            "stepped_to": self.stepped_to,
            "burst_index": reading.index,
            "seen": reading.seen,
            "expected": reading.expected,
            "window_s": reading.window_s,
            "is_known": reading.is_known,
            "is_ready": reading.is_ready,
            "coming": orjson.dumps(self.coming).decode(),
            "state": orjson.dumps(self.detector.to_state()).decode(),
        }


def load_coming(stored: str) -> tuple[Seen, ...]:
    """Return the counts of open buckets as they were stored."""
    return tuple(tuple(one) if isinstance(one, list) else one for one in orjson.loads(stored))


def load_detector(config: str, state: str) -> Detector:
    """Return a detector from its stored state.

    Raises:
        InputError: The state belongs to another version or configuration.

    """
    found = CONFIGS[config]
    if isinstance(found, ShareConfig):
        return ShareDetector.from_state(orjson.loads(state), found)
    return BurstDetector.from_state(orjson.loads(state), found)
