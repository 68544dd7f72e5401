"""VADER: a lexicon for English social media, 0.1 ms a text, no model to load.

It reads English (and emoji) only; what is in another language is *unknown*, not neutral.
It judges the text as a whole: targets are not looked at.

VADER gives a compound score and shares, not probabilities. They are turned into three
probabilities by a multinomial logistic regression, fitted with balanced classes on the
TweetEval sentiment and short-post training sets (`sentiment/training/fit_vader.py`).
Macro recall with it and, in brackets, with the customary band of +-0.05: TweetEval
validation 61.5 (59.8), airline tweets, never trained on, 58.5 (55.0).
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from importlib.metadata import version

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from config.errors import InputError
from sentiment.language import UNDETERMINED, find_language
from sentiment.scorer import Scorer
from sentiment.types import Label, ScorableText, Sentiment, unknown

#: Logits of negative and positive against neutral for: 1, compound, |compound|,
#: compound x |compound|, negative share, positive share. Source: see the module's docstring.
NEGATIVE_LOGITS = (-0.857, -0.973, 0.460, 0.458, 6.843, 0.601)
POSITIVE_LOGITS = (-1.009, -0.079, 1.382, 1.409, -1.200, 2.039)

#: Raise it when the same text may be judged differently than before.
REVISION = 1

#: Characters that are judged: VADER's time grows faster than the text.
MAX_CHARS = 4000

_LINK_OR_HANDLE = re.compile(r"https?://\S+|www\.\S+|@\w+")


class VaderScorer(Scorer):
    """Judges English texts with the VADER lexicon."""

    def __init__(self, argument: str = "") -> None:
        if argument:
            msg = f"the scorer 'vader' takes nothing after the colon, and got '{argument}'"
            raise InputError(msg)
        super().__init__(argument)
        self._analyzer = SentimentIntensityAnalyzer()
        self._version = f"vader-{version('vaderSentiment')}/{REVISION}"

    @property
    def version(self) -> str:
        """Version of the lexicon's package and of the probabilities."""
        return self._version

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order."""
        return [self._score_one(text) for text in texts]

    def _score_one(self, item: ScorableText) -> Sentiment:
        language = find_language(item.text, item.lang, item.targets).code
        if language not in {"en", UNDETERMINED}:
            return unknown(language, self._version)
        text = _LINK_OR_HANDLE.sub(" ", html.unescape(item.text[:MAX_CHARS]))
        found = self._analyzer.polarity_scores(text)
        if language == UNDETERMINED and found["compound"] == 0.0:
            # Neither its language nor a word of it is known.
            return unknown(language, self._version)
        negative, neutral, positive = _probabilities(found["compound"], found["neg"], found["pos"])
        confidence, label = max(
            (neutral, Label.NEUTRAL), (negative, Label.NEGATIVE), (positive, Label.POSITIVE)
        )
        return Sentiment(
            label=label,
            score=round(positive - negative, 4),
            p_negative=round(negative, 4),
            p_neutral=round(neutral, 4),
            p_positive=round(positive, 4),
            confidence=round(confidence, 4),
            lang=language,
            scorer=self._version,
        )


def _probabilities(compound: float, neg: float, pos: float) -> tuple[float, float, float]:
    features = (1.0, compound, abs(compound), compound * abs(compound), neg, pos)
    negative = math.exp(sum(w * f for w, f in zip(NEGATIVE_LOGITS, features, strict=True)))
    positive = math.exp(sum(w * f for w, f in zip(POSITIVE_LOGITS, features, strict=True)))
    total = 1.0 + negative + positive
    return negative / total, 1.0 / total, positive / total
