"""A false-alarm budget: "at most N false alarms a week", worked out from a brand's own past.

For each hour the highest index of a brand is kept, all of its series weighed together. The
index at which those hours would have alerted at most so often is the brand's own: a calm one's
is low, so that an attack is found sooner; a noisy one's is high. Nobody says afterwards which
alarm was false, so every one counts as if it were: an attack of last week takes its place in
the budget, and makes the next one's bar higher rather than lower.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.bulk import upsert
from sentiment.bursts.config import DAY_S, HOUR_S, BurstConfig
from sentiment.bursts.rules import OnePerIncident
from sentiment.bursts.series import Followed
from sentiment.models import BurstHour

#: How far back a budget is worked out from, ...
LOOK_BACK = timedelta(days=28)

#: ... and how much of that must be known; before, the index stays as it is.
LEAST_HOURS = 7 * 24

#: A budget's index is looked for in these steps, from the lowest to the highest.
CHOICE_STEP, LOWEST_CHOICE, HIGHEST_CHOICE = 0.05, 0.5, 20.0

#: Hours are kept a little longer than they are looked at.
_KEPT = LOOK_BACK + timedelta(days=7)

WEEK_S = 7 * DAY_S

#: When the index was how high, in order.
Path = Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a threshold would have done."""

    alert_index: float
    alerts: int
    per_week: float


def alerts_at(path: Path, alert_index: float) -> list[tuple[datetime, bool]]:
    """Return when people would have been told, and whether that was the first of an incident.

    An incident is told once, and again each time that its index has doubled.
    """
    config = BurstConfig()
    rule = OnePerIncident(arming=alert_index, quiet_s=config.quiet_s, growth=config.growth)
    found: list[tuple[datetime, bool]] = []
    for at, index in path:
        if rule.lets_through(index, at.timestamp()):
            is_new = not found or (at - found[-1][0]).total_seconds() >= config.quiet_s
            found.append((at, is_new))
    return found


def try_index(path: Path, alert_index: float, step_s: float) -> Choice:
    """Return how many incidents there would have been; the path has a value each `step_s`."""
    alerts = sum(is_new for _, is_new in alerts_at(path, alert_index))
    return Choice(alert_index, alerts, alerts * WEEK_S / max(len(path) * step_s, step_s))


def choose_index(path: Path, per_week: float, step_s: float) -> float:
    """Return the lowest threshold with at most `per_week` alerts a week."""
    for number in range(round(LOWEST_CHOICE / CHOICE_STEP), round(HIGHEST_CHOICE / CHOICE_STEP)):
        threshold = round(number * CHOICE_STEP, 2)
        if try_index(path, threshold, step_s).per_week <= per_week:
            return threshold
    return HIGHEST_CHOICE


def budget_index(session: Session, brand_id: int, per_week: float, now: datetime) -> float:
    """Return the index at which a brand's last weeks would have alerted at most so often.

    The newest day is left out: what is going on now must not raise its own bar. 1.0 while
    less than a week is known.
    """
    hours = session.execute(
        select(BurstHour.hour_at, BurstHour.burst_index)
        .where(
            BurstHour.brand_id == brand_id,
            BurstHour.hour_at >= now - LOOK_BACK,
            BurstHour.hour_at < now - timedelta(days=1),
        )
        .order_by(BurstHour.hour_at)
    ).all()
    if len(hours) < LEAST_HOURS:
        return 1.0
    return choose_index([(at, index) for at, index in hours], per_week, HOUR_S)


def store_peaks(session: Session, followed: Iterable[Followed]) -> None:
    """Write each brand's highest index of the hours that went by; what is higher stays.

    The caller holds the locks of the brands' detectors.
    """
    peaks: dict[tuple[int, datetime], float] = defaultdict(float)
    for one in followed:
        for hour, index in one.peaks.items():
            key = one.series.brand_id, hour
            peaks[key] = max(peaks[key], index)
    if not peaks:
        return
    brands = {brand_id for brand_id, _ in peaks}
    newest = max(hour for _, hour in peaks)
    known = {
        (row.brand_id, row.hour_at): row.burst_index
        for row in session.execute(
            select(BurstHour.brand_id, BurstHour.hour_at, BurstHour.burst_index).where(
                BurstHour.brand_id.in_(brands),
                BurstHour.hour_at >= min(hour for _, hour in peaks),
            )
        )
    }
    rows = [
        {"brand_id": brand_id, "hour_at": hour, "burst_index": round(index, 3)}
        for (brand_id, hour), index in peaks.items()
        if index > known.get((brand_id, hour), -1.0)
    ]
    upsert(session, BurstHour, rows, key=("brand_id", "hour_at"), update_columns=["burst_index"])
    if any((row["brand_id"], row["hour_at"]) not in known for row in rows):
        session.execute(
            delete(BurstHour).where(
                BurstHour.brand_id.in_(brands), BurstHour.hour_at < newest - _KEPT
            )
        )
