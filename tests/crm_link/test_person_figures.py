"""The figures of one person: all of their accounts together, by the definitions of all figures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from crm_link.figures.person_figures import PersonFigures, Score, person_figures
from listener.models import Brand
from tests.crm_link.test_figures import link, say
from tests.make import NOW, make_author, make_brand


@pytest.fixture
def brand(session: Session) -> Brand:
    return make_brand(session, names=["Acme", "@acme"])


def test_accounts_and_brands_are_one_person(session: Session, brand: Brand) -> None:
    one, two, stranger = (make_author(session) for _ in range(3))
    link(session, one, 100.0)
    say(session, brand, one, 0.5, "purchase", likes=4)
    say(session, make_brand(session), two, -0.5, "complaint", "cancel", reason="delivery", likes=2)
    say(session, brand, two, -0.5, "complaint", days=91)
    say(session, brand, stranger, -0.9, "cancel", likes=900)

    found = person_figures(session, [one.id, two.id], may_contact=True, now=NOW)

    assert found.engagement == 6
    assert found.lead == Score(60, {"wants to buy": 50, "positive": 10})
    assert found.churn == Score(55, {"wants to cancel": 40, "complaints": 15})
    assert found.journey == {"before": 1, "at": 1, "after": 0}
    assert found.reasons == {"delivery": 1}


def test_who_must_not_be_contacted_is_no_lead(session: Session, brand: Brand) -> None:
    author = make_author(session)
    say(session, brand, author, 0.5, "purchase")

    assert person_figures(session, [author.id], may_contact=False, now=NOW).lead is None


def test_nobody_and_nothing_have_no_scores(session: Session, brand: Brand) -> None:
    author = make_author(session)
    say(session, brand, author, 0.1)

    assert person_figures(session, [], may_contact=True, now=NOW) == PersonFigures()
    found = person_figures(session, [author.id], may_contact=True, now=NOW)
    assert (found.lead, found.churn, found.first_answers) == (None, None, 0)


def test_the_first_answer_is_the_brands_own_in_the_same_conversation(
    session: Session, brand: Brand
) -> None:
    person, own, other = (make_author(session, handle=name) for name in ("jo", "Acme", "helper"))
    asked = say(session, brand, person, 0.0, "question", days=2, conversation_id="c1")
    say(session, brand, person, 0.0, "question", days=3, conversation_id="c2")
    for author, hours in ((other, 1), (own, 3), (own, 9)):
        at = asked.published_at + timedelta(hours=hours)
        say(
            *(session, brand, author, 0.0),
            reply_to_id=asked.external_id,
            conversation_id="c1",
            published_at=at,
        )

    found = person_figures(session, [person.id], may_contact=True, now=NOW)

    assert (found.first_answers, found.median_first_answer_s) == (1, 3 * 3600)
