"""What a window of posts is about: topics of words that appear together. Pure.

A word that many posts have, and that brings words of its own along, is the seed of a topic;
the posts it explains are put aside, and the next seed is looked for among the rest. Then each
post goes to the topic whose words it has most of, and a topic's own words are those that its
posts have and others have not (class-based tf-idf).

Posts that say the same are one story with a count: a text that is copied a thousand times
weighs 11 times as much as one that is not, so that it is seen and drowns nothing. The same
posts give the same topics, whatever their order. Not every post has a topic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from sentiment.topic_clusters import (
    Floats,
    Places,
    Vocabulary,
    choose,
    merge,
    own_words,
    phrases,
)
from sentiment.topic_words import Word, name_words, normal_text, telling_words

#: Least posts of a topic.
LEAST_POSTS = 3

#: Most topics of a window.
MOST_TOPICS = 12

#: Words shown, and words by which a topic is known again.
SHOWN_WORDS = 5
KNOWN_WORDS = 12

#: Share of a topic's words, by their weight, that a known topic must have to be the same.
SAME_TOPIC = 0.3

#: From how many standard deviations on a topic rises or falls.
CLEAR_CHANGE = 2.0

#: Posts named with each topic, those with most copies first.
TOP_POSTS = 5


@dataclass(frozen=True, slots=True)
class TopicText:
    """A post of the window.

    Args:
        id: By what it is named in `Topic.ids`.
        text: As the platform shows it.
        is_negative: Whether it was judged negative.
        lang: ISO 639-1 code where known.
        story: What it repeats, where that is known (`Mention.folded_into_id`); texts with the
            same words are one story anyway.

    """

    id: int
    text: str
    is_negative: bool = False
    lang: str | None = None
    story: int | None = None


@dataclass(frozen=True, slots=True)
class KnownTopic:
    """A topic of an earlier window: its id, and its words with their weights, heaviest first."""

    id: str
    words: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """Posts of a window that are about the same.

    Args:
        id: Stays the same in later windows while most of the words do.
        is_new: Whether no known topic is like it.
        words: How it is told from the others, best first; one or two words each.
        weights: All words by which it is known again, folded, with weights that sum to 1.
        stories: Posts that say something of their own.
        posts: All posts, copies included.
        negative: Those of `posts` that were judged negative.
        posts_before: Posts about it in the window before; None where there is none.
        change: Difference of the two windows in standard deviations (Poisson); above 2 it
            rises clearly, below -2 it falls. None where there is no window before.
        top_ids: One post of each of its biggest stories.
        ids: All its posts.

    """

    id: str
    is_new: bool
    words: tuple[str, ...]
    weights: tuple[tuple[str, float], ...]
    stories: int
    posts: int
    negative: int
    posts_before: int | None
    change: float | None
    top_ids: tuple[int, ...]
    ids: tuple[int, ...]

    @property
    def negative_share(self) -> float:
        """Share of its posts that were judged negative, 0 to 1."""
        return self.negative / self.posts

    @property
    def is_rising(self) -> bool:
        """Whether it is clearly bigger than in the window before."""
        return self.change is not None and self.change >= CLEAR_CHANGE

    @property
    def is_falling(self) -> bool:
        """Whether it is clearly smaller than in the window before."""
        return self.change is not None and self.change <= -CLEAR_CHANGE

    @property
    def known(self) -> KnownTopic:
        """By what a later window knows it again."""
        return KnownTopic(self.id, self.weights)


@dataclass(slots=True)
class _Story:
    """Posts that say the same; the first one's words stand for them."""

    words: list[Word]
    posts: list[TopicText]


def find_topics(
    texts: Sequence[TopicText],
    known: Sequence[KnownTopic] = (),
    *,
    before: Sequence[TopicText] | None = None,
    names: Sequence[str] = (),
    most: int = MOST_TOPICS,
) -> list[Topic]:
    """Return what the texts are about, the biggest topic first.

    Args:
        texts: The posts of the window.
        known: Topics of earlier windows; those found again keep their ids.
        before: The posts of a window of the same length before, to tell what grew.
        names: Names and handles of the brand, which everybody says.
        most: Most topics that are returned.

    """
    folded = name_words(names)
    stories = _stories(texts, folded)
    earlier = None if before is None else _stories(before, folded)
    vocabulary = Vocabulary(
        [story.words for story in stories],
        _weights(stories),
        None if earlier is None else ([story.words for story in earlier], _weights(earlier)),
    )
    seeds = merge(vocabulary, vocabulary.seeds(most * 2))
    if not seeds.shape[1]:
        return []
    chosen = choose(vocabulary, vocabulary.has, seeds)
    own = own_words(vocabulary, chosen, seeds.shape[1])
    counts = None if earlier is None else _count_before(vocabulary, seeds, earlier)
    sizes = [
        (-sum(len(stories[at].posts) for at in np.flatnonzero(chosen == number)), number)
        for number in range(seeds.shape[1])
    ]
    biggest = [number for size, number in sorted(sizes) if -size >= LEAST_POSTS][:most]
    weights = {number: _known_words(vocabulary, own[number]) for number in biggest}
    ids = _ids(weights, known)
    return [
        _topic(
            [stories[at] for at in np.flatnonzero(chosen == number)],
            (ids[number], ids[number] not in {one.id for one in known}),
            (vocabulary, own[number], weights[number]),
            None if counts is None else counts[number],
        )
        for number in biggest
    ]


