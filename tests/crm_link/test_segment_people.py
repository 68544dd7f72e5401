from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from config.errors import InputError
from crm_link.board.tables import as_csv
from crm_link.figures.audience import read_audience, write_persona
from crm_link.figures.overview import social_figures
from crm_link.figures.segment_people import list_speakers, names_of, scored_table, speakers_table
from crm_link.models import Contact
from listener.models import Brand
from tests.crm_link.test_figures import link, say
from tests.make import NOW, make_author, make_brand

SINCE, UNTIL = NOW - timedelta(days=30), NOW


@pytest.fixture
def brand(session: Session) -> Brand:
    return make_brand(session)


def test_the_people_behind_a_segment_come_by_engagement(session: Session, brand: Brand) -> None:
    loud, quiet, fan, bot = (
        make_author(session, handle=name) for name in ("=loud", "quiet", "fan", "bot")
    )
    say(session, brand, quiet, -0.8, likes=1)
    say(session, brand, loud, -0.5, likes=90)
    say(session, brand, fan, 0.9, likes=500)
    say(session, brand, bot, -0.9, likes=900, bot=0.9)
    contact_id = link(session, loud, 500.0)

    found = list_speakers(session, brand.id, SINCE, UNTIL, "detractor")

    assert [one.author_id for one in found] == [loud.id, quiet.id]
    assert (found[0].engagement, found[0].contact_id, found[0].value) == (90, contact_id, 500.0)
    assert "'=loud" in as_csv(speakers_table(found))


def test_influence_is_followers_times_mentions(session: Session, brand: Brand) -> None:
    often, famous, unknown = (
        make_author(session, followers=number) for number in (800, 2000, None)
    )
    for _ in range(3):
        say(session, brand, often, 0.1)
    for author in (famous, unknown):
        say(session, brand, author, 0.1)

    found = list_speakers(session, brand.id, SINCE, UNTIL, "influential")

    assert [(one.author_id, one.reach) for one in found] == [(often.id, 2400), (famous.id, 2000)]


def test_a_list_of_scores_names_its_parts(session: Session, brand: Brand) -> None:
    buyer = make_author(session, handle="buyer")
    say(session, brand, buyer, 0.5, "purchase")
    leads = social_figures(session, brand.id, SINCE, UNTIL).leads

    text = as_csv(scored_table(leads, names_of(session, leads)))

    assert "buyer,,,,70,wants to buy +50; positive +10; nobody's contact yet +10," in text


def test_who_must_not_be_contacted_is_no_lead_and_marked_among_those_who_may_leave(
    session: Session, brand: Brand
) -> None:
    quiet, open_to_it = (make_author(session, handle=name) for name in ("quiet", "open"))
    contact = session.get_one(Contact, link(session, quiet, 900.0))
    contact.do_not_contact = True
    link(session, open_to_it, 10.0)
    for author in (quiet, open_to_it):
        say(session, brand, author, 0.5, "purchase", "cancel")
    session.flush()

    found = social_figures(session, brand.id, SINCE, UNTIL)

    assert [one.author_id for one in found.leads] == [open_to_it.id]
    assert [one.author_id for one in found.churn] == [quiet.id, open_to_it.id]
    table = scored_table(found.churn, names_of(session, found.churn))
    assert [row[-1] for row in table.rows] == ["yes", ""]


def test_an_audience_is_told_in_groups_of_ten(session: Session, brand: Brand) -> None:
    for number in range(12):
        bio = "Barista and cyclist" if number < 10 else "Coffee lover. Chess"
        author = make_author(session, bio=bio, location="Leeds, UK" if number else "Hull")
        say(session, brand, author, 0.1)
    say(session, brand, make_author(session, bio="coffee bot"), 0.1, bot=0.9)
    write_persona(
        session,
        brand.id,
        languages=["en", "es"],
        places=["Leeds", " "],
        interests=["coffee", "chess"],
        by="jo@example.org",
        now=NOW,
    )

    found = read_audience(session, brand.id, SINCE, UNTIL)

    assert (found.people, found.with_bio, found.with_place) == (12, 12, 12)
    assert found.interests == {"coffee": 12, "outdoors": 10}
    assert found.places == {"Leeds, UK": 11}
    assert [(fit.wanted, fit.people) for fit in found.fits] == [
        ("en", 12),
        ("es", None),
        ("leeds", 11),
        ("coffee", 12),
        ("chess", None),
    ]
    with pytest.raises(InputError, match="at most 20 words"):
        write_persona(
            session,
            brand.id,
            languages=[str(number) for number in range(21)],
            places=[],
            interests=[],
            by="jo@example.org",
            now=NOW,
        )
