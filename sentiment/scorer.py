"""The contract of a scorer: it judges batches of texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from config.plugins import load_plugin, plugin_names
from sentiment.heads import HeadScores
from sentiment.types import ScorableText, Sentiment

FOLDER = "sentiment.scorers"


class Scorer(ABC):
    """Judges texts. Pure: the same text gives the same judgement, whatever the batch."""

    def __init__(self, argument: str = "") -> None:
        """Load what is needed.

        Args:
            argument: What stands after the colon in `GROUNDSWELL_SCORER`, for example a
                model's name; empty for the plugin's default.

        Raises:
            InputError: What is needed is not installed, or the argument is wrong.

        """
        self.argument = argument

    @property
    @abstractmethod
    def version(self) -> str:
        """Name and version, kept with every judgement, for example `vader-3.3.2/1`."""

    @property
    def versions(self) -> frozenset[str]:
        """Everything that its judgements may name as their scorer; others are outdated."""
        return frozenset({self.version})

    @abstractmethod
    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order."""

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        """Return each text's judgement with what the heads say; most scorers have none."""
        return [(judged, HeadScores()) for judged in self.score(texts)]

    def close(self) -> None:
        """Give up processes that were started; most scorers have none."""


def scorer_names() -> tuple[str, ...]:
    """Return the names of all scorers."""
    return plugin_names(FOLDER)


def make_scorer(setting: str) -> Scorer:
    """Return the scorer that the setting names, for example `vader` or `transformers:NAME`.

    Raises:
        InputError: There is no such scorer, or it cannot be loaded; the message says why.

    """
    kind, argument = find_scorer(setting)
    return kind(argument)


def find_scorer(setting: str) -> tuple[type[Scorer], str]:
    """Return the class that the setting names, and its argument, without loading a model.

    Raises:
        InputError: There is no such scorer, or a package that it needs is missing.

    """
    name, _, argument = setting.partition(":")
    kind: type[Scorer] = load_plugin(FOLDER, name, Scorer)  # type: ignore[type-abstract]
    return kind, argument
