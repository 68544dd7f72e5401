"""Why an incident was raised: what grew, who, coordinated or not, what was not seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.models import Incident, IncidentWhy
from crm_link.escalation.reasons.why import explain, explain_incident, find_stored, summarise_why
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Author, Gap, Mention, Source, SourceState
from listener.types import GapKind, PostKind
from tests.crm_link.making import NOON, MovableClock, make_brand, make_protocol
from tests.sentiment.burst_volumes import store_counts

HOUR = timedelta(hours=1)
COMPLAINTS = (
    "The battery of my phone swells after {} days, please take it back",
    "My battery got hot and swells, number {} in our office already",
    "Swollen battery again, {} weeks after the repair of the battery",
)


def make_author(session: Session, number: int, now: datetime, **fields: Any) -> int:
    author = Author(
        platform="x",
        external_id=f"a{number}",
        handle=f"h{number}",
        name=None,
        bio=None,
        location=None,
        links=[],
        verified_links=[],
        followers=number,
        is_verified=None,
        created_at=now - timedelta(days=900),
        first_seen_at=now,
        updated_at=now,
        profile_hash="",
        link_due_at=None,
    )
    for name, value in fields.items():
        setattr(author, name, value)
    session.add(author)
    session.flush()
    return author.id


def make_post(session: Session, brand_id: int, text: str, at: datetime, **fields: Any) -> int:
    values: dict[str, Any] = {
        "platform": "x",
        "external_id": f"p{at.timestamp()}-{text[:40]}-{fields.get('author_id')}",
        "kind": PostKind.POST,
        "links": [],
        "fetched_at": at,
        "label": "negative",
        "topic": "general",
        "lang": "en",
    }
    mention = Mention(brand_id=brand_id, text=text, published_at=at, **(values | fields))
    session.add(mention)
    session.flush()
    return mention.id


def _organic(sessions: sessionmaker[Session], brand_id: int, posts: int = 30) -> list[int]:
    with sessions.begin() as session:
        return [
            make_post(
                session,
                brand_id,
                COMPLAINTS[number % 3].format(number),
                NOON - timedelta(minutes=50) + number * timedelta(seconds=95),
                author_id=make_author(session, number, NOON),
            )
            for number in range(posts)
        ]


def _explained(sessions: sessionmaker[Session], brand_id: int) -> dict[str, Any]:
    with sessions() as session:
        return explain(session, brand_id, None, since=NOON - HOUR, until=NOON)


def test_it_tells_what_grew_who_began_and_where(sessions: sessionmaker[Session]) -> None:
    brand_id = make_brand(sessions)
    ids = _organic(sessions, brand_id)
    with sessions.begin() as session:
        early = make_post(session, brand_id, "A parcel came late", NOON - timedelta(minutes=80))
        session.execute(update(Mention).where(Mention.id == ids[7]).values(reposts=500))

    why = _explained(sessions, brand_id)

    assert (why["posts"], why["posts_before"]) == (30, 1)
    assert early not in why["first_posts"]
    assert why["first_posts"] == ids[:5]
    assert why["top_posts"][0] == ids[7]
    assert why["platforms"] == {"x": 30}
    assert why["languages"] == {"en": 30}
    assert (why["accounts"], why["new_accounts"]) == (30, 0)
    assert {word for topic in why["topics"] for word in topic["words"]} >= {"phone swells"}
    assert sum(topic["posts"] for topic in why["topics"]) == 30
    assert all(topic["before"] == 0 and topic["change"] > 2 for topic in why["topics"])
    assert why["coordination"]["verdict"] == "organic"
    assert why["coordination"]["edges"] == []


def test_of_a_big_burst_the_newest_are_read_and_all_that_are_there_counted(
    sessions: sessionmaker[Session],
) -> None:
    brand_id = make_brand(sessions)
    ids = _organic(sessions, brand_id)
    with sessions.begin() as session:
        session.execute(update(Mention).where(Mention.id == ids[3]).values(deleted_at=NOON))

    with sessions() as session:
        why = explain(session, brand_id, None, since=NOON - HOUR, until=NOON, most=10)

    assert (why["posts"], why["posts_read"], why["first_posts"]) == (29, 10, ids[20:25])


def test_copies_inside_a_minute_are_a_network(sessions: sessionmaker[Session]) -> None:
    brand_id = make_brand(sessions)
    with sessions.begin() as session:
        authors = [make_author(session, number, NOON) for number in range(12)]
        for wave, text in enumerate(
            ("Shame on them, never buy there again", "They lied to us all")
        ):
            for number, author_id in enumerate(authors):
                at = NOON - timedelta(minutes=40 - 10 * wave) + number * timedelta(seconds=3)
                make_post(session, brand_id, text, at, author_id=author_id)

    why = _explained(sessions, brand_id)

    network = why["coordination"]
    assert network["verdict"] == "coordinated"
    assert (network["accounts"], network["share"]) == (12, 1.0)
    assert len(network["nodes"]) == 12
    assert network["edges"][0][2] == 2
    assert why["repeated"] == {"share": pytest.approx(0.917), "stories": 2}
    assert "Looks coordinated: 12 accounts" in summarise_why(why)


def test_known_people_come_with_their_worth_first(sessions: sessionmaker[Session]) -> None:
    brand_id = make_brand(sessions)
    with sessions.begin() as session:
        for number, value in enumerate((5.0, 900.0)):
            author_id = make_author(session, number, NOON)
            make_post(
                session, brand_id, f"Bad service, {number}", NOON - HOUR / 2, author_id=author_id
            )
            contact = Contact(
                crm="csv_file",
                external_id=str(number),
                name=f"Contact {number}",
                emails=[],
                phones=[],
                handles=[],
                links=[],
                tier="gold",
                value=value,
                fields={},
                record_hash="",
                first_seen_at=NOON,
                updated_at=NOON,
            )
            session.add(contact)
            session.flush()
            session.add(
                IdentityLink(
                    author_id=author_id,
                    contact_id=contact.id,
                    state=LinkState.CONFIRMED,
                    weight_bits=20.0,
                    evidence=[],
                    rule_version="1",
                    decided_at=NOON,
                    created_at=NOON,
                )
            )

    why = _explained(sessions, brand_id)

    assert why["known_people"] == 2
    with sessions() as session:
        values = [session.get_one(Contact, one["contact_id"]).value for one in why["people"]]
    assert values == [900.0, 5.0]
    assert "2 known in the CRM" in summarise_why(why)


def test_what_was_not_seen_is_said(sessions: sessionmaker[Session]) -> None:
    brand_id = make_brand(sessions)
    _organic(sessions, brand_id)
    with sessions.begin() as session:
        source = Source(
            brand_id=brand_id,
            name="news",
            platform="rss",
            options={},
            every_s=60.0,
            state=SourceState.FAILING,
            last_success_at=NOON - timedelta(minutes=30),
            last_attempt_at=NOON,
            created_at=NOON - timedelta(days=20),
        )
        session.add(source)
        session.flush()
        session.add(
            Gap(
                source_id=source.id,
                kind=next(iter(GapKind)),
                from_at=NOON - HOUR / 2,
                to_at=None,
                detail="made up",
                found_at=NOON - HOUR / 3,
            )
        )

    why = _explained(sessions, brand_id)

    assert why["coverage"]["silent"] == [{"source": "news", "state": "failing"}]
    assert why["coverage"]["gaps"] == 1
    assert why["coverage"]["share"] == pytest.approx(0.5)
    assert "news is failing, 1 gap, 50% of the time covered" in summarise_why(why)


def test_an_incident_opens_with_its_reasons_and_is_explained_anew(
    sessions: sessionmaker[Session],
) -> None:
    brand_id, clock = make_brand(sessions), MovableClock()
    _organic(sessions, brand_id)
    store_counts(sessions, brand_id, NOON - timedelta(minutes=30), [30])

    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)

    with sessions() as session:
        stored = find_stored(session, incident_id)
        assert stored is not None
        assert stored["posts"] == 30
        made_at = session.scalar(select(IncidentWhy.made_at))
    with sessions.begin() as session:
        later = NOON + timedelta(minutes=20)
        make_post(session, brand_id, "One more swollen battery", later, topic="general")
    clock.forward(minutes=30)
    with sessions() as session:
        now = explain_incident(session, session.get_one(Incident, incident_id), clock())
        assert session.scalar(select(IncidentWhy.made_at)) == made_at
    assert now["posts"] == 31
    assert now["since"] == stored["since"]


def test_nothing_found_is_nothing_said(sessions: sessionmaker[Session]) -> None:
    why = _explained(sessions, make_brand(sessions))

    assert why["posts"] == 0
    assert summarise_why(why) == summarise_why(None) == ""
