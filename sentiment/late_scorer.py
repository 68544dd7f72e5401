"""The scorer of a running system: loaded when first asked, in this process or in a pool of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sentiment.heads import HeadScores
from sentiment.scorer import Scorer, find_scorer
from sentiment.types import ScorableText, Sentiment


class LateScorer(Scorer):
    """A scorer that is loaded when it is first asked: who has nothing to score need not wait.

    Args:
        setting: As in `GROUNDSWELL_SCORER`.
        processes: Processes that run it; 1 is this one.

    Raises:
        InputError: There is no such scorer. That its model cannot be loaded is said at first use.

    """

    def __init__(self, setting: str, *, processes: int = 1) -> None:
        self._kind, argument = find_scorer(setting)
        super().__init__(argument)
        self._setting = setting
        self._processes = processes
        self._lock = threading.Lock()
        self._loaded: Scorer | None = None

    def load(self) -> Scorer:
        """Return the scorer itself, loaded now if it was not.

        Raises:
            InputError: It cannot be loaded; the message says why.

        """
        with self._lock:
            if self._loaded is None:
                self._loaded = self._make()
            return self._loaded

    def _make(self) -> Scorer:
        if self._processes == 1:
            return self._kind(self.argument)
        from sentiment.pool import ScorerPool  # noqa: PLC0415 - few use it

        return ScorerPool(self._setting, processes=self._processes)

    @property
    def version(self) -> str:
        """Name and version of the scorer."""
        return self.load().version

    @property
    def versions(self) -> frozenset[str]:
        """Everything that its judgements may name as their scorer."""
        return self.load().versions

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order."""
        return self.load().score(texts)

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        """Return each text's judgement with what the heads say."""
        return self.load().score_with_heads(texts)

    def close(self) -> None:
        """Give up what the scorer holds; it is loaded again if it is asked again."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
                self._loaded = None
