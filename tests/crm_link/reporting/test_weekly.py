from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from crm_link.board.tables import as_csv
from crm_link.models import FlagStatus
from crm_link.reporting import response_times
from crm_link.reporting.response_times import (
    read_response_times,
    responses_table,
    week_of,
)
from crm_link.reporting.weekly import last_week, read_weekly, weekly_table
from crm_link.types import Priority
from listener.models import Brand
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from tests.api.build import make_flag, make_incident
from tests.make import NOW, make_brand, make_mention

SINCE, UNTIL = last_week(NOW)


def flagged(
    session: Session, brand: Brand, priority: Priority, after_h: float | None, by: str = "kim"
) -> None:
    at = SINCE + timedelta(days=1)
    closed = None if after_h is None else at + timedelta(hours=after_h)
    make_flag(
        session,
        make_mention(session, brand, published_at=at),
        priority,
        created_at=at,
        closed_at=closed,
        closed_by=None if closed is None else by,
        status=FlagStatus.OPEN if closed is None else FlagStatus.DONE,
    )


def test_the_last_week_is_monday_to_monday() -> None:
    assert (SINCE.weekday(), UNTIL - SINCE) == (0, timedelta(weeks=1))
    assert week_of(NOW) == UNTIL


def test_all_flags_are_counted_where_only_a_sample_is_timed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_times, "MOST_TIMED", 5)
    brand = make_brand(session)
    for _ in range(20):
        flagged(session, brand, Priority.RISK, 2)
    flagged(session, brand, Priority.RISK, None)

    found = read_response_times(session, brand.id, SINCE, UNTIL, now=NOW)

    assert (found.whole.flagged, found.whole.handled, found.whole.open) == (21, 20, 1)
    assert found.whole.in_time + found.whole.late == 21
    assert found.whole.median_s == 2 * 3600


def test_response_times_are_by_priority_person_and_week(session: Session) -> None:
    brand = make_brand(session)
    for hours, by in ((1, "kim"), (2, "kim"), (9, "jo"), (None, "")):
        flagged(session, brand, Priority.RISK, hours, by)
    flagged(session, brand, Priority.OTHER, None)
    flagged(session, make_brand(session, drill_of_id=brand.id), Priority.RISK, 1)

    found = read_response_times(session, None, SINCE, UNTIL, now=NOW)

    risk, other = found.priorities
    assert (risk.name, risk.flagged, risk.handled, risk.open) == ("risk", 4, 3, 1)
    assert (risk.median_s, risk.p90_s) == (2 * 3600, 9 * 3600)
    assert (other.handled, other.median_s) == (0, None)
    assert [(one.name, one.handled) for one in found.people] == [("kim", 2), ("jo", 1)]
    assert [one.name for one in found.weeks] == [SINCE.date().isoformat()]
    assert "priority,risk,4,3,1" in as_csv(responses_table(found))


def test_a_week_is_told_against_the_week_before(session: Session) -> None:
    brand = make_brand(session)
    for days, size in ((1, 60), (8, 30)):
        for label, part in (("negative", 2), ("positive", 1)):
            for grain_s in GRAINS_S:
                session.add(
                    Volume(
                        brand_id=brand.id,
                        grain_s=grain_s,
                        bucket_at=bucket_of(UNTIL - timedelta(days=days), grain_s),
                        platform="x",
                        label=label,
                        mentions=size * part,
                    )
                )
    incident = make_incident(session, brand, UNTIL - timedelta(days=2))
    session.flush()

    found = read_weekly(session, brand, SINCE, UNTIL, now=NOW)

    assert (found.mentions, found.mentions_before) == (180, 90)
    assert found.net.value is not None
    assert round(found.net.value, 2) == -0.33
    assert found.change is not None
    assert found.change.value == 1.0
    assert [one.id for one in found.incidents] == [incident.id]
    assert "volume,mentions,180" in as_csv(weekly_table(found))
