from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_link.figures.groups import LEAST_GROUP
from crm_link.figures.overview import social_figures
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Author, Brand, Mention
from sentiment.signals.models import MentionSignal
from tests.make import NOW, make_author, make_brand, make_mention

SINCE, UNTIL = NOW - timedelta(days=30), NOW


def say(
    session: Session,
    brand: Brand,
    author: Author,
    score: float,
    *intents: str,
    days: float = 1.0,
    reason: str | None = None,
    bot: float = 0.0,
    **changes: Any,
) -> Mention:
    label = "negative" if score < 0 else "positive" if score > 0 else "neutral"
    at = NOW - timedelta(days=days)
    mention = make_mention(
        session,
        brand,
        **(
            {
                "author_id": author.id,
                "label": label,
                "score": score,
                "lang": "en",
                "published_at": at,
            }
            | changes
        ),
    )
    session.add(
        MentionSignal(
            mention_id=mention.id,
            brand_id=brand.id,
            published_at=at,
            p_emotion={},
            intents="".join(f" {one} " for one in intents),
            complaint_reason=reason,
            bot=bot,
            spam_reasons=[],
            bot_reasons=[],
        )
    )
    session.flush()
    return mention


def link(session: Session, author: Author, value: float) -> int:
    contact = Contact(
        crm="csv_file",
        external_id=f"c{author.id}",
        name="",
        emails=[],
        phones=[],
        handles=[],
        links=[],
        value=value,
        fields={},
        record_hash="",
        first_seen_at=NOW,
        updated_at=NOW,
    )
    session.add(contact)
    session.flush()
    session.add(
        IdentityLink(
            author_id=author.id,
            contact_id=contact.id,
            state=LinkState.CONFIRMED,
            weight_bits=12.0,
            evidence=[],
            rule_version="test",
            decided_at=NOW,
            created_at=NOW,
        )
    )
    session.flush()
    return contact.id


@pytest.fixture
def brand(session: Session) -> Brand:
    return make_brand(session, names=["Acme", "@acme"])


def test_people_are_told_apart_by_what_they_say(session: Session, brand: Brand) -> None:
    for scores in ((-0.9, -0.5), (-0.2, 0.2), (0.8,)):
        author = make_author(session)
        for score in scores:
            say(session, brand, author, score, likes=5, reposts=2)
    outside = make_author(session)
    say(session, brand, outside, 0.9, days=40)
    say(session, make_brand(session), outside, 0.9)
    say(session, brand, make_author(session), 0.0, label="unknown")

    segments = social_figures(session, brand.id, SINCE, UNTIL).segments

    assert {name: (one.authors, one.mentions) for name, one in segments.items()} == {
        "detractor": (1, 2),
        "ordinary": (1, 2),
        "promoter": (1, 1),
    }
    assert segments["detractor"].engagement == 14


def test_leads_are_those_who_want_something(session: Session, brand: Brand) -> None:
    buyer = make_author(session, followers=5_000)
    asker, angry, bot, fan = (make_author(session) for _ in range(4))
    say(session, brand, buyer, 0.5, "purchase")
    say(session, brand, asker, 0.0, "question")
    say(session, brand, angry, -0.9, "question")
    say(session, brand, bot, 0.5, "purchase", bot=0.9)
    say(session, brand, fan, 0.9, "praise")

    leads = social_figures(session, brand.id, SINCE, UNTIL).leads

    assert [(one.author_id, one.score) for one in leads] == [(buyer.id, 80), (asker.id, 30)]
    assert leads[0].parts == {
        "wants to buy": 50,
        "positive": 10,
        "nobody's contact yet": 10,
        "followed by many": 10,
    }


def test_customers_who_may_leave_come_by_value(session: Session, brand: Brand) -> None:
    small, large, stranger, happy = (make_author(session) for _ in range(4))
    link(session, small, 100.0)
    large_contact = link(session, large, 9_000.0)
    link(session, happy, 50_000.0)
    for days in (1, 2, 3, 4):
        say(session, brand, small, -0.5, "complaint", "cancel", days=days)
    say(session, brand, large, 0.6, days=25)
    say(session, brand, large, -0.6, "complaint", days=2)
    say(session, brand, stranger, -0.9, "cancel")
    say(session, brand, happy, 0.9, "praise")

    churn = social_figures(session, brand.id, SINCE, UNTIL).churn

    assert (churn[0].contact_id, churn[0].score) == (large_contact, 30)
    assert churn[0].parts == {"complaints": 15, "falling sentiment": 15}
    assert churn[1].parts == {"wants to cancel": 40, "complaints": 45}
    assert len(churn) == 2


def test_mentions_stand_at_a_stage_of_the_journey(session: Session, brand: Brand) -> None:
    author = make_author(session)
    say(session, brand, author, 0.0, "question")
    say(session, brand, author, 0.5, "purchase")
    say(session, brand, author, -0.5, "complaint", reason="delivery")
    say(session, brand, author, -0.5, "complaint", "question", reason="quality")
    say(session, brand, author, 0.5, "praise")
    say(session, brand, author, 0.0)

    found = social_figures(session, brand.id, SINCE, UNTIL)

    assert found.journey == {"before": 2, "at": 1, "after": 2}
    assert found.reasons == {"delivery": 1, "quality": 1}


def test_groups_of_few_people_are_not_named(session: Session, brand: Brand) -> None:
    for number in range(LEAST_GROUP):
        place = "Leeds" if number else "Hidden"
        say(session, brand, make_author(session, location=place), 0.1, lang="en")
    say(session, brand, make_author(session, location="Hidden"), 0.1, lang="fr", bot=0.9)

    found = social_figures(session, brand.id, SINCE, UNTIL)

    assert found.languages == {"en": LEAST_GROUP}
    assert found.places == {}


def test_the_first_answer_is_the_brands_own(session: Session, brand: Brand) -> None:
    asked = say(session, brand, make_author(session), 0.0, "question", days=2)
    own, other = make_author(session, handle="Acme"), make_author(session, handle="helper")
    for author, hours in ((other, 1), (own, 3), (own, 9)):
        at = asked.published_at + timedelta(hours=hours)
        say(session, brand, author, 0.0, reply_to_id=asked.external_id, published_at=at)
    say(session, brand, make_author(session), 0.0, "question", days=3)

    found = social_figures(session, brand.id, SINCE, UNTIL)

    assert (found.first_answers, found.median_first_answer_s) == (1, 3 * 3600)
