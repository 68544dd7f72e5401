from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from crm_link.escalation.reports.curve import peak_of, rebound
from sentiment.trends import TrendPoint

BEGAN = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ORDINARY = (2, 6, 2)  # negative, neutral, positive in an hour


def hours(
    of: Callable[[float], tuple[int, int, int]], *, before: int = 28, after: int = 6
) -> list[TrendPoint]:
    """Return hourly points; `of` takes the days since the attack began."""
    return [
        TrendPoint(BEGAN + timedelta(hours=number), *of(number / 24), 0)
        for number in range(-24 * before, 24 * after)
    ]


def test_days_are_counted_until_volume_and_sentiment_are_both_ordinary() -> None:
    def shape(day: float) -> tuple[int, int, int]:
        if 0 <= day < 2:
            return (60, 5, 1)
        return (5, 4, 1) if 2 <= day < 4 else ORDINARY  # quiet again, and still angry

    found = rebound(hours(shape), began_at=BEGAN, now=BEGAN + timedelta(days=6))

    assert (found.volume_days, found.net_days, found.days) == (3, 5, 5)
    assert found.band is not None
    assert (found.band.days, found.band.volume_high, found.band.net_low) == (28, 240.0, 0.0)


def test_what_is_not_over_is_not_said_to_be() -> None:
    found = rebound(
        hours(lambda day: (60, 5, 1) if day >= 0 else ORDINARY),
        began_at=BEGAN,
        now=BEGAN + timedelta(days=2, hours=5),
    )

    assert (found.days, found.looked_days) == (None, 2)


def test_a_brand_with_a_short_past_has_no_ordinary_day() -> None:
    points = hours(lambda day: ORDINARY if day > -3 else (0, 0, 0))

    assert rebound(points, began_at=BEGAN, now=BEGAN + timedelta(days=5)).band is None


def test_sentiment_that_was_never_judged_does_not_hold_up_the_rebound() -> None:
    def silent(day: float) -> tuple[int, int, int]:
        return (40, 0, 0) if 0 <= day < 1 else (0, 0, 0)

    points = [
        TrendPoint(point.at, point.negative, 0, 0, 0 if point.negative else 3)
        for point in hours(silent)
    ]

    found = rebound(points, began_at=BEGAN, now=BEGAN + timedelta(days=5))

    assert found.days == 2
    assert found.band is not None
    assert found.band.net_low is None


def test_the_peak_is_the_first_loudest_point() -> None:
    points = hours(lambda day: (9, 0, 0) if 0 <= day < 1 else (1, 0, 0))

    found = peak_of(points)

    assert found is not None
    assert found.at == BEGAN
    assert peak_of([TrendPoint(BEGAN, 0, 0, 0, 0)]) is None
