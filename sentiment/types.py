"""What a scorer is asked and what it answers: plain values, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """Polarity of a text toward its target. UNKNOWN: nobody here can read it."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ScorableText:
    """A text to be judged.

    Args:
        text: As the platform shows it.
        targets: Names and handles of what the judgement is toward; empty means the text's
            overall sentiment.
        lang: ISO 639-1 code where it is known; None lets it be found.

    """

    text: str
    targets: tuple[str, ...] = ()
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Sentiment:
    """A judgement.

    Args:
        label: The most probable polarity.
        score: From -1 (negative) to +1 (positive); 0 where unknown.
        p_negative: Probability; the three sum to 1. None where unknown.
        p_neutral: Probability.
        p_positive: Probability.
        confidence: The probability that the label is right, 0 to 1; 0 where unknown.
        lang: ISO 639-1 code of the text, `und` where undetermined.
        scorer: Name and version of what judged, for example `vader-3.3.2/1`.

    """

    label: Label
    score: float
    p_negative: float | None
    p_neutral: float | None
    p_positive: float | None
    confidence: float
    lang: str
    scorer: str


@dataclass(frozen=True, slots=True)
class WordWeight:
    """A word of a text and what it did to the score.

    Args:
        word: As it stands in the text.
        start: Where it begins, in characters.
        end: Where it ends, not included.
        weight: Positive where it made the judgement more positive, negative where less.

    """

    word: str
    start: int
    end: int
    weight: float


def unknown(lang: str, scorer: str) -> Sentiment:
    """Return the judgement of a text that the scorer cannot read."""
    return Sentiment(
        label=Label.UNKNOWN,
        score=0.0,
        p_negative=None,
        p_neutral=None,
        p_positive=None,
        confidence=0.0,
        lang=lang,
        scorer=scorer,
    )
