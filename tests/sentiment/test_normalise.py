"""Text as the models read it."""

import pytest

from sentiment.normalise import normalise


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Fish &amp; chips &amp;amp; peas", "Fish & chips & peas"),
        ("see https://acme.example/a?b=c now", "see http now"),
        ("www.acme.example is down", "http is down"),
        ("thanks @bob_1!", "thanks @user!"),
        ("mail me at bob@acme.example", "mail me at bob@acme.example"),
        (r"so happy \ud83d\ude02", "so happy face with tears of joy"),
        ("great\U0001f44d", "great thumbs up"),
        ("it\u2019s `fine`", "it's 'fine'"),
        ("a \n\t b", "a b"),
        ("", ""),
    ],
)
def test_normalise_keeps_what_carries_sentiment(written: str, read: str) -> None:
    assert normalise(written) == read


@pytest.mark.parametrize(
    ("written", "target", "read"),
    [
        ("@AcmeAir late again", "Acme Air", "Acme Air late again"),
        ("@AcmeAirHelp late again", "Acme Air", "Acme Air late again"),
        ("love #acmeair @bob", "Acme Air", "love Acme Air @user"),
        ("@other late again", "Acme Air", "@user late again"),
        ("@ace late again", "A", "@user late again"),
    ],
)
def test_normalise_names_the_target_that_a_handle_spells(
    written: str, target: str, read: str
) -> None:
    assert normalise(written, target) == read


def test_normalise_changes_nothing_the_second_time() -> None:
    once = normalise("RT @bob: I \U0001f60d my new phone!! https://t.co/x &lt;3", "phone")

    assert normalise(once, "phone") == once
