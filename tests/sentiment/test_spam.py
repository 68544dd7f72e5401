"""Spam and bot likelihood: what speaks for them, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentiment.signals.spam import Account, Repeats, bot_likelihood, spam_likelihood
from tests.make import NOW

_PERSON = Account(
    handle="ines_o",
    name="Ines Okafor",
    has_bio=True,
    bio="Cyclist",
    has_place_or_link=True,
    followers=230,
    created_at=NOW - timedelta(days=900),
    posts_a_day=2,
)


@pytest.mark.parametrize(
    "text",
    [
        "My parcel never came, please DM me",
        "Where is my order? It has been two weeks. https://example.org/a",
        "LOVE IT",
        "Nordlicht coffee is great #coffee #leeds",
        "",
    ],
)
def test_ordinary_posts_are_no_spam(text: str) -> None:
    assert spam_likelihood(text).value < 0.2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Giveaway! Follow and retweet, click here https://example.org", "words of lures"),
        (
            "Earn money from home, whatsapp +1 555 0100, guaranteed profit",
            "asks to write elsewhere",
        ),
        (
            "#a1 #b2 #c3 #d4 #e5 #f6 #g7 #h8 #i9 #j10 https://a.example https://b.example",
            "10 hashtags",
        ),
    ],
)
def test_spam_is_likely_and_says_why(text: str, reason: str) -> None:
    found = spam_likelihood(text)

    assert found.value > 0.5
    assert any(one.startswith(reason) for one in found.reasons)


def test_the_same_words_from_many_accounts_count_and_the_source_is_named() -> None:
    alone = spam_likelihood("Try the new shop on Main Street")
    many = spam_likelihood("Try the new shop on Main Street", Repeats(others=14, own=0))

    assert many.value > alone.value + 0.3
    assert many.reasons == ("the same words from 14 other accounts (stored mentions)",)


def test_a_person_is_no_bot_and_a_fresh_empty_busy_account_may_be_one() -> None:
    empty = Account(
        handle="user84739201",
        name="user84739201",
        followers=0,
        created_at=NOW - timedelta(days=2),
        posts_a_day=60,
    )

    assert bot_likelihood(_PERSON, NOW).value < 0.1
    found = bot_likelihood(empty, NOW)
    assert found.value > 0.9
    assert "the account was 2 days old (profile)" in found.reasons
    assert bot_likelihood(replace(empty, is_verified=True), NOW).value < found.value


def test_who_calls_itself_a_bot_is_believed() -> None:
    assert bot_likelihood(replace(_PERSON, handle="weather_bot"), NOW).value >= 0.5
    assert bot_likelihood(replace(_PERSON, handle="abbott"), NOW).value < 0.1
    assert bot_likelihood(replace(_PERSON, handle="talbots_fan"), NOW).value < 0.1


def test_a_profile_that_says_nothing_is_held_against_nobody() -> None:
    assert bot_likelihood(Account(), NOW).value < 0.1
