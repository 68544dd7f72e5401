from __future__ import annotations

from typing import Any

import pytest

from crm_link.linking.facts import AuthorFacts, Candidate, Claim, Fact
from crm_link.linking.findings import Scale
from crm_link.linking.keys import (
    KeyKind,
    hash_value,
)
from crm_link.linking.levels import read_author, read_contact
from crm_link.linking.link_changes import next_state
from crm_link.linking.places import region_book
from crm_link.linking.weights import Frequencies
from crm_link.matching import judge
from crm_link.types import EvidenceKind, LinkState

CONFIRMED, SUGGESTED = LinkState.CONFIRMED, LinkState.SUGGESTED


REJECTED, WITHDRAWN = LinkState.REJECTED, LinkState.WITHDRAWN


def make_facts(*facts: Fact, **changes: Any) -> AuthorFacts:
    values: dict[str, Any] = {
        "author_id": 1,
        "platform": "mastodon",
        "handle": "coolcat",
        "name": "coolcat",
        "location": None,
        "facts": facts,
    }
    values |= changes
    shown = read_author(
        display=values["name"] or "",
        handle=values["handle"] or "",
        bio="",
        location=values["location"] or "",
        links=[fact.value for fact in facts if fact.kind is KeyKind.LINK],
        book=region_book(None),
    )
    return AuthorFacts(**values, shown=shown)


def make_candidate(contact_id: int = 1, *facts: Fact, city: str = "", **changes: Any) -> Candidate:
    values: dict[str, Any] = {
        "contact_id": contact_id,
        "crm": "csv_file",
        "name": "Jane Doe",
        "keys": frozenset((fact.kind.value, fact.value) for fact in facts),
    }
    values |= changes
    links = [fact.value for fact in facts if fact.kind is KeyKind.LINK]
    known = read_contact(values["name"], city=city, links=links, book=region_book(None))
    return Candidate(**values, known=known)


def judged(author: AuthorFacts, *candidates: Candidate, **more: Any) -> list[Claim]:
    return judge(
        author,
        candidates,
        hash_value=lambda kind, value: hash_value("k", kind, value),
        scale=Scale(frequencies=Frequencies(1000, {"doe": 2}, {"jane": 5})),
        **more,
    )


HANDLE = Fact(KeyKind.HANDLE, "mastodon:jane", "handle")


BIO_EMAIL = Fact(KeyKind.EMAIL, "jane@example.com", "bio")


TEXT_EMAIL = Fact(KeyKind.EMAIL, "jane@example.com", "mention 1", 1)


PHONE = Fact(KeyKind.PHONE, "+12022242315", "bio")


VERIFIED = Fact(KeyKind.LINK, "janedoe.com", "profile link", is_verified=True)


LINKEDIN = Fact(KeyKind.LINK, "linkedin.com/in/jane", "profile link", is_verified=True)


COMPANY = Fact(KeyKind.LINK, "acme-tools.com", "profile link", is_verified=True)


PLAIN_LINK = Fact(KeyKind.LINK, "janedoe.com", "profile link")


@pytest.mark.parametrize("fact", [HANDLE, BIO_EMAIL, TEXT_EMAIL, PHONE, VERIFIED, LINKEDIN])
def test_evidence_that_stands_alone_confirms(fact: Fact) -> None:
    claims = judged(make_facts(fact), make_candidate(1, fact))

    assert [claim.state for claim in claims] == [CONFIRMED]
    assert claims[0].evidence[0].value_hash == hash_value("k", fact.kind, fact.value)
    assert fact.value not in str(claims[0])


@pytest.mark.parametrize(
    ("fact", "changes", "more", "doubt"),
    [
        (
            Fact(KeyKind.EMAIL, "support@example.com", "bio"),
            {},
            {},
            "a department's address",
        ),
        (
            Fact(KeyKind.EMAIL, "jane@acme.example.com", "bio"),
            {},
            {"brand_names": {"acme"}},
            "an address of the brand",
        ),
        (BIO_EMAIL, {"owner": "Jane@example.com"}, {}, "the address of the contact's owner"),
        (
            Fact(KeyKind.EMAIL, "jane@example.com", "mention 1", 1, is_shared=True),
            {},
            {},
            "another author shows the same email",
        ),
        (COMPANY, {}, {}, "the site may be an employer's: the names differ"),
    ],
)
def test_doubtful_evidence_only_suggests(
    fact: Fact, changes: dict[str, Any], more: dict[str, Any], doubt: str
) -> None:
    claims = judged(make_facts(fact), make_candidate(1, fact, **changes), **more)

    assert [(claim.state, claim.note) for claim in claims] == [(SUGGESTED, doubt)]


