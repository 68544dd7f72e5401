from __future__ import annotations

import time
from typing import Any

import pytest

from crm_link.extract import emails_in, phones_in
from crm_link.facts import AuthorFacts, Candidate, Claim, Fact
from crm_link.findings import Scale
from crm_link.keys import (
    KeyKind,
    handle_key,
    hash_value,
    link_key,
    normalise_country,
    normalise_email,
    normalise_phone,
    profile_of,
)
from crm_link.levels import read_author, read_contact
from crm_link.link_changes import next_state
from crm_link.matching import judge
from crm_link.names import name_key, names_agree
from crm_link.places import region_book
from crm_link.policy import may_link, may_write_sentiment, normalise_source
from crm_link.types import EvidenceKind, LinkState
from crm_link.weights import Frequencies

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


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Jane.Doe@Example.COM", "jane.doe@example.com"),
        ("jane.doe+news@example.com", "jane.doe@example.com"),
        ("J.A.N.E+x@googlemail.com", "jane@gmail.com"),
        ("mailto:jane@example.com", "jane@example.com"),
        ("jane@acme.test", "jane@acme.test"),
        ("Änne@bücher.example", "änne@bücher.example"),
        ("jane", None),
        ("a@b", None),
        ("jane doe@example.com", None),
    ],
)
def test_emails_are_written_one_way(text: str, normal: str | None) -> None:
    assert normalise_email(text) == normal


@pytest.mark.parametrize(
    ("text", "country", "normal"),
    [
        ("(202) 224-2315", "US", "+12022242315"),
        ("202.224.2315", "US", "+12022242315"),
        ("202-224-2315 x55", "US", "+12022242315;ext=55"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+49 (0)30 901820", None, "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("+86 10 6552 9988", None, "+861065529988"),
        ("\uff10\uff13-\uff13\uff12\uff11\uff13-1111", "JP", "+81332131111"),
        ("\u0660\u0662\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669", "EG", "+20223456789"),
        ("202-224-2315", None, None),
        ("12345", "US", None),
    ],
)
def test_phones_are_written_one_way(text: str, country: str | None, normal: str | None) -> None:
    assert normalise_phone(text, country) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José García", "Garcia, Jose"),
        ("Dr. Jane Doe (she/her)", "JANE DOE"),
        ("山田 太郎", "太郎 山田"),
        ("Иванова Ольга", "Ольга Иванова 🌻"),
        ("Σωκράτης Παπαδόπουλος", "ΣΩΚΡΑΤΗΣ ΠΑΠΑΔΟΠΟΥΛΟΣ"),
        ("مُحَمَّد الأحمد", "محمد الأحمد"),
        ("राहुल गांधी", "गांधी राहुल"),
        ("John A. Smith Jr.", "John Smith"),
        ("Conan O\u2019Brien", "Conan O'Brien"),
        ("王小明", "王小明"),
    ],
)
def test_the_same_name_is_the_same_in_every_script_and_order(one: str, other: str) -> None:
    assert names_agree(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Jane Doe", "John Doe"), ("कि राम", "का राम"), ("", ""), ("王小明", "王大明"), ("🎉", "🎉")],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert not names_agree(one, other)


def test_addresses_of_profiles_are_handles_and_shared_front_pages_are_nothing() -> None:
    assert profile_of("https://twitter.com/JaneDoe?lang=en") == ("x", "janedoe")
    assert profile_of("https://social.example/@Jane") == ("mastodon", "jane@social.example")
    assert profile_of("https://x.com/home") is None
    assert handle_key("x", "https://x.com/JaneDoe") == "x:janedoe"
    assert handle_key("x", "@JaneDoe") == "x:janedoe"
    assert handle_key("x", "https://linkedin.com/in/jane") is None
    assert link_key("https://www.LinkedIn.com/in/Jane/?x=1#y") == "linkedin.com/in/jane"
    assert link_key("https://www.linkedin.com/") is None
    assert link_key("not an address") is None
    assert link_key("http://[broken") is None


def test_countries_are_known_by_code_and_by_name() -> None:
    words = ["de", "Deutschland", "Germany", "UK", "USA", "日本", "Atlantis"]

    assert [normalise_country(word) for word in words] == ["DE", "DE", "DE", "GB", "US", "JP", None]


def test_addresses_and_numbers_are_found_in_texts() -> None:
    text = "Reach me: <Jane.Doe@example.com>, or jane@example.com. Tel +44 20 7946 0958 (home)!"

    assert list(emails_in(text)) == ["jane.doe@example.com", "jane@example.com"]
    assert list(phones_in(text)) == ["+442079460958"]


@pytest.mark.parametrize(
    "text",
    [
        "@acme @jane hello",
        "https://example.com/@jane/843636970538618880",
        "order 843636970538618880 since 2026-03-04 12:00:00",
        "https://x.com/a/status/2022242315",
        "price $202,224,231.50",
        "mail me@ or @home.",
    ],
)
def test_what_is_no_address_is_not_found(text: str) -> None:
    assert emails_in(text) == {}
    assert phones_in(text, "US") == {}


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000 + "@", "@" * 1_000_000, "1 " * 500_000, "1-" * 500_000]
)
def test_a_post_of_a_megabyte_costs_no_more_than_a_second(text: str) -> None:
    began = time.perf_counter()

    emails_in(text)
    phones_in(text, "US")

    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    ("platform", "source", "is_allowed"),
    [
        ("reddit", "consent", False),
        ("discord", None, False),
        ("x", None, True),
        ("x", "consent", True),
        ("x", "public_directory", True),
        ("x", "bought", False),
        ("x", "enriched", False),
        ("x", "some_list", False),
        ("mastodon", "bought", True),
        ("rss", None, True),
    ],
)
def test_policy_of_linking(platform: str, source: str | None, *, is_allowed: bool) -> None:
    assert may_link(platform, source).is_allowed is is_allowed


def test_sentiment_found_on_x_needs_consent() -> None:
    assert may_write_sentiment("x", "consent")
    assert not may_write_sentiment("x", None)
    assert may_write_sentiment("mastodon", None)


def test_words_for_a_relationship_are_understood() -> None:
    words = ["Prior Relationship", "Opt-in", "purchased list", ""]

    assert [normalise_source(w) for w in words] == ["prior_relationship", "consent", "bought", None]


def test_keys_of_hashes_matter() -> None:
    assert name_key("Jane Doe") == "doe jane"
    assert hash_value("a", "email", "x") != hash_value("b", "email", "x")
    assert hash_value("a", "email", "x") != hash_value("a", "phone", "x")
