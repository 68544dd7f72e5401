"""What is read from a text besides its polarity: emotion, irony, offence.

A scorer that can say more than a `Sentiment` has `score_with_heads`; whoever wants the rest asks
`isinstance(scorer, HeadScorer)` first. The polarity and the rest come from one run of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sentiment.types import ScorableText, Sentiment

#: The emotions that are told apart, in the order of the model's outputs.
EMOTIONS = ("anger", "joy", "optimism", "sadness")


@dataclass(frozen=True, slots=True)
class HeadScores:
    """What a text's heads say; None and empty where they do not read its language.

    Args:
        emotion: The most probable of `EMOTIONS`. There is no "none of them": read it together
            with `p_emotion` and the polarity.
        p_emotion: Probability of each emotion; they sum to 1.
        irony: Probability that the text is ironic, 0 to 1.
        offensive: Probability that the text is offensive, 0 to 1.

    """

    emotion: str | None = None
    p_emotion: Mapping[str, float] = field(default_factory=dict)
    irony: float | None = None
    offensive: float | None = None


@runtime_checkable
class HeadScorer(Protocol):
    """A scorer that reads heads in the same run as the polarity."""

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        """Return the judgement and the heads of each text, in order."""
