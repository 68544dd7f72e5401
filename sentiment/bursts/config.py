"""The numbers that burst detection stands on: one set for every brand.

They were chosen on five brands' published mention counts (the part of the Numenta Anomaly
Benchmark's realTweets that was not held back) by leaving one brand out at a time, on
thinned and shifted copies as well, in the middle of a flat region rather than at its peak.
`tests/benchmarks/bench_burst.py` measures what they give.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.errors import InputError

HOUR_S = 3600
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class BurstConfig:
    """What a `BurstDetector` is told; the defaults are what production runs."""

    #: Length of one step, in seconds. Five minutes is the grid of the published counts.
    step_s: int = 300
    #: Windows over which seen and expected are compared, in seconds. The short ones see an
    #: attack at once, the long ones see it where five minutes hold hardly a post.
    windows_s: tuple[int, ...] = (300, 900, 1800, HOUR_S, 2 * HOUR_S, 3 * HOUR_S)
    #: Half-lives of the slow level, in seconds; the expected volume is their average.
    half_lives_s: tuple[int, ...] = (DAY_S, 2 * DAY_S, 4 * DAY_S)
    #: Parts of a day in the time-of-day profile; neighbours are interpolated.
    profile_slots: int = 24
    #: Half-life of the time-of-day profile, in days.
    profile_half_life_days: float = 5.0
    #: Weight of "every hour is alike" against what was learned; 1 is one long memory.
    profile_prior: float = 0.2
    #: A count is learned from only up to this many of the series' own noise widths above the
    #: expected, so that a burst does not become the new normal.
    clip_noise: float = 3.0
    #: How many past days "an ordinary day" is taken from; the answers are averaged.
    calibration_days: tuple[int, ...] = (5, 7, 10, 14)
    #: Quantiles of those days' highest surprises that count as middling; averaged too.
    calibration_quantiles: tuple[float, ...] = (0.5, 0.6, 0.7)
    #: The index is 1.0 at alert_margin * (middling daily maximum) ** alert_power. By definition
    #: half of all quiet days reach that maximum itself, so an alert needs a margin, ...
    alert_margin: float = 1.23
    #: ... and a wider one where ordinary days already hold great surprises, because such days
    #: are less alike.
    alert_power: float = 1.15
    #: Index from which on people are told; a false-alarm budget moves it.
    alert_index: float = 1.0
    #: Daily maximum that a series without history is taken to have, in Poisson standard
    #: deviations. It also stands in for one day of each memory that is not full yet.
    prior_daily_maximum: float = 6.0
    #: The least that an ordinary day's maximum is taken for, in Poisson standard deviations:
    #: a series that was silent for days must not make one post a sensation.
    least_daily_maximum: float = 1.0
    #: Posts above the expected that some window must hold before the index may reach 1.0.
    least_excess: float = 4.0
    #: One alert per incident: no second alert for this long, in seconds ...
    quiet_s: int = DAY_S
    #: ... unless the index reaches this multiple of the one last alerted.
    growth: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what no detector can run on."""
        if self.step_s <= 0 or not self.windows_s or not self.half_lives_s:
            msg = "a burst detector needs a positive step, at least one window and one half-life"
            raise InputError(msg)

    @property
    def window_steps(self) -> tuple[int, ...]:
        """The windows in steps, shortest first, each at least one step, none twice."""
        return tuple(sorted({max(1, round(window / self.step_s)) for window in self.windows_s}))


#: The quiet channel: a doubling that lasts for a day is no burst in any three hours, but it
#: is one in twelve. Run beside the default detector, with alerts of its own.
SLOW = BurstConfig(
    windows_s=(6 * HOUR_S, 12 * HOUR_S, DAY_S),
    half_lives_s=(4 * DAY_S, 8 * DAY_S),
)
