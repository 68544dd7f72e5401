from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from crm_link.contacts.people_list import STEPS, PeopleFilter, list_crms, list_people, list_tiers
from crm_link.contacts.person_view import view_person
from crm_link.models import Contact, ContactKey, IdentityLink
from crm_link.review import reject
from crm_link.types import LinkState
from tests.api.build import judged, make_contact, make_incident, make_link
from tests.make import NOW, make_author, make_brand, make_mention


def ids(session: Session, **wanted: str) -> list[int]:
    found = list_people(session, PeopleFilter(**wanted), now=NOW)
    return [row.contact.id for row in found.people]


@pytest.fixture
def ines(session: Session) -> Contact:
    return make_contact(session, NOW, name="Inés Okafor-Lind", phones=["+34 600 123"])


def test_words_find_a_contact_by_how_they_begin(session: Session, ines: Contact) -> None:
    make_contact(session, NOW, external_id="2", name="Bob", emails=[], phones=[], handles=[])

    for text in ("oka", "okafor lin", "ines@exam", "+34 600", "x:ines", "@ines_o", "LIND"):
        assert ids(session, text=text) == [ines.id], text
    for text in ("kafor", "oka bob", "' | :*", '"*'):
        assert ines.id not in ids(session, text=text) or not text.strip("'| :*\""), text


def test_a_changed_name_is_found_and_the_old_one_is_not(session: Session, ines: Contact) -> None:
    ines.name = "Zoe Park"
    session.flush()

    assert ids(session, text="zoe") == [ines.id]
    assert ids(session, text="okafor") == []


def test_an_account_is_found_by_its_handle_where_it_is_linked(
    session: Session, ines: Contact
) -> None:
    author = make_author(session, handle="Coffee_Queen", platform="mastodon")
    make_mention(session, make_brand(session), author_id=author.id, platform="mastodon")
    link = make_link(session, author.id, ines)

    assert ids(session, text="@Coffee_Queen") == []
    link.state = LinkState.CONFIRMED
    session.flush()
    assert ids(session, text="@Coffee_Queen") == [ines.id]


def test_people_are_told_apart_by_links_tier_crm_and_segment(
    session: Session, ines: Contact
) -> None:
    brand = make_brand(session)
    angry, asked = make_author(session), make_author(session)
    make_link(session, angry.id, ines, state=LinkState.CONFIRMED)
    other = make_contact(session, NOW, crm="hubspot", external_id="7", tier="silver")
    make_link(session, asked.id, other)
    nobody = make_contact(session, NOW, external_id="8", tier=None)
    gone = make_contact(session, NOW, external_id="9", tier="bronze", deleted_at=NOW)
    make_mention(session, brand, author_id=angry.id, **judged("negative"))
    drill = make_brand(session, drill_of_id=brand.id)
    make_mention(session, drill, author_id=angry.id, **judged("positive"))
    old = NOW - timedelta(days=91)
    make_mention(session, brand, author_id=angry.id, published_at=old, **judged("positive"))

    assert ids(session) == [nobody.id, other.id, ines.id]
    assert ids(session, linked="yes") == [ines.id]
    assert ids(session, linked="suggested") == [other.id]
    assert ids(session, linked="no") == [nobody.id, other.id]
    assert ids(session, crm="hubspot") == [other.id]
    assert ids(session, tier="gold") == [ines.id]
    assert ids(session, segment="detractor") == [ines.id]
    assert ids(session, segment="promoter") == []
    assert (list_crms(session), list_tiers(session)) == (
        ["csv_file", "hubspot"],
        ["gold", "silver"],
    )
    assert gone.id not in ids(session)
    row = list_people(session, PeopleFilter(linked="yes"), now=NOW).people[0]
    assert (row.speech.mentions, row.speech.negatives, row.speech.judged) == (1, 1, 1)


