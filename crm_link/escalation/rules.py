"""The arithmetic of escalation: severities from counts, quiet hours, waits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import sqrt
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm_link.escalation.protocol import LEVELS, Condition, EscalationProtocol, Severity

#: z of a 95 % interval.
Z_95 = 1.959964

#: A share of fewer mentions than this says nothing, whatever its interval.
LEAST_SHARE_MENTIONS = 10

#: Wait before the second attempt, in seconds; it doubles with each further one.
FIRST_WAIT_S = 2.0

#: The longest wait between two attempts, in seconds.
LONGEST_WAIT_S = 300.0

#: The longest wait that another side may ask for, in seconds: an alert that is older is no alert.
LONGEST_ASKED_WAIT_S = 3600.0


class Counted(NamedTuple):
    """What there is of one topic on one platform in a window; reach as in `Measure`."""

    negatives: int
    mentions: int
    reach: int = 0


#: By topic and platform.
Tally = Mapping[tuple[str, str], Counted]


@dataclass(frozen=True, slots=True)
class Measure:
    """What was counted in a window.

    Args:
        negatives: Negative mentions.
        mentions: All mentions, where a condition asks for them; else as many as the negatives.
        window: The window.
        reach: Followers of the negative mentions' authors, added up for each mention; 0 where
            no condition asks for them.

    """

    negatives: int
    mentions: int
    window: timedelta
    reach: int = 0

    @property
    def per_hour(self) -> float:
        """Negative mentions in an hour, over the window."""
        return self.negatives / (self.window.total_seconds() / 3600)

    @property
    def share(self) -> float:
        """The negatives' share of all mentions, 0 to 1."""
        return self.negatives / self.mentions if self.mentions else 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """A severity that was reached, and what was counted in the window that showed it."""

    severity: Severity
    measure: Measure


def share_floor(negatives: int, mentions: int) -> float:
    """Return the lower end of the negative share's 95 % Wilson interval, 0 to 1.

    Small windows are thereby judged with caution: 3 negative of 3 give 0.44, and 300 of 300
    give 0.99. Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209.
    """
    if mentions == 0:
        return 0.0
    share, z2 = negatives / mentions, Z_95**2
    middle = share + z2 / (2 * mentions)
    half = Z_95 * sqrt(share * (1 - share) / mentions + z2 / (4 * mentions**2))
    return max((middle - half) / (1 + z2 / mentions), 0.0)


def count(tally: Tally, condition: Condition) -> Measure:
    """Return what of `tally` the condition counts."""
    topics, platforms = condition.only_topics, condition.source
    counted = [
        counts
        for (topic, platform), counts in tally.items()
        if (not topics or topic in topics) and (not platforms or platform in platforms)
    ]
    return Measure(
        negatives=sum(one.negatives for one in counted),
        mentions=sum(one.mentions for one in counted),
        window=condition.window,
        reach=sum(one.reach for one in counted),
    )


def trend_days(days: Sequence[int]) -> int:
    """Return for how many days in a row the counts have grown, up to the last one.

    A rise that chance explains is none: from the first to the last of those days it must be
    above two standard deviations of the difference of two Poisson counts.

    Args:
        days: Counts of whole days, oldest first.

    """
    grown = 0
    while grown + 1 < len(days) and days[-1 - grown] > days[-2 - grown]:
        grown += 1
    if not grown:
        return 0
    first, last = days[-1 - grown], days[-1]
    return grown if (last - first) / sqrt(last + first) >= Z_95 else 0


def holds(
    condition: Condition, measure: Measure, index: float | None = None, trend: int = 0
) -> bool:
    """Say whether every threshold of the condition is reached.

    Args:
        condition: The thresholds.
        measure: What it counts.
        index: The burst index of the same mentions; None where there is none.
        trend: For how many days negative mentions have grown, where all are counted.

    """
    if condition.negative_trend_days_gte is not None and trend < condition.negative_trend_days_gte:
        return False
    if condition.index_gte is not None and (index is None or index < condition.index_gte):
        return False
    if condition.mentions_gte is not None and measure.mentions < condition.mentions_gte:
        return False
    if condition.reach_gte is not None and measure.reach < condition.reach_gte:
        return False
    wanted_share = condition.negative_share_gte
    if wanted_share is not None and (
        measure.mentions < LEAST_SHARE_MENTIONS
        or share_floor(measure.negatives, measure.mentions) < wanted_share
    ):
        return False
    return measure.negatives >= condition.least_negatives


def find_severity(
    protocol: EscalationProtocol,
    tallies: Mapping[timedelta, Tally],
    index: float | None = None,
    trend: int = 0,
) -> Finding | None:
    """Return the worst severity that the counts reach.

    Args:
        protocol: The thresholds.
        tallies: The counts in each window.
        index: The burst index of all that is in the tallies, if it is known.
        trend: For how many days the brand's negative mentions have grown.

    """
    for severity in protocol.severity:
        reached: list[Measure] = []
        for conditions, enough in ((severity.any, any), (severity.all, all)):
            measures = [(one, count(tallies.get(one.window, {}), one)) for one in conditions]
            met = [
                holds(one, measure, index if _counts_all(one, tallies) else None, trend)
                for one, measure in measures
            ]
            if conditions and not enough(met):
                break
            reached += [measure for (_, measure), yes in zip(measures, met, strict=True) if yes]
        else:
            return Finding(severity, max(reached, key=lambda one: one.negatives))
    return None


def _counts_all(condition: Condition, tallies: Mapping[timedelta, Tally]) -> bool:
    """Say whether the condition counts every topic: the index is that of all together."""
    topics = condition.only_topics
    return not topics or all(topic in topics for topic, _ in tallies.get(condition.window, {}))


def is_worse(level: str, than: str) -> bool:
    """Say whether one severity is worse than another."""
    return LEVELS.index(level) < LEVELS.index(than)


def end_of_quiet(hours: tuple[time, time] | None, zone: str, now: datetime) -> datetime:
    """Return `now`, or when the quiet hours that hold now are over.

    Both ends are wall-clock times in the contact's zone, so that they move with daylight
    saving. An end that the clocks skip is the same moment after the jump.
    """
    if hours is None:
        return now
    begin, end = hours
    local = now.astimezone(ZoneInfo(zone))
    wall = local.time()
    is_quiet = begin <= wall < end if begin < end else (wall >= begin or wall < end)
    if not is_quiet:
        return now
    day = local.date() if wall < end else local.date() + timedelta(days=1)
    over = datetime.combine(day, end, tzinfo=ZoneInfo(zone)).astimezone(now.tzinfo)
    return max(over, now)


def retry_wait_s(attempts: int, jitter: float, asked_s: float | None = None) -> float:
    """Return how long to wait after this many failed attempts, in seconds.

    Args:
        attempts: Failed attempts so far, at least one.
        jitter: From 0 to 1; spreads the waits between half and the whole of the step, so that
            many messages do not come back at once.
        asked_s: What the other side asked for; never less than that, up to an hour.

    """
    step = min(FIRST_WAIT_S * 2.0 ** min(attempts - 1, 30), LONGEST_WAIT_S)
    own = step * (0.5 + 0.5 * jitter)
    return max(own, min(asked_s or 0.0, LONGEST_ASKED_WAIT_S))
