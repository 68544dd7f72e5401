"""The war room: how big it is beside an ordinary day, what comes, and what is said."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.war_room.incident_view import view_incident
from listener.models import Brand
from sentiment.models import Volume
from tests.api.build import judged, make_incident
from tests.api.conftest import NOW
from tests.make import make_author, make_brand, make_mention

KEY = ("brand_id", "grain_s", "bucket_at", "platform", "label")


def _count(session: Session, brand: Brand, at: datetime, grain_s: int, mentions: int) -> None:
    row = dict(zip(KEY, (brand.id, grain_s, at, "x", "negative"), strict=True))
    row |= {"mentions": mentions, "score_sum": 0.0}
    upsert(session, Volume, [row], key=KEY, add_columns=["mentions", "score_sum"])


def _attack(session: Session, *, days: int = 14) -> Incident:
    """Write an ordinary fortnight of two an hour, and an attack of sixty in the last hour."""
    brand = make_brand(session)
    for number in range(24 * days):
        _count(session, brand, NOW - timedelta(hours=number + 8), 3600, 2)
    for number in range(12):
        _count(session, brand, NOW - timedelta(minutes=5 * (number + 1)), 300, 5)
        _count(session, brand, NOW - timedelta(hours=2 * number + 2), 300, 2)
    for number in range(6):
        make_mention(
            session,
            brand,
            author_id=make_author(session, followers=1000 * (number % 2)).id,
            published_at=NOW - timedelta(minutes=number + 2),
            **judged("negative", topic="glass", lang="es" if number else "en"),
        )
    gone = make_mention(
        session,
        brand,
        author_id=make_author(session, followers=10**6).id,
        published_at=NOW - timedelta(minutes=3),
        deleted_at=NOW,
        **judged("negative", topic="glass"),
    )
    assert gone.id
    return make_incident(session, brand, NOW)


def test_the_last_hour_stands_beside_an_ordinary_one_and_the_next_six(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        incident = _attack(session)
    with sessions() as session:
        size = view_incident(session, incident.id, now=NOW).size

    assert size is not None
    assert size.last_hour == 60
    assert size.usual is not None
    assert size.usual.middle == 2
    assert size.times_usual == 30
    past = [hour for hour in size.hours if hour.negatives is not None]
    ahead = [hour for hour in size.hours if hour.coming is not None]
    assert (len(past), len(ahead)) == (24, 6)
    assert past[-1].at + timedelta(hours=1) == ahead[0].at == NOW
    assert size.coming is not None
    assert size.coming.negatives.low < size.coming.negatives.middle < size.coming.negatives.high
    assert size.coming.reach is not None
    assert size.coming.reach.high > 0


def test_an_attack_of_a_minute_ago_is_in_the_last_hour(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        incident = _attack(session)
        _count(session, session.get_one(Brand, incident.brand_id), NOW, 300, 40)
    with sessions() as session:
        size = view_incident(session, incident.id, now=NOW + timedelta(minutes=1)).size

    assert size is not None
    # The hour ends with the five minutes that have just begun, and loses its first five.
    assert size.last_hour == 60 - 5 + 40
    assert [one.negatives for one in size.hours if one.negatives is not None][-1] == 95


def test_nothing_is_expected_of_what_is_over_and_nothing_is_usual_of_a_young_brand(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        incident = _attack(session, days=3)
        incident.status = IncidentStatus.RESOLVED
        incident.resolved_at, incident.open_key = NOW, None
    with sessions() as session:
        size = view_incident(session, incident.id, now=NOW + timedelta(days=2)).size

    assert size is not None
    assert size.coming is None
    assert size.usual is None
    assert size.times_usual is None
    assert max(hour.negatives or 0 for hour in size.hours) == 60


def test_posts_are_counted_and_what_was_deleted_is_not_among_them(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        incident = _attack(session)
    with sessions() as session:
        posts = view_incident(session, incident.id, now=NOW).posts

    assert posts is not None
    assert posts.looked_at == 6
    assert posts.is_all
    assert posts.languages == {"es": 5, "en": 1}
    assert len(posts.top) == 6
    assert posts.top[0].author is not None
    assert posts.top[0].author.followers == 1000
    assert sorted(posts.reaches) == [0, 0, 0, 1000, 1000, 1000]
