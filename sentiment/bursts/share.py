"""The attack index: more negatives than expected, and more of them among what is said.

A brand's volume swings by itself, and its negatives with it: a launch, a match, a Monday. What
an attack changes is both at once. So two tests must agree in each window: negatives against
what is expected at this time (Poisson), and their share of all mentions against the brand's
own (binomial, by the arcsine). The smaller of the two surprises counts, divided by what the
brand's own days reach, as in `sentiment.burst`. Where labels are poor the share says little,
so the volume alone counts too, for a little less.

The share stands on all mentions, so that few say little: 3 negative of 3 where 0.35 is usual
surprise by 2.2 standard deviations, 30 of 30 by 9. Source of the transform: F. J. Anscombe,
Biometrika 35 (1948), 246.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Self

from sentiment.burst import BurstReading, nothing_seen
from sentiment.bursts.calibration import Calibration
from sentiment.bursts.config import DAY_S
from sentiment.bursts.expected import ExpectedVolume, surprise
from sentiment.bursts.steps import check_maker, count_left_out
from sentiment.bursts.usual_share import Pair, ShareConfig, UsualShare, share_surprise

#: Written into a state, so that one made by another version is never misread.
STATE_VERSION = 1

#: Running totals: negatives, negatives expected by the hour, mentions, negatives expected of
#: so many mentions.
Totals = tuple[float, float, float, float]

_HELD_DOWN = 0.99
_NOTHING: Totals = (0.0, 0.0, 0.0, 0.0)
_READING = tuple(field.name for field in fields(BurstReading))


class ShareDetector:
    """Follows negatives among all mentions; its state goes to JSON and back without a trace.

    It has no alerts of its own: `BurstReading.is_alert` is never set, its index is weighed
    with the others'.
    """

    __slots__ = (
        "_both",
        "_config",
        "_last_at",
        "_reading",
        "_share",
        "_sums",
        "_volume",
        "_volume_alone",
        "_windows",
    )

    def __init__(self, config: ShareConfig) -> None:
        """Start without history."""
        self._config = config
        self._windows = config.volume.window_steps
        self._volume = ExpectedVolume(config.volume)
        self._share = UsualShare(config.share_half_lives_s, config.volume.step_s)
        self._both = Calibration(config.volume)
        self._volume_alone = Calibration(config.volume)
        self._sums: deque[Totals] = deque([_NOTHING], maxlen=self._windows[-1] + 1)
        self._last_at: float | None = None
        self._reading = nothing_seen(config.volume.step_s)

    @property
    def reading(self) -> BurstReading:
        """The newest step's reading."""
        return self._reading

    def step(self, seen: Pair | None, at: datetime) -> BurstReading:
        """Take in the counts of the step that begins at `at`; None says that they are not known.

        Raises:
            InputError: `at` is not later than the last step.

        """
        timestamp, left_out = count_left_out(self._last_at, at, self._config.volume.step_s)
        for _ in range(min(left_out, self._windows[-1])):
            self._sums.append(self._sums[-1])
        self._last_at = timestamp
        is_new_block = self._both.advance(timestamp)
        self._volume_alone.advance(timestamp)
        if is_new_block:
            self._start_sums_afresh()
        if seen is None:
            self._sums.append(self._sums[-1])
            self._reading = replace(self._reading, is_known=False, is_ready=self._both.is_ready)
            return self._reading
        second_of_day = timestamp % DAY_S
        expected = seen[0] if self._volume.is_empty else self._volume.predict(second_of_day)
        share = self._share.value(self._config.volume.step_s)
        self._sums.append(_added(self._sums[-1], seen, expected, share))
        totals = self._window_totals(self._sums)
        volume, both = self._surprises(totals)
        self._reading = self._weigh(totals, volume, both)
        self._both.take_in(both)
        self._volume_alone.take_in(volume)
        self._volume.learn(seen[0], expected, second_of_day)
        self._share.learn(seen, expected, share)
        return self._reading

    def is_more_than_expected(self, seen: Pair, at: datetime) -> bool:
        """Say whether a step's negatives alone are more than is expected of it."""
        return seen[0] > self._volume.predict(at.timestamp() % DAY_S)

    def look_ahead(self, coming: Sequence[Pair]) -> BurstReading:
        """Return the reading if `coming` were all of the next steps' counts; learns nothing.

        Steps that are not over can only raise the index: it is the highest from here to there.
        """
        best, sums = self._reading, list(self._sums)
        for number, seen in enumerate(coming, start=1):
            sums.append(self._extended(sums[-1], number, seen))
            reading = self.judge(self._window_totals(sums))
            if reading.index > best.index and self._has_excess(self._window_totals(sums)):
                best = reading
        return best

    def counts(self, coming: Sequence[Pair] = (), *, since: datetime | None = None) -> list[Totals]:
        """Return each window's totals, the shortest first.

        Args:
            coming: Counts of the steps after the last one, as far as they are known.
            since: Only steps that began then or later.

        """
        sums = list(self._sums)
        for number, seen in enumerate(coming, start=1):
            sums.append(self._extended(sums[-1], number, seen))
        longest = len(sums) - 1
        if since is not None:
            step_s = self._config.volume.step_s
            end = (self._last_at or 0.0) + (len(coming) + 1) * step_s
            longest = min(longest, max(0, int((end - since.timestamp()) // step_s)))
        return self._window_totals(sums, longest)

    def judge(self, totals: Sequence[Totals]) -> BurstReading:
        """Return what the detector makes of totals, one for each window; learns nothing."""
        return self._weigh(totals, *self._surprises(totals))

    def _extended(self, last: Totals, number: int, seen: Pair) -> Totals:
        second = ((self._last_at or 0.0) + number * self._config.volume.step_s) % DAY_S
        expected = self._volume.predict(second)
        return _added(last, seen, expected, self._share.value(self._config.volume.step_s))

    def _window_totals(self, sums: Sequence[Totals], longest: int | None = None) -> list[Totals]:
        newest = len(sums) - 1
        most = newest if longest is None else longest
        last = sums[newest]
        found = []
        for window in self._windows:
            before = sums[newest - min(window, most)]
            found.append(
                (
                    max(last[0] - before[0], 0.0),
                    max(last[1] - before[1], 0.0),
                    max(last[2] - before[2], 0.0),
                    max(last[3] - before[3], 0.0),
                )
            )
        return found

    def _surprises(self, totals: Sequence[Totals]) -> tuple[list[float], list[float]]:
        """Return the volume's surprises, and the smaller ones of volume and share."""
        strength = self._config.volume_strength
        volume = [surprise(seen, expected) for seen, expected, _, _ in totals]
        shares = [share_surprise(seen, mentions, usual) for seen, _, mentions, usual in totals]
        both = [min(strength * one, other) for one, other in zip(volume, shares, strict=True)]
        return volume, both

    def _weigh(
        self, totals: Sequence[Totals], volume: Sequence[float], both: Sequence[float]
    ) -> BurstReading:
        config = self._config
        index = _mean(both, self._both.factors)
        if config.volume_weight:
            alone = config.volume_weight * _mean(volume, self._volume_alone.factors)
            index = max(index, alone)
        if not self._has_excess(totals):
            index = min(index, _HELD_DOWN * config.volume.alert_index)
        most = volume.index(max(volume))
        return BurstReading(
            index=index,
            expected=totals[most][1],
            surprise=volume[most],
            is_alert=False,
            seen=totals[most][0],
            window_s=self._windows[most] * config.volume.step_s,
            is_known=True,
            is_ready=self._both.is_ready,
        )

    def _has_excess(self, totals: Sequence[Totals]) -> bool:
        return max(one[0] - one[1] for one in totals) >= self._config.volume.least_excess

    def _start_sums_afresh(self) -> None:
        """Keep the totals small, or rounding errors would grow with the series' age."""
        first = self._sums[0]
        self._sums = deque(
            [
                _rounded(one[0] - first[0], one[1] - first[1], one[2] - first[2], one[3] - first[3])
                for one in self._sums
            ],
            maxlen=self._windows[-1] + 1,
        )

    def _fingerprint(self) -> dict[str, Any]:
        return {
            "version": STATE_VERSION,
            "kind": "share",
            "step_s": self._config.volume.step_s,
            "window_steps": list(self._windows),
            "half_lives_s": list(self._config.volume.half_lives_s),
            "share_half_lives_s": list(self._config.share_half_lives_s),
        }

    def to_state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, fit for JSON."""
        return {
            "made_by": self._fingerprint(),
            "volume": self._volume.to_state(),
            "share": self._share.to_state(),
            "both": self._both.to_state(),
            "volume_alone": self._volume_alone.to_state(),
            "sums": [list(totals) for totals in self._sums],
            "last_at": self._last_at,
            "reading": {name: getattr(self._reading, name) for name in _READING},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], config: ShareConfig) -> Self:
        """Go on where `to_state` was taken.

        Raises:
            InputError: The state belongs to another version or configuration.

        """
        detector = cls(config)
        check_maker(state.get("made_by"), detector._fingerprint())
        detector._volume.restore(state["volume"])
        detector._share.restore(state["share"])
        detector._both.restore(state["both"])
        detector._volume_alone.restore(state["volume_alone"])
        detector._sums.clear()
        detector._sums.extend((one[0], one[1], one[2], one[3]) for one in state["sums"])
        detector._last_at = state["last_at"]
        detector._reading = BurstReading(**state["reading"])
        return detector


def _added(last: Totals, seen: Pair, expected: float, share: float) -> Totals:
    negatives, mentions = seen
    return _rounded(
        last[0] + negatives, last[1] + expected, last[2] + mentions, last[3] + mentions * share
    )


def _rounded(seen: float, expected: float, mentions: float, usual: float) -> Totals:
    """Keep few digits, because a state holds hundreds of these and none needs more."""
    return seen, round(expected, 4), mentions, round(usual, 4)


def _mean(surprises: Sequence[float], factors: Sequence[float]) -> float:
    return sum(one * factor for one, factor in zip(surprises, factors, strict=True)) / len(factors)
