"""Which words carried a judgement, found by leaving each of them out in turn.

Works for any scorer, and costs one judgement for each word: ask when somebody looks. A long
text is first looked at in stretches, and only the stretches that matter word by word.

Where each of several words would be enough ("terrible, I am furious"), leaving one out changes
next to nothing. Then more are left out, one after the other, until the judgement falls, and
each of them weighs what it does without the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sentiment.scorer import Scorer
from sentiment.topic_words import name_words
from sentiment.types import ScorableText, WordWeight

#: Most texts that are scored for one explanation: half for stretches, half for their words.
MOST_TEXTS = 128

#: A judgement is carried by several words, each of them enough, where no word alone takes away
#: this part of its score ...
ONE_WORD_SHARE = 0.2

#: ... and it is a judgement at all: scores closer to 0 are neutral.
LEAST_SCORE = 0.2

#: Most words that are left out together, and most texts that are scored to find them.
MOST_TOGETHER, MOST_TOGETHER_TEXTS = 8, 256

#: Characters of a text that are looked at.
MAX_CHARS = 4000

_WORD = re.compile(r"\S+")

_Span = tuple[int, int]


def explain(
    scorer: Scorer, text: str, targets: Sequence[str] = (), *, lang: str | None = None
) -> tuple[WordWeight, ...]:
    """Return the words of `text` in order, each with what it did to the score.

    A weight is the score with the word less the score without it: positive words have
    positive weights. Negation shows: in "not good" both words are negative. The words of a
    stretch that did not matter have weight 0, and so has the target's own name: without it
    nothing is said about the target.
    """
    asked = ScorableText(text[:MAX_CHARS], tuple(targets), lang)
    words = [found.span() for found in _WORD.finditer(asked.text)]
    if not words:
        return ()
    whole = scorer.score([asked])[0]
    if whole.p_negative is None:
        return tuple(_weigh(asked.text, word, 0.0) for word in words)
    # What was found out about the whole text helps with one that has a word less.
    asked = ScorableText(asked.text, asked.targets, lang or whole.lang)
    names = name_words(targets)
    looked = [
        at
        for at, (start, end) in enumerate(words)
        if names.isdisjoint(name_words([asked.text[start:end]]))
    ]
    is_short = len(words) <= MOST_TEXTS
    if not is_short:
        looked = _in_stretches_that_matter(scorer, asked, whole.score, words, looked)
    spans = [words[at] for at in looked]
    losses = _losses(scorer, asked, whole.score, spans)
    if is_short and _is_carried_by_several(losses, whole.score):
        for at, weight in _together(scorer, asked, whole.score, spans, losses).items():
            losses[at] = weight
    weights = np.zeros(len(words))
    weights[looked] = losses
    return tuple(
        _weigh(asked.text, word, weight) for word, weight in zip(words, weights, strict=True)
    )


def _in_stretches_that_matter(
    scorer: Scorer,
    asked: ScorableText,
    score: float,
    words: Sequence[_Span],
    looked: Sequence[int],
) -> list[int]:
    """Return which words of a long text stand in the stretches that did most to the score."""
    half = MOST_TEXTS // 2
    edges = [round(place) for place in np.linspace(0, len(words), half + 1)]
    stretches = list(pairwise(edges))
    spans = [(words[start][0], words[end - 1][1]) for start, end in stretches]
    losses = np.abs(_losses(scorer, asked, score, spans))
    chosen: set[int] = set()
    for place in np.argsort(-losses, kind="stable"):
        start, end = stretches[place]
        if losses[place] == 0 or len(chosen) + end - start > half:
            break
        chosen.update(range(start, end))
    return [at for at in looked if at in chosen]


def _is_carried_by_several(losses: Sequence[float], score: float) -> bool:
    """Say whether a clear judgement stays what it is, whichever word is left out."""
    most = max((loss * np.sign(score) for loss in losses), default=0.0)
    return abs(score) >= LEAST_SCORE and most < ONE_WORD_SHARE * abs(score)


def _together(
    scorer: Scorer,
    asked: ScorableText,
    score: float,
    spans: Sequence[_Span],
    losses: Sequence[float],
) -> dict[int, float]:
    """Return the words without which the judgement falls, each with what it does alone.

    The word that takes most away goes first, then the one that takes most away of what is
    left, until less than half of the score remains. Empty where that never happens.
    """
    if not spans:
        return {}
    sign = float(np.sign(score))
    out = [max(range(len(spans)), key=lambda at: sign * losses[at])]
    budget = MOST_TOGETHER_TEXTS
    while len(out) < MOST_TOGETHER:
        rest = [at for at in range(len(spans)) if at not in out]
        budget -= len(rest)
        if not rest or budget < len(out):
            return {}
        scores = _scores_without(
            scorer, asked, [[spans[one] for one in (*out, at)] for at in rest], score
        )
        left, best = min(zip(scores, rest, strict=True), key=lambda one: sign * one[0])
        out.append(best)
        if sign * left < abs(score) / 2:
            others = [[spans[one] for one in out if one != at] for at in out]
            alone = _scores_without(scorer, asked, others, left)
            return {at: found - left for at, found in zip(out, alone, strict=True)}
    return {}


def _losses(
    scorer: Scorer, asked: ScorableText, score: float, spans: Sequence[_Span]
) -> list[float]:
    """Return how much of the score goes with each span of the text."""
    return [
        score - found for found in _scores_without(scorer, asked, [[one] for one in spans], score)
    ]


def _scores_without(
    scorer: Scorer, asked: ScorableText, left_out: Sequence[Sequence[_Span]], otherwise: float
) -> list[float]:
    """Return the score without each of several choices of spans.

    A text whose language got lost says nothing about what is left out of it, and gets the
    score `otherwise`; where nothing is left but a word, all of the score was that of the rest.
    """
    without = [
        ScorableText(_cut(asked.text, spans), asked.targets, asked.lang) for spans in left_out
    ]
    return [
        otherwise if found.p_negative is None and len(left.text.split()) > 1 else found.score
        for left, found in zip(without, scorer.score(without), strict=True)
    ]


def _cut(text: str, spans: Sequence[_Span]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return text


def _weigh(text: str, span: _Span, weight: float) -> WordWeight:
    start, end = span
    return WordWeight(word=text[start:end], start=start, end=end, weight=round(float(weight), 4))
