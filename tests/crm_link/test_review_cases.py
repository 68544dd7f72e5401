from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from config.errors import ConflictError
from crm_link.review import confirm, reject
from crm_link.review_cases import asks_for_expectation, case_of, decided_lately, open_cases
from crm_link.types import LinkState
from tests.api.build import make_contact, make_link
from tests.make import NOW, make_author, make_brand, make_mention


def test_an_author_with_two_suggestions_is_one_case_and_a_tie(session: Session) -> None:
    author, other = make_author(session, platform="mastodon"), make_author(session)
    weak = make_link(
        session, author.id, make_contact(session, NOW, external_id="1"), weight_bits=5.5
    )
    alone = make_link(session, other.id, make_contact(session, NOW, external_id="2"))
    strong = make_link(session, author.id, make_contact(session, NOW, external_id="3"))
    brand = make_brand(session)
    make_mention(session, brand, author_id=author.id, text="Acme words")

    found = open_cases(session)

    assert [[one.link.id for one in case.candidates] for case in found.cases] == [
        [strong.id, weak.id],
        [alone.id],
    ]
    first, second = found.cases
    assert (first.is_tie, second.is_tie) == (True, False)
    assert (first.asks, second.asks) == (False, True)
    assert [mention.text for mention in first.said] == ["Acme words"]
    assert first.candidates[0].rule == "mastodon: allowed"
    assert second.candidates[0].rule == "x: restricted, prior_relationship (not said)"
    assert {row.title for row in first.candidates[0].compared} == {"Name", "Place"}


def test_a_case_shows_who_author_and_contact_are_already(session: Session) -> None:
    author, known = make_author(session), make_author(session)
    contact = make_contact(session, NOW)
    make_link(session, known.id, contact, state=LinkState.CONFIRMED)
    mine = make_contact(session, NOW, crm="hubspot", external_id="7")
    is_already = make_link(session, author.id, mine, state=LinkState.CONFIRMED)
    make_link(session, author.id, contact)

    (case,) = open_cases(session).cases

    assert [link.id for link in case.confirmed] == [is_already.id]
    assert [one.id for one in case.candidates[0].accounts] == [known.id]


def test_cases_come_page_by_page_the_likeliest_first_and_each_once(session: Session) -> None:
    contact = make_contact(session, NOW)
    second = make_contact(session, NOW, external_id="2")
    authors = [make_author(session).id for _ in range(3)]
    for author_id, weight_bits in zip(authors, (6.0, 9.0, 9.0), strict=True):
        make_link(session, author_id, contact, weight_bits=weight_bits)
    make_link(session, authors[0], second, weight_bits=12.5)
    seen: list[int] = []
    after = None
    for _ in range(2):
        page = open_cases(session, after=after, limit=2)
        seen += [case.author.id for case in page.cases]
        after = page.after

    assert (seen, after) == ([authors[0], authors[2], authors[1]], None)


def test_whoever_comes_second_hears_who_was_faster(session: Session) -> None:
    link = make_link(session, make_author(session).id, make_contact(session, NOW))
    confirm(session, link.id, by="kim@example.org", clock=lambda: NOW)

    with pytest.raises(ConflictError, match=r"by kim@example.org at 2026-03-04 12:00 UTC"):
        confirm(session, link.id, by="jo@example.org")

    reject(session, link.id, by="jo@example.org")
    assert [(event.actor, one.id) for event, one in decided_lately(session)] == [
        ("jo@example.org", link.id),
        ("kim@example.org", link.id),
    ]
    assert case_of(session, link.id).candidates[0].link.state is LinkState.REJECTED


def test_restricted_platforms_ask_what_people_expect() -> None:
    assert asks_for_expectation("x")
    assert not asks_for_expectation("mastodon")
