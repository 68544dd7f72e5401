from __future__ import annotations

import pytest

from sentiment.comparison import net_change, volume_change
from sentiment.trends import TrendPoint, net_sentiment
from tests.make import NOW


def _points(*counts: int) -> list[TrendPoint]:
    return [TrendPoint(NOW, 0, count, 0, 0) for count in counts]


def test_twice_as_many_is_a_clear_change() -> None:
    found = volume_change(_points(*[20] * 12), _points(*[10] * 12))

    assert found is not None
    assert found.value == pytest.approx(1.0)
    assert 0.6 < found.low < 1.0 < found.high < 1.5
    assert found.is_clear


def test_points_that_scatter_widen_the_interval() -> None:
    even = volume_change(_points(*[15] * 12), _points(*[10] * 12))
    uneven = volume_change(_points(*[180, *[0] * 11]), _points(*[120, *[0] * 11]))

    assert even is not None
    assert uneven is not None
    assert even.value == uneven.value
    assert even.is_clear
    assert not uneven.is_clear


def test_too_few_mentions_are_not_compared() -> None:
    assert volume_change(_points(100, 100), _points(9, 10)) is None
    assert volume_change(_points(9, 10), _points(100, 100)) is None


def test_net_sentiment_changes_with_the_uncertainty_of_both() -> None:
    now = net_sentiment([TrendPoint(NOW, 80, 10, 10, 0)])
    before = net_sentiment([TrendPoint(NOW, 20, 60, 20, 0)])
    found = net_change(now, before)

    assert found is not None
    assert found.value == pytest.approx(-0.7)
    assert found.low < -0.8
    assert -0.6 < found.high < 0
    assert net_change(now, net_sentiment([])) is None