def test_an_address_in_a_text_by_somebody_of_another_name_only_suggests() -> None:
    fact = Fact(KeyKind.EMAIL, "jane@example.com", "mention 1", 1, is_third_party=True)

    other = judged(make_facts(fact, name="Bob Smith"), make_candidate(1, fact))
    same = judged(make_facts(fact, name="Jane D"), make_candidate(1, fact))
    pseudonym = judged(make_facts(fact), make_candidate(1, fact))

    assert [claim.state for claim in (*other, *same, *pseudonym)] == [
        SUGGESTED,
        CONFIRMED,
        CONFIRMED,
    ]


def test_a_name_alone_is_nothing() -> None:
    name = Fact(KeyKind.NAME, "doe jane", "profile")

    assert judged(make_facts(name, name="Jane Doe"), make_candidate(1, name)) == []


def test_name_and_place_or_name_and_link_suggest() -> None:
    author = make_facts(name="Jane Doe", location="Columbus, OH 🌰")
    near = judged(author, make_candidate(1, city="Columbus"))
    far = judged(author, make_candidate(1, city="Boston"))
    linked = judged(make_facts(PLAIN_LINK, name="Jane Doe"), make_candidate(1, PLAIN_LINK))
    link_alone = judged(make_facts(PLAIN_LINK), make_candidate(1, PLAIN_LINK))

    assert [claim.state for claim in near] == [SUGGESTED]
    assert {item.kind for item in near[0].evidence} == {EvidenceKind.NAME, EvidenceKind.LOCATION}
    assert [claim.state for claim in linked] == [SUGGESTED]
    assert far == link_alone == []


def test_two_contacts_with_evidence_that_stands_alone_are_both_suggested() -> None:
    author = make_facts(HANDLE, BIO_EMAIL)

    claims = judged(author, make_candidate(1, HANDLE), make_candidate(2, BIO_EMAIL))

    assert {claim.contact_id: claim.state for claim in claims} == {1: SUGGESTED, 2: SUGGESTED}
    assert all("more than one contact" in claim.note for claim in claims)


def test_the_same_person_in_two_crms_is_confirmed_in_both() -> None:
    claims = judged(
        make_facts(HANDLE), make_candidate(1, HANDLE), make_candidate(2, HANDLE, crm="hubspot")
    )

    assert [claim.state for claim in claims] == [CONFIRMED, CONFIRMED]


def test_nobody_is_confirmed_beside_the_contact_that_a_person_confirmed() -> None:
    claims = judged(make_facts(HANDLE), make_candidate(2, HANDLE), taken={"csv_file": {1}})

    assert [claim.state for claim in claims] == [SUGGESTED]


@pytest.mark.parametrize(
    ("current", "claim", "by_person", "same", "void", "after"),
    [
        (None, CONFIRMED, False, True, False, CONFIRMED),
        (None, CONFIRMED, False, True, True, None),
        (None, None, False, True, False, None),
        (REJECTED, CONFIRMED, True, False, False, REJECTED),
        (SUGGESTED, CONFIRMED, False, True, False, CONFIRMED),
        (CONFIRMED, None, False, True, False, WITHDRAWN),
        (CONFIRMED, SUGGESTED, False, True, False, SUGGESTED),
        (WITHDRAWN, CONFIRMED, False, True, False, CONFIRMED),
        (CONFIRMED, None, True, True, False, CONFIRMED),
        (CONFIRMED, None, True, True, True, WITHDRAWN),
        (WITHDRAWN, CONFIRMED, True, True, False, WITHDRAWN),
        (WITHDRAWN, CONFIRMED, True, False, False, SUGGESTED),
        (SUGGESTED, CONFIRMED, True, True, False, SUGGESTED),
        (SUGGESTED, None, True, True, False, WITHDRAWN),
    ],
)
def test_what_becomes_of_a_link(
    current: LinkState | None,
    claim: LinkState | None,
    *,
    by_person: bool,
    same: bool,
    void: bool,
    after: LinkState | None,
) -> None:
    assert (
        next_state(current, claim, is_by_person=by_person, is_same_evidence=same, is_void=void)
        is after
    )
