"""Addresses, numbers, names and places in one form, however they are written."""

from __future__ import annotations

import time

import pytest

from crm_link.linking.extract import emails_in, phones_in
from crm_link.linking.keys import (
    handle_key,
    hash_value,
    link_key,
    normalise_country,
    normalise_email,
    normalise_phone,
    profile_of,
)
from crm_link.linking.names import name_key, names_agree


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
def test_a_post_of_a_megabyte_is_read_in_one_go(text: str) -> None:
    began = time.process_time()

    emails_in(text)
    phones_in(text, "US")

    # Many times what it takes, on any machine: only what grows with the square is caught.
    assert time.process_time() - began < 10


def test_keys_of_hashes_matter() -> None:
    assert name_key("Jane Doe") == "doe jane"
    assert hash_value("a", "email", "x") != hash_value("b", "email", "x")
    assert hash_value("a", "email", "x") != hash_value("a", "phone", "x")