def test_pages_follow_each_other_without_a_gap(session: Session) -> None:
    made = [make_contact(session, NOW, external_id=str(number)).id for number in range(5)]
    found: list[int] = []
    after = None
    for _ in range(3):
        page = list_people(session, PeopleFilter(), now=NOW, after=after, limit=2)
        found += [row.contact.id for row in page.people]
        after = page.after

    assert (found, after) == (made[::-1], None)


def test_a_rare_segment_is_searched_page_by_page(session: Session) -> None:
    brand = make_brand(session)
    oldest = make_contact(session, NOW)
    like = {
        column.name: getattr(oldest, column.name)
        for column in Contact.__table__.columns
        if column.name not in {"id", "external_id"}
    }
    session.execute(
        insert(Contact), [like | {"external_id": f"c{one}"} for one in range(sum(STEPS) + 5)]
    )
    author = make_author(session)
    contacts = list(session.scalars(select(Contact.id).order_by(Contact.id)))
    link = make_link(session, author.id, oldest, state=LinkState.CONFIRMED)
    angry = make_author(session)
    session.execute(
        insert(IdentityLink),
        [
            {
                "author_id": angry.id if contact == contacts[-1] else author.id,
                "contact_id": contact,
                "state": LinkState.CONFIRMED,
                "weight_bits": 9.0,
                "evidence": [],
                "rule_version": "1",
                "decided_at": NOW,
                "created_at": NOW,
                "was_withdrawn": False,
            }
            for contact in contacts[1:]
        ],
    )
    link.author_id = angry.id
    make_mention(session, brand, author_id=angry.id, **judged("negative"))
    wanted = PeopleFilter(segment="detractor")

    page = list_people(session, wanted, now=NOW)
    rest = list_people(session, wanted, now=NOW, after=page.after)

    assert ([row.contact.id for row in page.people], page.is_cut) == ([contacts[-1]], True)
    assert [row.contact.id for row in rest.people] == [oldest.id]
    assert (rest.after, rest.is_cut) == (None, False)


def test_a_persons_page_has_accounts_weeks_cases_incidents_and_twins(
    session: Session, ines: Contact
) -> None:
    brand = make_brand(session)
    author = make_author(session)
    link = make_link(session, author.id, ines, state=LinkState.CONFIRMED)
    for days, label in ((0, "negative"), (8, "positive"), (8, "negative"), (400, "negative")):
        at = NOW - timedelta(days=days)
        make_mention(
            session, brand, author_id=author.id, published_at=at, **judged(label, topic="glass")
        )
    incident = make_incident(session, brand, NOW)
    twin = make_contact(session, NOW, crm="hubspot", external_id="7", name="Ines Lopez")
    for one in (ines, twin):
        session.add(ContactKey(kind="email", value="ines@example.org", contact_id=one.id))
    session.flush()

    view = view_person(session, ines.id, now=NOW)

    assert [one.link.id for one in view.accounts] == [link.id]
    assert (view.weeks[-1].negative, view.weeks[-1].mentions) == (1, 1)
    assert (view.weeks[-2].negative, view.weeks[-2].positive) == (1, 1)
    assert sum(week.mentions for week in view.weeks) == 3
    assert [one.id for one in view.incidents] == [incident.id]
    assert [(one.contact.id, list(one.shared)) for one in view.twins] == [(twin.id, ["email"])]
    assert "family" in view.twins[0].differs
    assert len(view.mentions) == 4
    assert view.figures.journey == {"before": 0, "at": 0, "after": 0}


def test_a_persons_page_says_what_taking_a_decision_back_changes(
    session: Session, ines: Contact
) -> None:
    link = make_link(session, make_author(session, platform="mastodon").id, ines)
    link.state = LinkState.CONFIRMED
    session.flush()
    reject(session, link.id, by="jo@example.org")

    (account,) = view_person(session, ines.id, now=NOW).accounts

    assert account.undo is not None
    assert (account.undo.to_state, account.undo.is_record_written) == (LinkState.CONFIRMED, True)
    assert account.rule == "mastodon: allowed"
    assert isinstance(account.link, IdentityLink)
