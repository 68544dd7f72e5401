"""Two models, the fast one first: the other is asked only where the first is unsure.

`cascade:onnx:/models/accurate` lets the bundled models judge every text, and gives those that
they are less than `GROUNDSWELL_CASCADE_BELOW` sure of to the scorer after the colon too; there
the mean of both models' probabilities decides, which is right more often than either. The gate
is the first model's calibrated confidence, which costs nothing: a cheaper gate before the bundled
English model would save little of its 2 to 3 ms, and loses more than it saves (docs/sentiment.md).

Limits: a text that the first model is wrongly sure of stays wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError
from config.settings import read_settings
from sentiment.heads import HeadScores
from sentiment.scorer import Scorer, find_scorer, make_scorer
from sentiment.types import Label, ScorableText, Sentiment

#: The scorer that judges every text.
FIRST = "onnx"


#: Labels in the order of the probabilities.
LABELS = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)


class CascadeSettings(BaseSettings):
    """When the second scorer is asked."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_CASCADE_", extra="ignore")

    below: float = Field(
        default=0.7, gt=0, le=1, description="Confidence below which the second scorer is asked."
    )


class CascadeScorer(Scorer):
    """Judges texts with the bundled models, and the unsure ones with the scorer it is given."""

    def __init__(self, argument: str = "") -> None:
        """Load both.

        Raises:
            InputError: The argument names no scorer, or one of them cannot be loaded.

        """
        super().__init__(argument)
        if not argument:
            raise InputError(
                "the scorer 'cascade' needs, after the colon, the scorer that judges what the "
                "bundled models are unsure of, for example cascade:onnx:/models/accurate"
            )
        if find_scorer(argument)[0] is CascadeScorer:
            raise InputError("the second scorer of a cascade cannot be a cascade")
        self._below = read_settings(CascadeSettings).below
        self._first = make_scorer(FIRST)
        self._second = make_scorer(argument)

    @property
    def version(self) -> str:
        """Both versions, and the confidence between them."""
        return f"cascade-{self._below:g}/{self._first.version}>{self._second.version}"

    @property
    def versions(self) -> frozenset[str]:
        """Each judgement names the first model, or the cascade where both were asked."""
        return frozenset({self.version}) | self._first.versions

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order."""
        return [judged for judged, _ in self.score_with_heads(texts)]

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        """Return each text's judgement and heads, in order.

        A text that only one of the two can read has that one's judgement; heads are the first
        model's, and the second's where the first has none.
        """
        found = self._first.score_with_heads(texts)
        unsure = [
            place
            for place, (judged, _) in enumerate(found)
            if judged.label is not Label.UNKNOWN and judged.confidence < self._below
        ]
        asked = self._second.score_with_heads([texts[place] for place in unsure]) if unsure else []
        for place, (second, others) in zip(unsure, asked, strict=True):
            first, heads = found[place]
            found[place] = self._mean(first, second), others if heads == HeadScores() else heads
        return found

    def _mean(self, first: Sentiment, second: Sentiment) -> Sentiment:
        pairs = [(one.p_negative, one.p_neutral, one.p_positive) for one in (first, second)]
        chances = [
            (one + other) / 2
            for one, other in zip(*pairs, strict=True)
            if one is not None and other is not None
        ]
        if len(chances) < len(LABELS):
            return first
        negative, neutral, positive = chances
        confidence = max(chances)
        return Sentiment(
            label=LABELS[chances.index(confidence)],
            score=positive - negative,
            p_negative=negative,
            p_neutral=neutral,
            p_positive=positive,
            confidence=confidence,
            lang=first.lang,
            scorer=self.version,
        )

    def close(self) -> None:
        """Give up what the two hold."""
        self._first.close()
        self._second.close()
