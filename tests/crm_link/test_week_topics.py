"""The topics of whole weeks are found in advance, so that nobody waits for a weekly report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.board import week_topics as weeks
from crm_link.board.tables import as_csv
from crm_link.board.week_topics import (
    KEPT,
    SETTLED,
    ask_for_week,
    find_week_topics,
    week_topics,
)
from crm_link.reporting.weekly import read_weekly, weekly_table
from listener.models import Brand
from sentiment.facet_models import TopicBoard
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from sentiment.topic_windows import TopicWindow
from tests.make import make_brand, make_mention

#: A Wednesday, and the Monday before it.
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = timedelta(weeks=1)
SAID_AT = MONDAY - timedelta(days=3)

_WORDS = ("red", "green", "blue", "small", "large", "wooden", "paper", "glass", "old", "brown")


@pytest.fixture
def brand_id(sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(weeks, "AT_ONCE", 10)
    with sessions.begin() as session:
        brand = make_brand(session)
        for text, count in (
            ("My {} parcel was lost by the courier", 40),
            ("The {} login screen of the app is new", 20),
        ):
            for number in range(count):
                make_mention(
                    session,
                    brand,
                    text=text.format(_WORDS[number % len(_WORDS)]),
                    label="negative",
                    lang="en",
                    published_at=SAID_AT - timedelta(minutes=number),
                    pending=None,
                )
        for grain_s in GRAINS_S:
            at = bucket_of(SAID_AT, grain_s)
            session.add(
                Volume(
                    brand_id=brand.id,
                    grain_s=grain_s,
                    bucket_at=at,
                    platform="x",
                    label="negative",
                    mentions=60,
                )
            )
        return brand.id


def _csv(sessions: sessionmaker[Session], brand_id: int, *, at_once: bool) -> list[str]:
    with sessions() as session:
        brand = session.get_one(Brand, brand_id)
        found = read_weekly(session, brand, MONDAY - WEEK, MONDAY, now=NOW, at_once=at_once)
        return [one for one in as_csv(weekly_table(found)).splitlines() if one.startswith("topic")]


def test_a_large_week_says_that_its_topics_are_not_found_until_they_are(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    early = _csv(sessions, brand_id, at_once=True)
    done = find_week_topics(sessions, clock=lambda: NOW)
    late = _csv(sessions, brand_id, at_once=True)

    assert [one.partition(",")[2].rstrip(",") for one in early] == ["not found yet"]
    assert done == 1
    assert late == _csv(sessions, brand_id, at_once=False)
    assert [one.rpartition(",")[2] for one in late] == ["40", "20"]
    assert find_week_topics(sessions, clock=lambda: NOW) == 0


def test_a_week_is_looked_at_once_more_when_late_posts_are_in_and_forgotten_when_old(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    assert find_week_topics(sessions, clock=lambda: MONDAY + timedelta(minutes=1)) == 1
    assert find_week_topics(sessions, clock=lambda: MONDAY + SETTLED) == 1
    assert find_week_topics(sessions, clock=lambda: NOW) == 0

    find_week_topics(sessions, clock=lambda: NOW + 9 * WEEK)

    with sessions() as session:
        assert session.scalars(select(TopicBoard.period)).all() == []
    assert brand_id


def test_a_week_that_is_not_found_in_advance_is_found_when_somebody_asks(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    since, until = MONDAY - timedelta(days=6), MONDAY + timedelta(days=1)

    def topics() -> TopicWindow | None:
        with sessions() as session:
            return week_topics(session, brand_id, since, until, most=5)

    for _ in range(2):
        ask_for_week(sessions, brand_id, since, until, clock=lambda: NOW)
    ask_for_week(sessions, brand_id, MONDAY - WEEK, MONDAY, clock=lambda: NOW)
    assert topics() is None

    assert find_week_topics(sessions, clock=lambda: NOW) == 2  # the one asked for, and Monday's
    found = topics()
    assert found is not None
    assert [one.posts for one in found.topics] == [40, 20]
    assert find_week_topics(sessions, clock=lambda: NOW + KEPT) == 0
    assert topics() == found
    find_week_topics(sessions, clock=lambda: NOW + KEPT + timedelta(minutes=1))
    assert topics() is None
