"""Topics of a window: found, told by their own words, known again, grown."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import product

import pytest

from sentiment.topic_words import stop_words, telling_words
from sentiment.topics import Topic, TopicText, find_topics

_ABOUT = {
    kind: words.split()
    for kind, words in {
        "luggage": "luggage lost suitcase carousel belt missing bag arrived without",
        "refund": "refund money invoice charged twice billing card bank statement",
        "app": "app crash login update screen frozen version install password",
        "wifi": "wifi slow signal router connection dropping speed broadband internet",
        "menu": "menu vegan pizza tasty cheese portion dessert waiter kitchen",
    }.items()
}
#: 400 words that are about nothing.
_FILLER = ["".join(parts) + "ma" for parts in product("bdfgk", "aeiou", "lnrs", "aeou")]


def _made_up(
    counts: dict[str, int], *, seed: int = 1, start: int = 0, noise: int = 0
) -> tuple[list[TopicText], dict[int, str]]:
    rng = random.Random(seed)
    kinds = [kind for kind, count in counts.items() for _ in range(count)] + [""] * noise
    rng.shuffle(kinds)
    texts, truth = [], {}
    for number, kind in enumerate(kinds, start):
        words = rng.sample(_ABOUT[kind], 3) if kind else []
        words += rng.sample(_FILLER, 2)
        rng.shuffle(words)
        texts.append(TopicText(number, "the " + " ".join(words), kind == "luggage", "en"))
        truth[number] = kind
    return texts, truth


def _kind(topic: Topic, truth: dict[int, str]) -> str:
    kinds = [truth[one] for one in topic.ids]
    return max(set(kinds), key=kinds.count)


def test_posts_about_the_same_are_one_topic_told_by_its_own_words() -> None:
    texts, truth = _made_up(dict.fromkeys(_ABOUT, 60), noise=60)

    found = find_topics(texts)

    assert {_kind(topic, truth) for topic in found} == set(_ABOUT)
    assert len(found) == len(_ABOUT)
    for topic in found:
        kind = _kind(topic, truth)
        right = sum(truth[one] == kind for one in topic.ids)
        assert right / topic.posts > 0.95
        assert right > 50
        assert {part for words in topic.words for part in words.split()} <= set(_ABOUT[kind])
        assert topic.negative_share == (1.0 if kind == "luggage" else 0.0) or right < topic.posts


def test_the_order_of_the_posts_does_not_matter() -> None:
    texts, _ = _made_up(dict.fromkeys(_ABOUT, 30), noise=30)

    assert find_topics(texts) == find_topics(texts[::-1])


def test_a_topic_keeps_its_id_in_the_next_window_and_a_new_one_gets_its_own() -> None:
    first, truth = _made_up({"luggage": 40, "refund": 40, "app": 40}, seed=2)
    second, later = _made_up({"luggage": 20, "refund": 90, "wifi": 50}, seed=3, start=1000)
    ids = {_kind(topic, truth): topic.id for topic in find_topics(first)}

    found = find_topics(second, [topic.known for topic in find_topics(first)])

    names = {_kind(topic, later): topic for topic in found}
    assert names["luggage"].id == ids["luggage"]
    assert names["refund"].id == ids["refund"]
    assert not names["refund"].is_new
    assert names["wifi"].is_new
    assert names["wifi"].id not in ids.values()


def test_what_grew_and_what_shrank_is_said() -> None:
    before, _ = _made_up({"luggage": 10, "refund": 80, "app": 40}, seed=4)
    now, truth = _made_up({"luggage": 90, "refund": 20, "app": 40}, seed=5, start=1000)

    found = {_kind(topic, truth): topic for topic in find_topics(now, before=before)}

    assert found["luggage"].is_rising
    assert found["refund"].is_falling
    assert not found["app"].is_rising
    assert not found["app"].is_falling
    assert found["luggage"].posts_before is not None
    assert abs(found["luggage"].posts_before - 10) <= 2
    assert found["luggage"].change is not None
    assert found["luggage"].change == pytest.approx(80 / 100**0.5, abs=1.5)


def test_copies_are_one_story_with_a_count() -> None:
    texts, _ = _made_up(dict.fromkeys(_ABOUT, 30))
    copies = [
        TopicText(500 + n, f"RT @someone: Quarry spill near the harbour https://t.example/{n}")
        for n in range(200)
    ]
    folded = [TopicText(900 + n, "Harbour quarry: spill, they say", story=500) for n in range(5)]

    spill = find_topics(texts + copies + folded)[0]

    assert spill.posts == 205
    assert spill.stories == 1
    assert spill.top_ids == (500,)
    assert "quarry spill" in spill.words or "spill" in spill.words


def test_what_nearly_every_post_says_is_a_topic_where_it_is_new() -> None:
    before, _ = _made_up({"app": 40, "wifi": 40}, seed=6)
    crisis = [
        TopicText(500 + n, f"glass found in the {_FILLER[n]} cup, {_FILLER[-n]}", lang="en")
        for n in range(1, 100)
    ]

    found = find_topics(crisis, before=before)

    assert {"glass", "found", "cup"} >= set(" ".join(found[0].words).split()) >= {"glass", "cup"}
    assert found[0].posts == 99
    assert found[0].is_rising


def test_a_word_that_half_of_the_posts_have_swallows_no_topic() -> None:
    texts, truth = _made_up(dict.fromkeys(_ABOUT, 60), noise=60)
    everywhere = [
        replace(text, text=f"{text.text} flight") if text.id % 2 else text for text in texts
    ]

    found = find_topics(everywhere)

    assert {_kind(topic, truth) for topic in found} >= set(_ABOUT)
    assert all("flight" not in topic.words[0] for topic in found[: len(_ABOUT)])


def test_names_of_the_brand_are_no_topic() -> None:
    texts = [
        TopicText(n, f"Nordlicht {word} again and again", lang="en")
        for n, word in enumerate(["delivery", "coffee", "parking"] * 12)
    ]

    words = {word for topic in find_topics(texts, names=["Nordlicht"]) for word in topic.words}

    assert words == {"delivery", "coffee", "parking"}


def test_few_or_empty_posts_have_no_topics() -> None:
    assert find_topics([]) == []
    assert (
        find_topics([TopicText(1, "the refund"), TopicText(2, ""), TopicText(3, "\U0001f600")])
        == []
    )
    assert find_topics([TopicText(1, "the refund")], before=[]) == []


def test_marks_of_hindi_and_letters_of_chinese_are_kept() -> None:
    hindi = [word.key for word in telling_words("रिफंड नहीं मिला, ऑर्डर कैंसल", "hi")]
    chinese = [word.key for word in telling_words("快递很慢", None)]

    assert "रिफंड" in hindi
    assert "ऑर्डर" in hindi
    assert chinese == ["快递", "递很", "很慢"]
    assert "refund" not in stop_words("en")


def test_of_many_posts_not_every_pair_is_compared() -> None:
    texts, _ = _made_up(dict.fromkeys(_ABOUT, 800), noise=1000)
    began = time.process_time()

    found = find_topics(texts)

    assert len(found) == len(_ABOUT)
    # Many times what it takes, on any machine: only what compares every pair is caught.
    assert time.process_time() - began < 15
