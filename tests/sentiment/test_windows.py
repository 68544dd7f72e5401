"""A window's topics, signals and languages, read from the stored mentions."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from listener.models import Brand, Mention
from sentiment import topic_windows
from sentiment.corrections import correct_label
from sentiment.heads import HeadScores
from sentiment.signals.models import StoredTopic
from sentiment.signals.service import JudgedMention, mark_due, signal_mentions
from sentiment.signals.sums import languages_of, signal_sums
from sentiment.topic_windows import remember_topics, topics_of
from sentiment.types import Label
from tests.make import NOW, make_brand, make_mention

_SINCE, _UNTIL = NOW - timedelta(hours=23), NOW + timedelta(hours=1)

_SAID = {
    "parcel": ("My {} parcel was lost by the courier", "negative"),
    "login": ("The {} login screen of the app is new", "neutral"),
}
_WORDS = "red green blue small large wooden paper glass old brown".split()  # noqa: SIM905


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_brand(session).id


def _store(
    sessions: sessionmaker[Session], brand_id: int, counts: dict[str, int], at: datetime = NOW
) -> list[int]:
    with sessions.begin() as session:
        brand = session.get_one(Brand, brand_id)
        return [
            make_mention(
                session,
                brand,
                text=_SAID[kind][0].format(_WORDS[number % len(_WORDS)]),
                label=_SAID[kind][1],
                lang="en",
                published_at=at - timedelta(minutes=number),
                scorer="counting/1",
                confidence=0.9,
                pending=None,
            ).id
            for kind, count in counts.items()
            for number in range(count)
        ]


def test_topics_are_compared_with_the_window_before(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    _store(sessions, brand_id, {"parcel": 40, "login": 20})
    _store(sessions, brand_id, {"parcel": 5, "login": 20}, at=NOW - timedelta(days=1))

    with sessions() as session:
        found = topics_of(session, brand_id, _SINCE, _UNTIL)
        everybody = topics_of(session, None, _SINCE, _UNTIL)

    assert (found.read, found.every, found.with_topic) == (60, 1, 60)
    parcel, login = found.topics
    assert (parcel.posts, parcel.posts_before, parcel.negative_share) == (40, 5, 1.0)
    assert parcel.is_rising
    assert (login.posts, login.posts_before, login.is_rising) == (20, 20, False)
    assert [topic.words for topic in everybody.topics] == [topic.words for topic in found.topics]


def test_remembered_topics_keep_their_ids_and_are_remembered_once_an_hour(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    _store(sessions, brand_id, {"parcel": 40})
    _store(sessions, brand_id, {"login": 30}, at=NOW - timedelta(days=1))
    with sessions() as session:
        first = topics_of(session, brand_id, _SINCE, _UNTIL).topics[0]
    assert first.is_new

    assert remember_topics(sessions, clock=lambda: NOW) == 1
    assert remember_topics(sessions, clock=lambda: NOW + timedelta(minutes=30)) == 0
    _store(sessions, brand_id, {"parcel": 60, "login": 30}, at=NOW + timedelta(hours=20))
    with sessions() as session:
        later = topics_of(session, brand_id, _UNTIL, _UNTIL + timedelta(days=1)).topics[0]
        stored = session.scalars(select(StoredTopic.id)).all()

    assert stored == [first.id]
    assert (later.id, later.is_new) == (first.id, False)


def test_of_very_many_posts_an_even_sample_is_read(
    sessions: sessionmaker[Session], brand_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _store(sessions, brand_id, {"parcel": 90})
    monkeypatch.setattr(topic_windows, "MOST_TEXTS", 30)

    with sessions() as session:
        found = topics_of(session, brand_id, _SINCE, _UNTIL)

    assert found.every == 3
    assert 26 <= found.read <= 34


def test_a_sample_is_even_where_brands_posts_came_in_turn(
    sessions: sessionmaker[Session], brand_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, brand_id)
        for number in range(300):
            make_mention(session, brand, id=100_001 + 10 * number, lang="en", published_at=NOW)
    monkeypatch.setattr(topic_windows, "MOST_TEXTS", 150)

    with sessions() as session:
        found = topics_of(session, brand_id, _SINCE, _UNTIL)

    assert found.every == 2
    assert 130 <= found.read <= 170


def test_nothing_said_has_no_topics(sessions: sessionmaker[Session], brand_id: int) -> None:
    with sessions() as session:
        assert topics_of(session, brand_id, _SINCE, _UNTIL).topics == ()


def test_signals_are_summed_over_the_window(sessions: sessionmaker[Session], brand_id: int) -> None:
    ids = _store(sessions, brand_id, {"parcel": 4, "login": 2})
    old = _store(sessions, brand_id, {"parcel": 3}, at=NOW - timedelta(days=1))
    angry = HeadScores("anger", {"anger": 0.9, "joy": 0.1}, irony=0.7, offensive=0.1)
    with sessions.begin() as session:
        mark_due(
            session,
            [
                JudgedMention(one.id, brand_id, one.published_at, one.label or "", "m/1", angry)
                for one in session.scalars(select(Mention))
            ],
            NOW,
        )
    signal_mentions(sessions, [*ids, *old])

    with sessions() as session:
        found = signal_sums(session, brand_id, _SINCE, _UNTIL, grain_s=3600)

    assert found.mentions == 6
    assert found.emotion_total("anger") == 4, "the neutral ones have no clear emotion"
    assert found.emotions_before["anger"] == 3
    assert len(found.emotions) == 24
    assert found.intents["complaint"] == 4
    assert found.reasons == {"delivery": 4}
    assert (found.ironic, found.offensive, found.spam, found.bots) == (6, 0, 0, 0)


def test_languages_say_what_was_read_unsure_and_checked(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    ids = _store(sessions, brand_id, {"parcel": 4})
    with sessions.begin() as session:
        brand = session.get_one(Brand, brand_id)
        make_mention(session, brand, label="unknown", lang="cy", confidence=0.0)
        make_mention(session, brand, label="neutral", lang="es", confidence=0.4)
        make_mention(session, brand)
        for mention_id, label in zip(ids, (Label.NEGATIVE, Label.POSITIVE), strict=False):
            correct_label(session, mention_id, label, by="ana", clock=lambda: NOW)

    with sessions() as session:
        found = {one.lang: one for one in languages_of(session, brand_id, _SINCE, _UNTIL).languages}

    assert set(found) == {"en", "cy", "es"}
    english = found["en"]
    assert (english.mentions, english.read, english.unsure) == (4, 4, 0)
    assert (english.checked, english.agreed, english.agreement) == (2, 1, 0.5)
    assert (found["cy"].mentions, found["cy"].read) == (1, 0)
    assert found["es"].unsure == 1
    assert found["es"].agreement is None
