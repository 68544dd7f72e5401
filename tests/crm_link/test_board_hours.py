from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.board import hour_sums
from crm_link.board import hours as board_hours
from crm_link.board.hours import sum_hours
from crm_link.board.tables import board_table
from crm_link.board.topics import board_topics, find_board_topics, topic_ids
from crm_link.board.voices import influencers_of
from crm_link.escalation.incidents import resolve
from listener.models import Brand, Mention
from sentiment.due_hours import mark_hours
from sentiment.facet_models import DueHour, Facet
from sentiment.facets import facet_series, facets_of, places_of
from sentiment.rollups import bucket_of
from sentiment.signals.service import due_ids, signal_mentions
from tests.api.build import judged, make_incident, make_signals
from tests.make import NOW, make_author, make_brand, make_mention

HOUR = timedelta(hours=1)
DAY = (NOW - 24 * HOUR, NOW)


def _say(session: Session, brand: Brand, label: str = "negative", **changes: Any) -> Mention:
    values = {"published_at": NOW - 2 * HOUR} | judged(label) | changes
    return make_mention(session, brand, **values)


def _sum(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        make_signals(session, NOW)
    with sessions() as session:
        ids: Sequence[int] = due_ids(session, 1000)
    signal_mentions(sessions, ids)
    done = 0
    while count := sum_hours(sessions, settles_s=0):
        done += count
    return done


@pytest.fixture
def acme(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_brand(session, key="acme").id


def test_sums_say_what_the_mentions_say(sessions: sessionmaker[Session], acme: int) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, acme)
        _say(session, brand, text="Acme, I want a refund")
        _say(session, brand, "positive", published_at=NOW - 5 * HOUR)
        _say(session, brand, "unknown", lang="ar")
        _say(session, brand, published_at=NOW - 30 * HOUR)
        _say(session, brand, deleted_at=NOW)

    assert _sum(sessions) == 3

    with sessions() as session:
        found = facets_of(session, acme, *DAY)
        english, arabic = found.of("lang")
        assert (english.value, english.mentions, english.before) == ("en", 2, 1)
        assert (english.read, english.net.value, arabic.read) == (2, 0.0, 0)
        assert found.count("emotion", "anger") == 1
        assert found.count("intent", "complaint") == 1
        assert found.count("signals", "known") == 3
        assert found.of("source")[0].value == "import"
        points = facet_series(session, acme, *DAY, kind="emotion", grain_s=3600)
        assert len(points) == 24
        assert points[bucket_of(NOW - 5 * HOUR, 3600)] == {"joy": 1}
        week = facets_of(session, acme, NOW - 7 * 24 * HOUR, NOW)
        assert [one.mentions for one in week.of("lang")] == [3, 1]


def test_a_change_is_summed_again_and_twice_is_once(
    sessions: sessionmaker[Session], acme: int
) -> None:
    with sessions.begin() as session:
        mention = _say(session, session.get_one(Brand, acme))
        mention_id, at = mention.id, mention.published_at
    assert _sum(sessions) == 1
    assert sum_hours(sessions, settles_s=0) == 0

    with sessions.begin() as session:
        session.get_one(Mention, mention_id).lang = "de"
        for _ in range(2):
            mark_hours(session, {(acme, bucket_of(at, 3600))}, utc_now())
    assert sum_hours(sessions, settles_s=3600) == 0
    assert sum_hours(sessions, settles_s=0) == 1

    with sessions() as session:
        assert [one.value for one in facets_of(session, acme, *DAY).of("lang")] == ["de"]


def test_an_hour_that_changes_while_it_is_summed_stays_marked(
    sessions: sessionmaker[Session], acme: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        at = _say(session, session.get_one(Brand, acme)).published_at
        mark_hours(session, {(acme, bucket_of(at, 3600))}, NOW)
    summed = hour_sums.sums_of

    def interrupted(session: Session, brand_id: int, hour_at: Any) -> Any:
        found = summed(session, brand_id, hour_at)
        with sessions.begin() as other:
            mark_hours(other, {(acme, hour_at)}, NOW)
        return found

    monkeypatch.setattr(board_hours, "sums_of", interrupted)
    assert sum_hours(sessions, settles_s=0) == 0
    monkeypatch.undo()

    with sessions() as session:
        assert session.scalars(select(DueHour.marks)).one() == 2
        assert session.scalar(select(Facet)) is None
    assert sum_hours(sessions, settles_s=0) == 1


def test_places_are_shown_from_ten_people_on(sessions: sessionmaker[Session], acme: int) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, acme)
        people = [make_author(session, location="Lyon, France").id for _ in range(10)]
        few = [make_author(session, location="Oslo").id for _ in range(9)]
        for number, author_id in enumerate([*people, *few, *few]):
            _say(session, brand, author_id=author_id, published_at=NOW - (1 + number % 7) * HOUR)
        _say(session, brand, published_at=NOW - 30 * HOUR, author_id=few[0])
    _sum(sessions)

    with sessions() as session:
        [place] = places_of(session, acme, *DAY)
        assert (place.value, place.mentions, place.net.value) == ("FR", 10, -1.0)
        [place] = places_of(session, acme, NOW - 7 * 24 * HOUR, NOW)
        assert place.value == "FR"


def test_who_reached_most_is_known_with_what_they_said(
    sessions: sessionmaker[Session], acme: int
) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, acme)
        loud = make_author(session, name="Loud", followers=100_000).id
        often = make_author(session, name="Often", followers=40_000).id
        make_author(session, followers=10**6)
        _say(session, brand, author_id=loud, text="Acme once")
        for number in range(3):
            at = NOW - (2 + number) * HOUR
            _say(session, brand, author_id=often, text=f"Acme {number}", published_at=at)
    _sum(sessions)

    with sessions() as session:
        first, second = influencers_of(session, acme, *DAY)
        assert (first.author.name, first.impressions, first.reach.negative) == ("Often", 120_000, 3)
        assert first.last is not None
        assert first.last.text == "Acme 0"
        assert second.author.name == "Loud"
        table = board_table(session, "influencers", acme, period="24h", now=NOW)
        assert table.rows[0][:4] == ("x", first.author.handle, 40_000, 3)


