"""How big an attack is: negative mentions by the hour, an ordinary day, and the next hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.reasons.why_people import find_coverage
from sentiment.forecast import Range, forecast_paths, range_of, sums_of_draws
from sentiment.ordinary import DAYS_BEFORE, count_label, heard_since, ordinary_hours
from sentiment.rollups import bucket_of
from sentiment.types import Label

#: Hours that are shown before the present and after it.
HOURS_BEFORE, HOURS_AFTER = 24, 6

#: How long after its end an incident's hours are still shown.
AFTERWARDS = timedelta(hours=6)

#: How long before its opening an attack may have begun: that is not ordinary any more.
BEGINS_BEFORE = timedelta(hours=6)

_STEP_S, _QUARTER_S, _HOUR_S = 300, 900, 3600
_HOUR = timedelta(hours=1)
_STEPS_PER_HOUR = _HOUR_S // _QUARTER_S


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the chart.

    Args:
        at: Its beginning.
        negatives: Negative mentions that were published in it; None where it is to come.
        usual: What an ordinary day has at this time; None where nobody knows.
        coming: What it may bring; None where it is over or nothing is expected of it.

    """

    at: datetime
    negatives: int | None
    usual: Range | None
    coming: Range | None


@dataclass(frozen=True, slots=True)
class Coming:
    """What the next hours may bring, if things go on as they did."""

    hours: int
    negatives: Range
    reach: Range | None


@dataclass(frozen=True, slots=True)
class Size:
    """How big an attack is.

    Args:
        hours: Hours before and after the present; that before it ends with the five minutes
            that have just begun.
        last_hour: Negative mentions of that hour.
        usual: What an ordinary day has at this time.
        coming: The forecast; None when the incident is over, or too little is known.
        coverage: What of the shown time was heard, see `why_people.find_coverage`.

    """

    hours: Sequence[Hour]
    last_hour: int
    usual: Range | None
    coming: Coming | None
    coverage: dict[str, Any]

    @property
    def times_usual(self) -> float | None:
        """How many times an ordinary hour the last one was; None where that says nothing."""
        if self.usual is None or self.usual.middle < 1:
            return None
        return self.last_hour / self.usual.middle


def read_size(
    session: Session, incident: Incident, reaches: Sequence[int], *, now: datetime
) -> Size:
    """Return how big an attack is, was, and may become.

    Args:
        session: The transaction.
        incident: The incident.
        reaches: Followers of the authors of its newest posts, from which reach is drawn.
        now: The present.

    """
    over_at = min(now, incident.resolved_at + AFTERWARDS) if incident.resolved_at else now
    # The five minutes that have just begun count: an attack may be younger than they are.
    end = bucket_of(over_at, _STEP_S)
    if end < over_at:
        end += timedelta(seconds=_STEP_S)
    begin = end - HOURS_BEFORE * _HOUR
    steps = count_label(
        session,
        incident.brand_id,
        Label.NEGATIVE,
        since=begin,
        until=end,
        grain_s=_STEP_S,
    )
    attack_at = incident.opened_at - BEGINS_BEFORE
    usual = _usual(session, incident.brand_id, attack_at)
    counts = _sums(steps, begin, end, _HOUR_S)
    hours = [
        Hour(at, counts[number], _at(usual, at), None)
        for number, at in enumerate(begin + number * _HOUR for number in range(HOURS_BEFORE))
    ]
    coming: Coming | None = None
    after: list[Hour] = []
    if incident.status is not IncidentStatus.RESOLVED:
        coming, after = _look_ahead(_sums(steps, begin, end, _QUARTER_S), reaches, end, usual)
    return Size(
        hours=hours + after,
        last_hour=counts[-1],
        usual=_at(usual, end - _HOUR),
        coming=coming,
        coverage=find_coverage(session, incident.brand_id, begin, end),
    )


def _usual(session: Session, brand_id: int, attack_at: datetime) -> dict[int, Range] | None:
    heard = heard_since(session, brand_id)
    before = count_label(
        session,
        brand_id,
        Label.NEGATIVE,
        since=attack_at - timedelta(days=DAYS_BEFORE, hours=1),
        until=attack_at,
        grain_s=_HOUR_S,
    )
    return ordinary_hours(before, heard=heard, until=attack_at)


def _at(usual: dict[int, Range] | None, at: datetime) -> Range | None:
    """Return what is usual in the hour that begins at `at`, between two hours of the clock."""
    if usual is None:
        return None
    first, second = usual[at.hour], usual[(at.hour + 1) % 24]
    share = (at - bucket_of(at, _HOUR_S)) / _HOUR
    return Range(
        low=first.low + share * (second.low - first.low),
        middle=first.middle + share * (second.middle - first.middle),
        high=first.high + share * (second.high - first.high),
    )


def _sums(steps: dict[datetime, int], begin: datetime, end: datetime, width_s: int) -> list[int]:
    sums = [0] * int((end - begin).total_seconds() // width_s)
    for at, mentions in steps.items():
        place = int((at - begin).total_seconds() // width_s)
        if 0 <= place < len(sums):
            sums[place] += mentions
    return sums


def _look_ahead(
    quarters: Sequence[int],
    reaches: Sequence[int],
    end: datetime,
    usual: dict[int, Range] | None,
) -> tuple[Coming | None, list[Hour]]:
    paths = forecast_paths(quarters, HOURS_AFTER * _STEPS_PER_HOUR)
    if paths is None:
        return None, []
    by_hour = paths.reshape(len(paths), HOURS_AFTER, _STEPS_PER_HOUR).sum(axis=2)
    hours = []
    for number in range(HOURS_AFTER):
        at = end + number * _HOUR
        hours.append(Hour(at, None, _at(usual, at), range_of(by_hour[:, number])))
    totals = by_hour.sum(axis=1)
    reach = None
    if any(reaches):
        reach = range_of(sums_of_draws(totals, reaches))
    return Coming(HOURS_AFTER, range_of(totals), reach), hours
