"""Words that belong together, and the posts they gather: the numbers under `topics`. Pure.

How strongly two words belong together is their normalised pointwise mutual information
(G. Bouma, 2009), from -1 (never together) over 0 (as often as by chance) to +1 (always).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sentiment.topic_words import Word

#: Least weight of the posts that have a word, and of those of a topic.
LEAST_WEIGHT = 3.0

#: Share of all posts that a topic has at least.
LEAST_SHARE = 0.004

#: Words that are looked at, the most frequent ones.
MOST_WORDS = 500

#: Share of all posts from which on a word says nothing about what a part of them is about.
TOO_COMMON = 0.8

#: Share of posts from which on a word is ever less a seed.
USUAL_SEED = 0.1

#: How many times as often as by chance two topics must share posts to be one.
BY_CHANCE = 1.3

#: How strongly a word must belong to a seed, and how many such words a topic takes.
LEAST_NPMI = 0.15
MOST_COMPANY = 24

#: Posts of so little weight that have two words say nothing about the two.
_LEAST_TOGETHER = 2.0

#: How much of a topic's words a post must have; the seed alone is 1.
LEAST_FIT = 0.6

#: Topics that share so much of the smaller one's posts are one. Two topics of real posts share
#: up to 0.2, two seeds of one topic from 0.25 to 0.9.
SAME_POSTS = 0.25

#: A share of 1 says nothing: its logarithm is 0.
_ALMOST_ALL = 0.99

#: Posts of the window before from which on it tells what is usual.
_LEAST_BEFORE = 20.0

#: Words next to a seed by which its coherence is measured.
_NEIGHBOURS = 5

Floats = NDArray[np.float32]
Places = NDArray[np.intp]


class Vocabulary:
    """The telling words of many posts: how often each appears, alone and together."""

    def __init__(
        self,
        posts: Sequence[Sequence[Word]],
        weights: Floats,
        before: tuple[Sequence[Sequence[Word]], Floats] | None = None,
    ) -> None:
        """Count the words of `posts`; a post counts as `weights` say.

        `before` are the posts and weights of an earlier window: what hardly any of them had is
        told from it even where almost every post has it now.
        """
        self.weights = weights
        self.total = float(weights.sum())
        counted = _count(posts, weights)
        self._singular = {
            key: key[:-1] for key in counted if key.endswith("s") and key[:-1] in counted
        }
        for key, singular in sorted(self._singular.items()):
            counted[singular] += counted.pop(key)
        usual = self._usual(counted, before)
        most = max(2 * LEAST_WEIGHT, self.total * TOO_COMMON)
        frequent = [
            (key, count)
            for key, count in counted.items()
            if count >= LEAST_WEIGHT and min(count, self.total * usual[key] * 2) <= most
        ]
        frequent.sort(key=lambda one: (-one[1], one[0]))
        self.keys = [key for key, _ in frequent[:MOST_WORDS]]
        self._number = {key: number for number, key in enumerate(self.keys)}
        self.has = self.incidence(posts)
        self.counts: Floats = weights @ self.has
        #: Share of posts that usually have each word.
        self.usual: Floats = np.array([usual[key] for key in self.keys], dtype=np.float32)
        self.npmi, self._together = self._company()

    def _usual(
        self,
        counted: Mapping[str, float],
        before: tuple[Sequence[Sequence[Word]], Floats] | None,
    ) -> dict[str, float]:
        """Return the share of posts that usually have a word: the lower of now and before."""
        now = {key: min(count / self.total, _ALMOST_ALL) for key, count in counted.items()}
        if before is None or float(before[1].sum()) < _LEAST_BEFORE:
            return now
        earlier = _count(*before)
        for key, singular in self._singular.items():
            earlier[singular] += earlier.pop(key, 0.0)
        total = float(before[1].sum()) + 1.0
        return {key: min(share, (earlier[key] + 0.5) / total) for key, share in now.items()}

    def number(self, word: Word) -> int | None:
        """Return the number of a word, its plural's too; None if it is not among them."""
        return self._number.get(self._singular.get(word.key, word.key))

    def incidence(self, posts: Sequence[Sequence[Word]]) -> Floats:
        """Return posts x words, 1 where a post has the word."""
        found = np.zeros((len(posts), len(self.keys)), dtype=np.float32)
        for row, words in enumerate(posts):
            numbers = [self.number(word) for word in words]
            found[row, [number for number in numbers if number is not None]] = 1.0
        return found

    def _company(self) -> tuple[Floats, Floats]:
        weighted = self.has * np.sqrt(self.weights)[:, None]
        together = weighted.T @ weighted
        share = np.maximum(together, 1e-9) / self.total
        alone = np.minimum(self.counts / self.total, _ALMOST_ALL)
        with np.errstate(divide="ignore", invalid="ignore"):
            npmi = np.log(np.minimum(share, _ALMOST_ALL) / np.outer(alone, alone)) / -np.log(
                np.minimum(share, _ALMOST_ALL)
            )
        npmi[together < _LEAST_TOGETHER] = 0.0
        np.fill_diagonal(npmi, 0.0)
        return np.clip(np.nan_to_num(npmi), 0.0, 1.0).astype(np.float32), together

    def seeds(self, most: int) -> Floats:
        """Return words x seeds: each seed's word with 1, and the words that come with it.

        A seed is a word that many posts have which no seed before explains, that is rare
        elsewhere, and that brings the same words along.
        """
        if not self.keys:
            return np.zeros((0, 0), dtype=np.float32)
        nearest = -np.sort(-self.npmi, axis=1)[:, :_NEIGHBOURS]
        # A word that a good part of the posts have anyway names the subject, not a topic of it.
        rare = np.log(1.0 / self.usual + 0.1) * np.minimum(1.0, USUAL_SEED / self.usual) ** 2
        telling = rare * (0.1 + nearest.mean(axis=1))
        least = max(LEAST_WEIGHT, LEAST_SHARE * self.total) - 1e-3
        left = self.weights.copy()
        found: list[Floats] = []
        for _ in range(most):
            gains = left @ self.has
            gains[gains < least] = 0.0
            seed = int(np.argmax(np.round(gains * telling, 5)))
            if gains[seed] <= 0:
                break
            column = self._with_company(seed)
            found.append(column)
            left[self.has @ column >= LEAST_FIT] = 0.0
        return np.stack(found, axis=1) if found else np.zeros((len(self.keys), 0), np.float32)

    def _with_company(self, seed: int) -> Floats:
        column = np.where(self.npmi[seed] >= LEAST_NPMI, self.npmi[seed], 0.0)
        # A word that is mostly elsewhere comes along, but does not make the topic.
        column = column * np.minimum(1.0, 2.0 * self._together[seed] / self.counts)
        weakest = np.argsort(-column, kind="stable")[MOST_COMPANY:]
        column[weakest] = 0.0
        column[seed] = 1.0
        return np.asarray(column, dtype=np.float32)