def test_topics_of_a_day_are_found_each_minute_while_an_incident_is_open(
    sessions: sessionmaker[Session], acme: int
) -> None:
    with sessions.begin() as session:
        make_brand(session, key="other", name="Other")
        incident = make_incident(session, session.get_one(Brand, acme), NOW).id
    find_board_topics(sessions, clock=lambda: NOW)
    later = NOW + timedelta(minutes=1)

    assert find_board_topics(sessions, clock=lambda: later) == 2  # the brand's, and all brands'
    with sessions.begin() as session:
        resolve(session, incident, by="ann", reason="answered", clock=lambda: later)

    assert find_board_topics(sessions, clock=lambda: later + timedelta(minutes=1)) == 0


def test_topics_are_found_in_advance_and_lead_to_their_mentions(
    sessions: sessionmaker[Session], acme: int
) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, acme)
        for number in range(12):
            _say(session, brand, text=f"Acme cups with glass, this is dangerous ({number})")
            _say(session, brand, "positive", text=f"Where can I buy Acme beans here? ({number})")
    later = NOW + timedelta(minutes=1)

    assert find_board_topics(sessions, clock=lambda: NOW) == 6
    assert find_board_topics(sessions, clock=lambda: later) == 0

    with sessions() as session:
        found = board_topics(session, acme, period="24h", now=later)
        assert found.found_at == NOW
        assert found.window is not None
        topic = next(one for one in found.window.topics if "glass" in " ".join(one.words))
        assert topic_ids(session, acme, found.since, found.until, topic.id) == topic.ids
        assert topic_ids(session, acme, found.since, found.until, "unknown") is None
        much_later = board_topics(session, acme, period="24h", now=NOW + 30 * HOUR)
        assert much_later.window is not None
        assert much_later.window.topics == ()
