from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from listener.collection_models import Collection
from listener.coverage import coverage, find_gaps, is_silent, source_health
from listener.gaps import record_gaps
from listener.models import Source, SourceState
from listener.quarantine import quarantine
from listener.types import GapKind, GapReport, RejectedItem
from tests.make import NOW, make_brand

HOUR = timedelta(hours=1)


def _source(session: Session, brand_id: int, **changes: Any) -> Source:
    values: dict[str, Any] = {
        "name": "search",
        "platform": "x",
        "options": {},
        "every_s": 60,
        "state": SourceState.OK,
        "created_at": NOW - timedelta(days=30),
        "last_success_at": NOW,
    }
    source = Source(brand_id=brand_id, **(values | changes))
    session.add(source)
    session.flush()
    return source


def _gap(session: Session, source: Source, start: datetime | None, end: datetime | None) -> None:
    report = GapReport(GapKind.TRUNCATED, start, end, "page cap")
    record_gaps(session, source.id, [report], NOW)


def test_health_tells_what_a_source_did(session: Session) -> None:
    brand = make_brand(session, key="acme")
    source = _source(session, brand.id, newest_post_at=NOW - HOUR, last_error=None)
    _source(session, brand.id, name="gone", is_active=False)
    for hours, new in ((1, 5), (2, 7), (30, 100)):
        session.add(Collection(source_id=source.id, started_at=NOW - hours * HOUR, new=new))
    _gap(session, source, NOW - HOUR, NOW)
    quarantine(session, [RejectedItem("no date", "{}")], source_id=source.id, now=NOW)
    session.flush()

    [health] = source_health(session, NOW)

    assert (health.brand_key, health.name, health.state) == ("acme", "search", SourceState.OK)
    assert (health.posts_24h, health.open_gaps, health.quarantined) == (12, 1, 1)
    assert health.newest_post_age == HOUR
    assert (health.is_late, health.is_silent) == (False, False)
    assert source_health(session, NOW + HOUR)[0].is_late


@pytest.mark.parametrize(
    ("count", "every", "age", "expected"),
    [
        (100, timedelta(minutes=10), timedelta(minutes=20), False),
        (100, timedelta(minutes=10), timedelta(minutes=31), True),
        (100, timedelta(hours=10), timedelta(hours=19), False),
        (100, timedelta(hours=10), timedelta(hours=21), True),
        (100, timedelta(seconds=1), timedelta(minutes=29), False),
        (5, timedelta(seconds=1), timedelta(days=9), False),
    ],
)
def test_silence_is_judged_by_the_sources_own_past(
    count: int, every: timedelta, age: timedelta, *, expected: bool
) -> None:
    times = [NOW - age - every * number for number in range(count)]

    assert is_silent(times, NOW) is expected


def test_coverage_takes_off_open_gaps_once(session: Session) -> None:
    brand = make_brand(session)
    source = _source(session, brand.id)
    start = NOW - 10 * HOUR
    assert coverage(session, brand.id, start, NOW) == 1.0

    _gap(session, source, NOW - 4 * HOUR, NOW - 2 * HOUR)
    _gap(session, source, NOW - 3 * HOUR, NOW - 2 * HOUR)
    _gap(session, source, NOW - 20 * HOUR, NOW - 15 * HOUR)
    assert coverage(session, brand.id, start, NOW) == pytest.approx(0.8)

    _gap(session, source, None, NOW - 9 * HOUR)
    assert coverage(session, brand.id, start, NOW) == pytest.approx(0.7)
    assert len(find_gaps(session, brand_id=brand.id)) == 4
    assert find_gaps(session, brand_id=brand.id + 1) == []


def test_coverage_takes_off_what_was_not_read_yet(session: Session) -> None:
    brand = make_brand(session)
    _source(session, brand.id, last_success_at=NOW - 5 * HOUR)
    start = NOW - 10 * HOUR

    assert coverage(session, brand.id, start, NOW) == pytest.approx(0.5)


def test_coverage_is_the_mean_of_the_sources(session: Session) -> None:
    brand = make_brand(session)
    assert coverage(session, brand.id, NOW - HOUR, NOW) is None
    _source(session, brand.id)
    _source(session, brand.id, name="new", created_at=NOW + 24 * HOUR, last_success_at=None)

    assert coverage(session, brand.id, NOW - HOUR, NOW) == pytest.approx(0.5)
    assert coverage(session, brand.id, NOW, NOW) is None