def _count(posts: Sequence[Sequence[Word]], weights: Floats) -> dict[str, float]:
    counted: dict[str, float] = defaultdict(float)
    for words, weight in zip(posts, weights.tolist(), strict=True):
        for key in {word.key for word in words}:
            counted[key] += weight
    return counted


def choose(vocabulary: Vocabulary, has: Floats, seeds: Floats) -> Places:
    """Return for each post the topic that it fits best, -1 where it fits none.

    A topic whose seed many posts have anyway gets what fits no other.
    """
    if not seeds.shape[1]:
        return np.full(len(has), -1, dtype=np.intp)
    fit = has @ seeds
    usual = np.where(seeds >= 1.0, vocabulary.usual[:, None], 1.0).min(axis=0)
    best: Places = (fit * np.minimum(1.0, USUAL_SEED / usual) ** 0.5).argmax(axis=1)
    best[fit[np.arange(len(fit)), best] < LEAST_FIT] = -1
    return best


def own_words(vocabulary: Vocabulary, chosen: Places, topics: int) -> Floats:
    """Return topics x words: how much each word is the topic's own (class-based tf-idf)."""
    inside = np.zeros((topics, len(vocabulary.keys)), dtype=np.float32)
    for number in range(topics):
        mine = chosen == number
        inside[number] = vocabulary.weights[mine] @ vocabulary.has[mine]
    size = np.array([vocabulary.weights[chosen == one].sum() for one in range(topics)])
    share = inside / np.maximum(size, 1.0)[:, None]
    # Only a word that is more frequent inside than it usually is, is the topic's own.
    lift = share / vocabulary.usual
    return np.asarray(share * np.log(np.maximum(lift, 1.0)), dtype=np.float32)


def merge(vocabulary: Vocabulary, seeds: Floats) -> Floats:
    """Return the seeds with those put together that many of the same posts fit."""
    while seeds.shape[1] > 1:
        fits = (vocabulary.has @ seeds >= LEAST_FIT) * np.sqrt(vocabulary.weights)[:, None]
        both = fits.T @ fits
        size = np.diag(both)
        share = both / np.maximum(np.minimum.outer(size, size), 1.0)
        # A topic of half of the posts shares half of any other's by chance.
        share[share < BY_CHANCE * np.maximum.outer(size, size) / vocabulary.total] = 0.0
        share = np.triu(share, 1)
        one, other = np.unravel_index(int(np.round(share, 5).argmax()), share.shape)
        if share[one, other] < SAME_POSTS:
            break
        seeds[:, one] = np.maximum(seeds[:, one], seeds[:, other])
        seeds = np.delete(seeds, other, axis=1)
    return seeds


def phrases(
    vocabulary: Vocabulary, posts: Sequence[Sequence[Word]], own: Floats, most: int
) -> tuple[str, ...]:
    """Return how a topic is told in at most `most` words, two that stand together as one."""
    ranked = [int(one) for one in np.argsort(-own, kind="stable")[: most * 2] if own[one] > 0]
    wanted = set(ranked)
    shown: dict[int, Counter[str]] = defaultdict(Counter)
    pairs: Counter[tuple[int, int]] = Counter()
    alone: Counter[int] = Counter()
    for words in posts:
        numbers = [vocabulary.number(word) for word in words]
        for word, number in zip(words, numbers, strict=True):
            if number in wanted:
                shown[number][word.shown] += 1
        alone.update({number for number in numbers if number in wanted})
        pairs.update(
            {
                (one, other)
                for one, other, word in zip(numbers, numbers[1:], words[1:], strict=False)
                if one in wanted and other in wanted and one != other and word.gap <= 1
            }
        )
    names = {
        number: max(counted, key=lambda w: (counted[w], w)) for number, counted in shown.items()
    }
    found: list[str] = []
    used: set[int] = set()
    for number in ranked:
        if number in used or number not in names:
            continue
        pair = max(
            (
                one
                for one in pairs
                if number in one
                and not used & set(one)
                and pairs[one] * 2 > min(alone[one[0]], alone[one[1]])
                and pairs[one] >= LEAST_WEIGHT
            ),
            key=lambda one: (pairs[one], one),
            default=(number,),
        )
        used |= set(pair)
        found.append(" ".join(names[one] for one in pair))
        if len(found) == most:
            break
    return tuple(found)
