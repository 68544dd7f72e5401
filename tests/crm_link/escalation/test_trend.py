from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import get_incident, resolve
from crm_link.escalation.rules import trend_days
from tests.crm_link.making import (
    NOON,
    PROTOCOL,
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)

TREND = PROTOCOL.replace(
    "escalation:\n",
    "  - {level: SEV-4, any: [{negative_trend_days_gte: 3, negatives_gte: 2}], ack: 4h}\n"
    "escalation:\n",
)


@pytest.mark.parametrize(
    ("days", "grown"),
    [
        ([], 0),
        ([5], 0),
        ([4, 9, 16, 30], 3),
        ([9, 4, 9, 16, 30], 3),
        ([4, 9, 9, 30], 1),
        ([30, 16, 9], 0),
        ([3, 4, 5, 6], 0),  # chance does that
        ([0, 1, 2, 4], 3),
    ],
)
def test_days_that_grow_are_counted_where_chance_does_not_explain_it(
    days: list[int], grown: int
) -> None:
    assert trend_days(days) == grown


def test_three_days_of_growth_are_an_incident_and_no_second_one_on_the_day_it_was_dealt_with(
    sessions: sessionmaker[Session],
) -> None:
    brand_id, clock = make_brand(sessions), MovableClock()
    for days_ago, count in ((4, 1), (3, 3), (2, 6), (1, 9)):
        at = NOON - timedelta(days=days_ago)
        make_burst(sessions, brand_id, count, published_at=at)
    protocols = {brand_id: make_protocol(TREND)}
    assert detect(sessions, protocols, clock=clock) == []  # nothing of it today
    make_burst(sessions, brand_id, 2)

    (incident_id,) = detect(sessions, protocols, clock=clock)

    with sessions.begin() as session:
        assert get_incident(session, incident_id).severity == "SEV-4"
        resolve(session, incident_id, by="anna", reason="answered", clock=clock)
    clock.forward(minutes=5)
    make_burst(sessions, brand_id, 2, published_at=clock.now)
    assert detect(sessions, protocols, clock=clock) == []
