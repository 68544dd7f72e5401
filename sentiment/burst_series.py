"""Which series of counts are followed, and the row that one detector is kept in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from sentiment.burst import BurstDetector, BurstReading
from sentiment.burst_config import SLOW, BurstConfig
from sentiment.burst_counts import ALL, NEGATIVE
from sentiment.burst_listening import STEP_S
from sentiment.models import BurstState

#: The detectors by the name that their states are stored under.
CONFIGS = {"default": BurstConfig(), "slow": SLOW}

#: Indexes below this are not worth a row of their own between two buckets.
NOTABLE_INDEX = 0.5


class Series(NamedTuple):
    """What a detector follows; `topic` is empty for the whole brand."""

    brand_id: int
    topic: str
    kind: str
    config: str


def brand_series(brand_id: int) -> tuple[Series, ...]:
    """Return the series of a whole brand: its negatives, fast and slow, and all its mentions."""
    return (
        Series(brand_id, "", NEGATIVE, "default"),
        Series(brand_id, "", NEGATIVE, "slow"),
        Series(brand_id, "", ALL, "default"),
    )


def topic_series(brand_id: int, topic: str) -> Series:
    """Return the series of one topic: negatives, fast only."""
    return Series(brand_id, topic, NEGATIVE, "default")


@dataclass(slots=True)
class Followed:
    """A detector with what is stored of it.

    Args:
        stepped_to: End of the last bucket that the detector took in.
        stored_to: The same in the database; None if it is not there yet.
        coming: Counts of the buckets after that, as the last look saw them.
        reading: What people get to see: the detector's, or a higher one of open buckets.
        is_shown: Whether the stored row says so.

    """

    series: Series
    detector: BurstDetector
    stepped_to: datetime
    stored_to: datetime | None
    coming: tuple[int, ...]
    reading: BurstReading
    is_shown: bool = True

    @classmethod
    def from_row(cls, row: BurstState) -> Followed:
        """Go on where a stored row was left."""
        detector = load_detector(row.config, row.state)
        coming = tuple(orjson.loads(row.coming))
        return cls(
            series=Series(row.brand_id, row.topic, row.kind, row.config),
            detector=detector,
            stepped_to=row.stepped_to,
            stored_to=row.stepped_to,
            coming=coming,
            reading=detector.look_ahead(coming),
        )

    def step(self, seen: float, *, is_known: bool) -> None:
        """Take in the next bucket.

        Where nobody listened, what was seen is the least that there was: it counts if that
        alone is more than expected, else the bucket is not known.
        """
        at = self.stepped_to
        is_taken = is_known or seen > self.detector.expected_at(at)
        self.detector.step(seen if is_taken else None, at)
        self.stepped_to = at + timedelta(seconds=STEP_S)
        self.coming, self.reading, self.is_shown = (), self.detector.reading, False

    def look(self, coming: tuple[int, ...]) -> None:
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


def load_detector(config: str, state: str) -> BurstDetector:
    """Return a detector from its stored state.

    Raises:
        InputError: The state belongs to another version or configuration.

    """
    return BurstDetector.from_state(orjson.loads(state), CONFIGS[config])
