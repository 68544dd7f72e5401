"""A scorer in a pool of processes: one thread and one copy of the model each.

Two single-thread processes use two cores better than one process with two threads. The
processes are started by `loky` as fresh interpreters (nothing is inherited from a process that
has threads), load the model at their first texts, and wait for more. One that dies is replaced
and its texts are given out again; when this process dies, however, they end within a second.

Measured with the bundled models: 220 MB for each process (PSS; 250 MB with the libraries that
all share), and 2.3 s until a new one has judged its first text on a busy machine.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Final

from loky import ProcessPoolExecutor

from config.errors import TransientError
from config.logs import get_logger
from sentiment.heads import HeadScores
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import ScorableText, Sentiment

log = get_logger(__name__)

#: Texts of similar length that a process is given at a time: many enough that handing them
#: over costs little beside the model, few enough that no process waits long for the last one.
CHUNK = 32

#: How often texts are given out whose process died.
MOST_TRIES = 3

#: Where the machine is busy, what labels new mentions and sends alerts goes first.
NICENESS = 5

#: Seconds between two looks of a process at whether its parent is still there.
_LOOK_EVERY_S = 1.0

#: What keeps a process to one thread and its memory together; set only where nothing else is.
_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "GROUNDSWELL_TRANSFORMERS_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}


class ScorerPool(Scorer):
    """The scorer that a setting names, in several processes.

    Args:
        setting: As in `GROUNDSWELL_SCORER`.
        processes: How many.

    Raises:
        InputError: The scorer cannot be loaded; said at the first texts.

    """

    def __init__(self, setting: str, *, processes: int) -> None:
        super().__init__(setting.partition(":")[2])
        self._setting = setting
        self._processes = processes
        self._lock = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None
        self._names: tuple[str, frozenset[str]] | None = None

    @property
    def version(self) -> str:
        """Name and version of the scorer."""
        return self._ask_names()[0]

    @property
    def versions(self) -> frozenset[str]:
        """Everything that its judgements may name as their scorer."""
        return self._ask_names()[1]

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        """Return one judgement for each text, in order.

        Raises:
            TransientError: The processes die again and again.

        """
        return [judged for judged, _ in self.score_with_heads(texts)]

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        """Return each text's judgement with what the heads say, in order.

        Raises:
            TransientError: The processes die again and again.

        """
        # The longest first: what takes longest must not be begun last.
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place].text))
        chunks = {
            start: tuple(order[start : start + CHUNK]) for start in range(0, len(order), CHUNK)
        }
        found: dict[int, tuple[Sentiment, HeadScores]] = {}
        for _ in range(MOST_TRIES):
            done = self._give_out(chunks, texts)
            for start, judged in done.items():
                found |= zip(chunks.pop(start), judged, strict=True)
            if not chunks:
                return [found[place] for place in range(len(texts))]
        raise TransientError(
            f"the processes of the scorer {self._setting} died {MOST_TRIES} times; they may lack "
            "memory: see GROUNDSWELL_SCORING_PROCESSES"
        )

    def close(self) -> None:
        """End the processes; they are started again if there is more to score."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)

    def _give_out(
        self, chunks: Mapping[int, Sequence[int]], texts: Sequence[ScorableText]
    ) -> dict[int, list[tuple[Sentiment, HeadScores]]]:
        """Return the judgements of the chunks whose process did not die."""
        executor = self._open()
        done: dict[int, list[tuple[Sentiment, HeadScores]]] = {}
        try:
            futures: dict[int, Future[list[tuple[Sentiment, HeadScores]]]] = {
                start: executor.submit(_score, self._setting, [texts[place] for place in places])
                for start, places in chunks.items()
            }
            for start, future in futures.items():
                done[start] = future.result()
        except BrokenProcessPool:
            log.warning("a scoring process died")
            self._give_up(executor)
        return done

    def _open(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._executor is None:
                more = {key: value for key, value in _ENVIRONMENT.items() if key not in os.environ}
                self._executor = ProcessPoolExecutor(
                    self._processes, initializer=_start, initargs=(os.getpid(),), env=more
                )
            return self._executor

    def _give_up(self, executor: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._executor is executor:
                self._executor = None
        executor.shutdown(wait=False)

    def _ask_names(self) -> tuple[str, frozenset[str]]:
        if self._names is None:
            try:
                self._names = self._open().submit(_names, self._setting).result()
            except BrokenProcessPool as error:
                self.close()
                raise TransientError(f"a process of the scorer {self._setting} died") from error
        return self._names


def _start(parent: int) -> None:
    """Let a fresh process stand behind what is urgent, and end when its parent does."""
    os.nice(NICENESS)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@cache
def _scorer(setting: str) -> Scorer:
    return make_scorer(setting)


def _score(setting: str, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
    return _scorer(setting).score_with_heads(texts)


def _names(setting: str) -> tuple[str, frozenset[str]]:
    scorer = _scorer(setting)
    return scorer.version, scorer.versions
