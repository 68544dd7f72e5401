from __future__ import annotations

import math

import pytest

from config.errors import InputError
from sentiment.scorer import make_scorer
from sentiment.types import Label, ScorableText


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love the new Acme app, it is great", Label.POSITIVE),
        ("Acme is terrible and the support was rude to me", Label.NEGATIVE),
        ("What time do you open tomorrow?", Label.NEUTRAL),
        ("The Acme shop on the high street opens at nine", Label.NEUTRAL),
        ("\u2764\ufe0f\U0001f60d", Label.POSITIVE),
        ("Este producto es horrible, no lo compro nunca más", Label.UNKNOWN),
        ("这家店的服务太差了，我再也不来了", Label.UNKNOWN),
        ("المنتج سيء جدا ولن أشتريه مرة أخرى", Label.UNKNOWN),
        ("Acme", Label.UNKNOWN),
        ("", Label.UNKNOWN),
    ],
)
def test_each_text_gets_the_label_that_a_reader_would_give(text: str, label: Label) -> None:
    assert make_scorer("vader").score([ScorableText(text)])[0].label is label


@pytest.mark.parametrize(
    "text",
    ["What time do you open tomorrow?", "terrible!!! awful, hate it", "love it", "fine, but slow"],
)
def test_probabilities_sum_to_one_and_the_confidence_is_that_of_the_label(text: str) -> None:
    found = make_scorer("vader").score([ScorableText(text)])[0]

    parts = (found.p_negative, found.p_neutral, found.p_positive)
    assert all(part is not None for part in parts)
    assert math.isclose(sum(part or 0 for part in parts), 1, abs_tol=1e-3)
    assert found.confidence == max(part or 0 for part in parts)


def test_a_neutral_text_is_not_nearly_certain_to_be_negative() -> None:
    found = make_scorer("vader").score([ScorableText("What time do you open tomorrow?")])[0]

    assert found.p_negative is not None
    assert found.p_negative < 0.3
    assert abs(found.score) < 0.1


def test_a_text_in_a_language_that_it_cannot_read_has_no_probabilities() -> None:
    found = make_scorer("vader").score([ScorableText("Das ist wirklich sehr schlecht gemacht")])[0]

    assert (found.lang, found.p_negative, found.confidence, found.score) == ("de", None, 0, 0)


def test_a_post_of_a_megabyte_is_judged_quickly() -> None:
    found = make_scorer("vader").score([ScorableText("this is awful " * 75_000)])[0]

    assert found.label is Label.NEGATIVE


def test_the_judgement_names_its_scorer() -> None:
    found = make_scorer("vader").score([ScorableText("great")])[0]

    assert found.scorer.startswith("vader-3.")


def test_an_argument_is_refused() -> None:
    with pytest.raises(InputError, match="takes nothing"):
        make_scorer("vader:large")


def test_an_unknown_scorer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="known: .*vader"):
        make_scorer("tarot")


def test_a_brand_name_of_another_language_says_nothing_about_the_text() -> None:
    text = ScorableText("I love my Nordlicht lamp, it is great", ("Nordlicht", "@nordlicht"))

    assert make_scorer("vader").score([text])[0].label is Label.POSITIVE
