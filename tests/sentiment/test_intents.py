"""What a post is after and what a complaint is about, by rules and word lists."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from sentiment.signals.intents import Intent, find_intents, is_question
from sentiment.signals.reasons import Reason, find_reason
from sentiment.signals.words import languages, word_lists
from sentiment.types import Label

#: 199 sentences of our own, with what they are after; see docs/sentiment.md for what they say.
SENTENCES = [
    json.loads(line)
    for line in (Path(__file__).parent / "intents.jsonl").read_text("utf-8").splitlines()
]


def _figures(*, with_label: bool) -> tuple[dict[Intent, tuple[float, float]], float]:
    """Return (precision, recall) of each intent, and the share of right reasons."""
    said, meant, both = Counter[str](), Counter[str](), Counter[str]()
    reasons: list[bool] = []
    for row in SENTENCES:
        found = find_intents(row["text"], row["lang"], row["label"] if with_label else None)
        said.update(found)
        meant.update(row["intents"])
        both.update(set(found) & set(row["intents"]))
        if row["reason"] and Intent.COMPLAINT in found:
            reasons.append(find_reason(row["text"], row["lang"]) == row["reason"])
    figures = {one: (both[one] / said[one], both[one] / meant[one]) for one in Intent}
    return figures, sum(reasons) / len(reasons)


def test_intents_and_reasons_of_the_sentences() -> None:
    figures, reasons = _figures(with_label=True)

    assert all(precision >= 0.85 for precision, _ in figures.values()), figures
    assert all(recall >= 0.95 for _, recall in figures.values()), figures
    assert reasons >= 0.95


def test_without_a_label_only_complaints_are_missed() -> None:
    figures, _ = _figures(with_label=False)

    assert all(precision >= 0.85 for precision, _ in figures.values()), figures
    assert all(recall >= 0.9 for one, (_, recall) in figures.items() if one != Intent.COMPLAINT)


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("This is a scam", {Intent.RISK}),
        ("This is not a scam", set()),
        ("not dangerous at all", set()),
        ("Nobody was hurt. Dangerous though", {Intent.RISK}),
        ("I want to cancel my plan", {Intent.CANCEL}),
        ("You cancelled my flight and you cancelled my hotel", set()),
        ("adding insult to injury", set()),
        ("never again", {Intent.CANCEL}),
        ("https://example.org/?q=why", set()),
        ("", set()),
        ("\U0001f600\U0001f600", set()),
    ],
)
def test_negators_sayings_and_who_does_it(text: str, intents: set[Intent]) -> None:
    assert set(find_intents(text, "en")) == intents


def test_the_label_decides_between_praise_and_complaint() -> None:
    text = "Amazing, the worst staff and the best coffee"

    assert Intent.PRAISE not in find_intents(text, "en", "negative")
    assert Intent.COMPLAINT in find_intents(text, "en", "negative")
    assert Intent.COMPLAINT not in find_intents(text, "en", "positive")
    assert Intent.PRAISE in find_intents(text, "en", "positive")


def test_a_negative_post_of_a_person_is_a_complaint_and_news_is_not() -> None:
    assert Intent.COMPLAINT in find_intents("@acme you ruined our whole weekend", "en", "negative")
    assert find_intents("Acme shares fall by a tenth", "en", "negative") == ()


def test_what_asks_nobody_is_no_question() -> None:
    assert is_question("Do you open on Sundays?")
    assert not is_question("Are you kidding me?")
    assert not is_question("Really?")
    assert not is_question("Three hours late again?", is_angry=True)
    assert is_question("Three hours late. When do we leave?", is_angry=True)
    assert is_question("@acme three weeks and no refund, where is my money?", is_angry=True)


def test_more_words_win_and_of_equal_ones_harm_comes_first() -> None:
    assert (
        find_reason("the app is fine but my parcel, your courier and delivery", "en") == "delivery"
    )
    assert find_reason("expensive and dangerous", "en") == Reason.SAFETY
    assert find_reason("hello there", "en") is None


def test_every_intent_and_reason_has_words_in_every_language() -> None:
    lists = word_lists()

    assert languages() == {"en", "es", "fr", "de", "it", "pt", "hi", "ar"}
    for kind, names in (("intents", Intent), ("reasons", Reason)):
        assert set(lists[kind]) == {str(one) for one in names}
        for by_lang in lists[kind].values():
            assert set(by_lang) == languages()


def test_a_megabyte_is_read_in_a_moment() -> None:
    for text in ("Acme " + "a" * 1_000_000, "Acme is glass in a cup, terrible " * 30_000):
        began = time.process_time()
        find_intents(text, "en", Label.NEGATIVE)
        find_reason(text, "en")
        # Without a limit it takes minutes; the bound is no measurement.
        assert time.process_time() - began < 30
