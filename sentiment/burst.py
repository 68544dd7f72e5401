"""The burst index: how what is said now compares with an ordinary day's biggest burst.

One detector follows one series of counts (a brand's negative mentions, a topic's, ...), one
step after the other, each step from counts already seen. It compares seen with expected over
several windows, divides each by what the series' own days usually reach, and averages: a
single window or speed fits the brands that it was chosen on and fails on others.

Limits: a series is judged from its second day on, before that nothing is an alert. A burst
that comes every day at the same hour becomes expected. Weekdays are not told apart: the slow
level follows them within a day or two. Within the quiet time after an alert, a second burst
of less than twice the first one's index is taken for the same incident.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from math import isfinite
from typing import Any, Self

from config.errors import InputError
from sentiment.bursts.calibration import Calibration
from sentiment.bursts.config import DAY_S, BurstConfig
from sentiment.bursts.expected import ExpectedVolume, surprise
from sentiment.bursts.rules import OnePerIncident
from sentiment.bursts.steps import check_maker, count_left_out

#: Written into a state, so that one made by another version is never misread.
STATE_VERSION = 1
#: The index stays at this share of the alert index while too few posts carry it.
_HELD_DOWN_SHARE = 0.99

#: What was seen and what was expected in one window.
Count = tuple[float, float]


@dataclass(frozen=True, slots=True)
class BurstReading:
    """What the detector makes of one step.

    Args:
        index: 1.0 is the biggest burst of an ordinary day, with the configured margin; below
            0 it is quieter than expected. While nothing is known it stays where it was:
            silence is no calm.
        seen: Count in the window named by `window_s`, the one that surprises most.
        expected: What was expected in that window.
        surprise: How far `seen` is above `expected`, in Poisson standard deviations.
        is_alert: Whether people are to be told: a burst, and the first of its incident or
            grown by the configured factor since.
        is_known: Whether the count of this step was known.
        is_ready: Whether a whole day has been seen; before that nothing is an alert.

    """

    index: float
    expected: float
    surprise: float
    is_alert: bool
    seen: float
    window_s: int
    is_known: bool
    is_ready: bool


def nothing_seen(step_s: int) -> BurstReading:
    """Return the reading before the first step."""
    return BurstReading(
        index=0.0,
        expected=0.0,
        surprise=0.0,
        is_alert=False,
        seen=0.0,
        window_s=step_s,
        is_known=False,
        is_ready=False,
    )


#: By name, because `dataclasses.asdict` takes longer than a step.
_READING = tuple(field.name for field in fields(BurstReading))


class BurstDetector:
    """Follows one series of counts; its state goes to JSON and back without a trace."""

    __slots__ = (
        "_calibration",
        "_config",
        "_last_at",
        "_reading",
        "_rule",
        "_sums",
        "_volume",
        "_windows",
    )

    def __init__(self, config: BurstConfig | None = None) -> None:
        """Start without history, with `config` or the one that production runs."""
        self._config = config or BurstConfig()
        self._windows = self._config.window_steps
        self._volume = ExpectedVolume(self._config)
        self._calibration = Calibration(self._config)
        #: Running totals of (seen, expected), the newest last: a window is a difference.
        self._sums: deque[tuple[float, float]] = deque([(0.0, 0.0)], maxlen=self._windows[-1] + 1)
        self._last_at: float | None = None
        self._rule = OnePerIncident(
            arming=self._config.alert_index,
            quiet_s=self._config.quiet_s,
            growth=self._config.growth,
        )
        self._reading = nothing_seen(self._config.step_s)

    @property
    def reading(self) -> BurstReading:
        """The newest step's reading."""
        return self._reading

    def step(self, seen: float | None, at: datetime) -> BurstReading:
        """Take in the count of the step that begins at `at`; None says that it is not known.

        Steps are about `step_s` apart. Those that were left out between the last one and this
        one count as not known.

        Raises:
            InputError: `at` is not later than the last step, or `seen` is no count.

        """
        if seen is not None and (seen < 0 or not isfinite(seen)):
            msg = f"{seen} at {at.isoformat()} is no count; give 0 or more, or None if not known"
            raise InputError(msg)
        timestamp, left_out = count_left_out(self._last_at, at, self._config.step_s)
        for _ in range(min(left_out, self._windows[-1])):
            self._sums.append(self._sums[-1])
        self._last_at = timestamp
        if self._calibration.advance(timestamp):
            self._start_sums_afresh()
        if seen is None:
            self._sums.append(self._sums[-1])
            self._reading = self._unknown()
        else:
            self._reading = self._take_in(float(seen), timestamp)
        return self._reading

    def _start_sums_afresh(self) -> None:
        """Keep the totals small, or rounding errors would grow with the series' age."""
        seen, expected = self._sums[0]
        self._sums = deque(
            [(one - seen, round(other - expected, 4)) for one, other in self._sums],
            maxlen=self._windows[-1] + 1,
        )

    def _unknown(self) -> BurstReading:
        is_ready = self._calibration.is_ready
        return replace(self._reading, is_alert=False, is_known=False, is_ready=is_ready)

    def _take_in(self, seen: float, timestamp: float) -> BurstReading:
        second_of_day = timestamp % DAY_S
        expected = seen if self._volume.is_empty else self._volume.predict(second_of_day)
        sums = self._sums
        # Rounded, because a state holds hundreds of these and none needs more digits.
        total_seen, total_expected = sums[-1][0] + seen, round(sums[-1][1] + expected, 4)
        sums.append((total_seen, total_expected))
        newest = len(sums) - 1
        surprises: list[float] = []
        counts: list[tuple[float, float]] = []
        for window in self._windows:
            before_seen, before_expected = sums[max(newest - window, 0)]
            count, normal = (
                max(total_seen - before_seen, 0.0),
                max(total_expected - before_expected, 0.0),
            )
            surprises.append(surprise(count, normal))
            counts.append((count, normal))
        reading = self._weigh(counts, surprises)
        self._calibration.take_in(surprises)
        self._volume.learn(seen, expected, second_of_day)
        is_alert = reading.is_ready and self._rule.lets_through(reading.index, timestamp)
        return replace(reading, is_alert=True) if is_alert else reading

    def _weigh(self, counts: Sequence[Count], surprises: Sequence[float]) -> BurstReading:
        parts = [
            one * factor for one, factor in zip(surprises, self._calibration.factors, strict=True)
        ]
        index = sum(parts) / len(parts)
        if max(seen - expected for seen, expected in counts) < self._config.least_excess:
            index = min(index, _HELD_DOWN_SHARE * self._config.alert_index)
        most = parts.index(max(parts))
        return BurstReading(
            index=index,
            expected=counts[most][1],
            surprise=surprises[most],
            is_alert=False,
            seen=counts[most][0],
            window_s=self._windows[most] * self._config.step_s,
            is_known=True,
            is_ready=self._calibration.is_ready,
        )

    def judge(self, counts: Sequence[Count]) -> BurstReading:
        """Return what the detector makes of counts, one for each window; learns nothing."""
        return self._weigh(counts, [surprise(seen, expected) for seen, expected in counts])

    def expected_at(self, at: datetime) -> float:
        """Return the count that is expected of the step that begins at `at`."""
        return self._volume.predict(at.timestamp() % DAY_S)

    def is_more_than_expected(self, seen: float, at: datetime) -> bool:
        """Say whether a step's count alone is more than is expected of it."""
        return seen > self.expected_at(at)

    def counts(
        self, coming: Sequence[float] = (), *, since: datetime | None = None
    ) -> tuple[Count, ...]:
        """Return what was seen and expected in each window, the shortest first.

        Args:
            coming: Counts of the steps after the last one, as far as they are known.
            since: Only steps that began then or later.

        """
        sums, step_s = self._totals(coming), self._config.step_s
        longest = newest = len(sums) - 1
        if since is not None:
            end = (self._last_at or 0.0) + (len(coming) + 1) * step_s
            longest = min(newest, max(0, int((end - since.timestamp()) // step_s)))
        return self._counts_at(sums, newest, longest)

    def _totals(self, coming: Sequence[float]) -> list[Count]:
        """Return the running totals, those of the coming steps after those of the past."""
        sums, step_s = list(self._sums), self._config.step_s
        last = self._last_at or 0.0
        for number, seen in enumerate(coming, start=1):
            expected = self._volume.predict((last + number * step_s) % DAY_S)
            sums.append((sums[-1][0] + seen, sums[-1][1] + expected))
        return sums

    def _counts_at(self, sums: Sequence[Count], newest: int, longest: int) -> tuple[Count, ...]:
        """Return the counts of the windows that end with `newest` and have `longest` steps."""
        total_seen, total_expected = sums[newest]
        befores = (sums[newest - min(window, longest)] for window in self._windows)
        return tuple(
            (max(total_seen - seen, 0.0), max(total_expected - expected, 0.0))
            for seen, expected in befores
        )

    def look_ahead(self, coming: Sequence[float]) -> BurstReading:
        """Return the reading if `coming` were all of the next steps' counts; learns nothing.

        Steps that are not over can only raise the index: it is the highest from here to there.
        """
        best, sums = self._reading, self._totals(coming)
        for newest in range(len(self._sums), len(sums)):
            counts = self._counts_at(sums, newest, newest)
            if max(seen - expected for seen, expected in counts) >= self._config.least_excess:
                reading = self.judge(counts)
                best = reading if reading.index > best.index else best
        return best

    def _fingerprint(self) -> dict[str, Any]:
        """Return what a state's meaning depends on; thresholds may change between runs."""
        return {
            "version": STATE_VERSION,
            "step_s": self._config.step_s,
            "window_steps": list(self._windows),
            "half_lives_s": list(self._config.half_lives_s),
            "profile_slots": self._config.profile_slots,
        }

    def to_state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, fit for JSON."""
        return {
            "made_by": self._fingerprint(),
            "volume": self._volume.to_state(),
            "calibration": self._calibration.to_state(),
            "sums": [list(pair) for pair in self._sums],
            "last_at": self._last_at,
            "rule": self._rule.to_state(),
            "reading": {name: getattr(self._reading, name) for name in _READING},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], config: BurstConfig | None = None) -> Self:
        """Go on where `to_state` was taken, as if there had been no stop.

        Raises:
            InputError: The state belongs to another version or configuration.

        """
        detector = cls(config)
        check_maker(state.get("made_by"), detector._fingerprint())
        detector._volume.restore(state["volume"])
        detector._calibration.restore(state["calibration"])
        detector._sums.clear()
        detector._sums.extend((seen, expected) for seen, expected in state["sums"])
        detector._last_at = state["last_at"]
        detector._rule.restore(state["rule"])
        detector._reading = BurstReading(**state["reading"])
        return detector
