from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sentiment.attribution import MAX_CHARS, MOST_TEXTS, MOST_TOGETHER_TEXTS, explain
from sentiment.scorer import make_scorer
from sentiment.types import ScorableText, Sentiment, WordWeight
from tests.sentiment.scored import CountingScorer


def _weights(text: str) -> dict[str, float]:
    return {one.word: one.weight for one in explain(make_scorer("vader"), text)}


def test_the_words_that_carry_the_judgement_weigh_most() -> None:
    found = _weights("The new app is awful but the support was great and quick")

    assert min(found, key=found.__getitem__) == "awful"
    assert max(found, key=found.__getitem__) == "great"
    assert abs(found["app"]) < 0.1


def test_a_negated_word_weighs_as_it_is_meant() -> None:
    found = _weights("the service was not good today")

    assert found["not"] < 0
    assert found["good"] < 0


def test_an_emoji_is_a_word() -> None:
    assert _weights("the parcel came \U0001f60d today")["\U0001f60d"] > 0


def test_every_word_is_where_the_text_has_it() -> None:
    text = "  I love   @acme, really!\n\U0001f600 https://example.org/x "

    found = explain(make_scorer("vader"), text, ["Acme"])

    assert [one.word for one in found] == text.split()
    assert all(text[one.start : one.end] == one.word for one in found)


def test_a_single_word_carries_all_of_the_score() -> None:
    (found,) = explain(make_scorer("vader"), "terrible", lang="en")

    assert (
        found.weight == make_scorer("vader").score([ScorableText("terrible", lang="en")])[0].score
    )


@pytest.mark.parametrize("text", ["", "   \n"])
def test_a_text_without_words_has_no_weights(text: str) -> None:
    assert explain(make_scorer("vader"), text) == ()


def test_a_text_that_cannot_be_read_has_weights_of_zero_and_costs_one_judgement() -> None:
    scorer = CountingScorer()

    found = explain(scorer, "Das ist wirklich sehr schlecht gemacht")

    assert found[0] == WordWeight("Das", 0, 3, 0.0)
    assert {one.weight for one in found} == {0.0}
    assert len(scorer.asked) == 1


def test_a_long_text_costs_no_more_than_the_limit_and_its_word_is_found() -> None:
    scorer = CountingScorer()
    words = ["the", "shop", "opens"] * 150
    words[301] = "horrible"

    found = explain(scorer, " ".join(words))

    assert len(scorer.asked) <= MOST_TEXTS + 1
    assert len(found) == len(words)
    assert min(found, key=lambda one: one.weight).word == "horrible"
    assert found[0].weight == 0


def test_what_is_beyond_the_limit_of_characters_is_not_looked_at() -> None:
    found = explain(CountingScorer(), "good " * MAX_CHARS)

    assert found[-1].end <= MAX_CHARS


class _EnoughScorer(CountingScorer):
    """Says -0.9 as long as one of its words is in the text: one is as good as three."""

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        angry = [bool({"boycott", "terrible", "furious"} & set(one.text.split())) for one in texts]
        return [
            replace(found, score=-0.9 if is_angry else 0.1)
            for found, is_angry in zip(super().score(texts), angry, strict=True)
        ]


def test_words_that_are_each_enough_are_found_together() -> None:
    found = {
        one.word: one.weight
        for one in explain(_EnoughScorer(), "boycott them a terrible shop I am furious", lang="en")
    }

    assert {word: weight for word, weight in found.items() if weight} == {
        "boycott": -1.0,
        "terrible": -1.0,
        "furious": -1.0,
    }


def test_words_that_are_each_enough_cost_no_more_than_their_limit() -> None:
    scorer = _EnoughScorer()

    explain(scorer, " ".join(["terrible"] * MOST_TEXTS), lang="en")

    assert len(scorer.asked) <= MOST_TEXTS + 1 + MOST_TOGETHER_TEXTS


def test_the_targets_own_name_carries_nothing() -> None:
    found = explain(make_scorer("vader"), "@AwfulCoffee is what I drink", ["Awful Coffee"])

    assert {one.weight for one in found} == {0.0}