def _stories(texts: Sequence[TopicText], names: frozenset[str]) -> list[_Story]:
    """Put posts together that repeat each other, in the order of their ids."""
    found: dict[int, _Story] = {}
    by_text: dict[str, int] = {}
    for text in sorted(texts, key=lambda one: one.id):
        root = text.id if text.story is None else text.story
        normal = normal_text(text.text)
        key = root if root in found else by_text.get(normal, root)
        by_text.setdefault(normal, key)
        if key in found:
            found[key].posts.append(text)
        else:
            found[key] = _Story(telling_words(text.text, text.lang, names), [text])
    return list(found.values())


def _weights(stories: Sequence[_Story]) -> Floats:
    return np.array([1.0 + math.log2(len(story.posts)) for story in stories], dtype=np.float32)


def _count_before(
    vocabulary: Vocabulary, seeds: Floats, stories: Sequence[_Story]
) -> dict[int, int]:
    """Return how many posts of the window before each topic would have had."""
    has = vocabulary.incidence([story.words for story in stories])
    chosen: Places = choose(vocabulary, has, seeds)
    counts = dict.fromkeys(range(seeds.shape[1]), 0)
    for number, story in zip(chosen.tolist(), stories, strict=True):
        if number >= 0:
            counts[number] += len(story.posts)
    return counts


def _known_words(vocabulary: Vocabulary, own: Floats) -> tuple[tuple[str, float], ...]:
    best = [one for one in np.argsort(-own, kind="stable")[:KNOWN_WORDS].tolist() if own[one] > 0]
    total = float(own[best].sum()) or 1.0
    return tuple((vocabulary.keys[one], round(float(own[one]) / total, 4)) for one in best)


def _topic(
    stories: Sequence[_Story],
    named: tuple[str, bool],
    words: tuple[Vocabulary, Floats, tuple[tuple[str, float], ...]],
    before: int | None,
) -> Topic:
    vocabulary, own, weights = words
    by_size = sorted(stories, key=lambda story: (-len(story.posts), story.posts[0].id))
    posts = [post for story in stories for post in story.posts]
    return Topic(
        id=named[0],
        is_new=named[1],
        words=phrases(vocabulary, [story.words for story in stories], own, SHOWN_WORDS),
        weights=weights,
        stories=len(stories),
        posts=len(posts),
        negative=sum(post.is_negative for post in posts),
        posts_before=before,
        change=None
        if before is None
        else round((len(posts) - before) / math.sqrt(len(posts) + before), 2),
        top_ids=tuple(story.posts[0].id for story in by_size[:TOP_POSTS]),
        ids=tuple(sorted(post.id for post in posts)),
    )


def _ids(
    found: Mapping[int, tuple[tuple[str, float], ...]], known: Sequence[KnownTopic]
) -> dict[int, str]:
    """Name each topic: as a known one where they are most alike, else by its own words."""
    pairs = sorted(
        (
            (-alike(weights, topic.words), number, place)
            for number, weights in found.items()
            for place, topic in enumerate(known)
        ),
    )
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for likeness, number, place in pairs:
        name = known[place].id
        if -likeness >= SAME_TOPIC and number not in ids and name not in taken:
            ids[number] = name
            taken.add(name)
    taken |= {topic.id for topic in known}
    for number, weights in found.items():
        words = " ".join(sorted(word for word, _ in weights[:SHOWN_WORDS]))
        while number not in ids:
            name = "t" + blake2b(words.encode(), digest_size=6).hexdigest()
            words += " +"  # Only if another topic had the same words.
            if name not in taken:
                ids[number] = name
                taken.add(name)
    return ids


def alike(one: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]]) -> float:
    """Return the share of their words that two topics have in common, by weight, 0 to 1."""
    weights = dict(other)
    return sum(min(weight, weights.get(word, 0.0)) for word, weight in one)
