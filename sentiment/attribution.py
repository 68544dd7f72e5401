"""Which words carried a judgement, found by leaving each of them out in turn.

Works for any scorer, and costs one judgement for each word: ask when somebody looks. A long
text is first looked at in stretches, and only the stretches that matter word by word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sentiment.scorer import Scorer
from sentiment.types import ScorableText, WordWeight

#: Most texts that are scored for one explanation: half for stretches, half for their words.
MOST_TEXTS = 128

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
    stretch that did not matter have weight 0.
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
    weights = np.zeros(len(words))
    if len(words) <= MOST_TEXTS:
        weights[:] = _losses(scorer, asked, whole.score, words)
    else:
        half = MOST_TEXTS // 2
        edges = [round(place) for place in np.linspace(0, len(words), half + 1)]
        stretches = list(pairwise(edges))
        spans = [(words[start][0], words[end - 1][1]) for start, end in stretches]
        losses = np.abs(_losses(scorer, asked, whole.score, spans))
        chosen: list[int] = []
        for place in np.argsort(-losses, kind="stable"):
            start, end = stretches[place]
            if losses[place] == 0 or len(chosen) + end - start > half:
                break
            chosen += range(start, end)
        weights[chosen] = _losses(scorer, asked, whole.score, [words[at] for at in chosen])
    return tuple(
        _weigh(asked.text, word, weight) for word, weight in zip(words, weights, strict=True)
    )


def _losses(
    scorer: Scorer, asked: ScorableText, score: float, spans: Sequence[_Span]
) -> list[float]:
    """Return how much of the score goes with each span of the text."""
    without = [
        ScorableText(f"{asked.text[:start]} {asked.text[end:]}", asked.targets, asked.lang)
        for start, end in spans
    ]
    return [
        0.0 if found.p_negative is None and _is_more_than_a_word(left.text) else score - found.score
        for left, found in zip(without, scorer.score(without), strict=True)
    ]


def _is_more_than_a_word(text: str) -> bool:
    """Tell a text whose language got lost with a word from one of which nothing is left.

    The first says nothing about the word; of the second, all of the score was the word's.
    """
    return len(text.split()) > 1


def _weigh(text: str, span: _Span, weight: float) -> WordWeight:
    start, end = span
    return WordWeight(word=text[start:end], start=start, end=end, weight=round(float(weight), 4))
