"""What headers say about waiting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from listener.answers import retry_after_s, seconds_of, seconds_until
from listener.overlap import SHORT_OVERLAP_S, overlap_s

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("0", 1.0),
        ("Wed, 04 Mar 2026 12:01:00 GMT", 60.0),
        ("Wed, 04 Mar 2026 11:00:00 GMT", 1.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": value}, NOW) == seconds


def test_resets_are_moments_or_seconds() -> None:
    assert seconds_until(str(int(NOW.timestamp()) + 90), NOW) == 90
    assert seconds_until("later", NOW) is None
    assert seconds_until(None, NOW) is None
    assert seconds_of("12.5") == 12.5
    assert seconds_of(None) is None


def test_a_dense_overlap_is_swept_three_times() -> None:
    assert overlap_s(90, None, NOW) == 90
    assert overlap_s(90, NOW.replace(second=0, minute=0), NOW.replace(second=29)) == SHORT_OVERLAP_S
    assert overlap_s(90, NOW.replace(second=0, minute=0), NOW.replace(second=30)) == 90
    assert overlap_s(1, NOW, NOW) == 1
