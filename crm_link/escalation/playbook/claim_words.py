"""The claim of posts that all say the same: there the search for topics has nothing to compare.

`sentiment.topics` tells topics by what some posts have and others have not. An attack in which
everybody says one thing has no others; its claim is what most of the posts have in common. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sentiment.topic_words import name_words, telling_words
from sentiment.topics import KNOWN_WORDS, LEAST_POSTS, SAME_TOPIC, KnownTopic, TopicText, alike

#: From which share of the posts on a word is what they have in common.
COMMON_SHARE = 0.4

#: Share of the common words, by weight, that a post must have to say it.
LEAST_FIT = 0.5

#: Words by which the claim is named.
SHOWN_WORDS = 3


@dataclass(frozen=True, slots=True)
class CommonClaim:
    """What posts have in common: `id` is a known claim's, or empty where it is new."""

    id: str
    words: tuple[str, ...]
    weights: tuple[tuple[str, float], ...]
    ids: tuple[int, ...]
    top_ids: tuple[int, ...]


def common_claim(
    texts: Sequence[TopicText], known: Sequence[KnownTopic], names: Collection[str]
) -> CommonClaim | None:
    """Return what most of the texts say, if they have something in common.

    Args:
        texts: Posts that are in no topic.
        known: Claims of earlier looks; the one most alike is the same one.
        names: Names and handles of the brand, which everybody says.

    """
    folded = name_words(list(names))
    words = {one.id: telling_words(one.text, one.lang, folded) for one in texts}
    spread: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for said in words.values():
        for key in {word.key for word in said}:
            spread[key] += 1
        for word in said:
            written.setdefault(word.key, Counter())[word.shown] += 1
    least = max(LEAST_POSTS, COMMON_SHARE * len(texts))
    # The most frequent first; of words that are as frequent, in one order always.
    common = sorted((-count, key) for key, count in spread.items() if count >= least)
    common = common[:KNOWN_WORDS]
    total = -sum(count for count, _ in common)
    weights = tuple((key, round(-count / total, 4)) for count, key in common)
    fits = {
        one: sum(weight for key, weight in weights if any(word.key == key for word in said))
        for one, said in words.items()
    }
    ids = tuple(sorted(one for one, fit in fits.items() if fit >= LEAST_FIT))
    if len(ids) < LEAST_POSTS:
        return None
    likest = max(known, key=lambda one: alike(weights, one.words), default=None)
    is_known = likest is not None and alike(weights, likest.words) >= SAME_TOPIC
    return CommonClaim(
        id=likest.id if likest is not None and is_known else "",
        words=tuple(written[key].most_common(1)[0][0] for key, _ in weights[:SHOWN_WORDS]),
        weights=weights,
        ids=ids,
        top_ids=(max(ids, key=lambda one: (fits[one], -one)),),
    )
