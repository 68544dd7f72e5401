from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import InputError
from sentiment.late_scorer import LateScorer
from sentiment.pool import CHUNK, ScorerPool
from sentiment.scorer import make_scorer
from sentiment.types import ScorableText

TEXTS = [
    ScorableText(f"Acme is {word} " + "and so on " * (number % 7))
    for number, word in enumerate(["great", "awful", "open"] * CHUNK)
]

#: A process that holds a pool, says whose it is, and is then killed.
HOLDER = """
import os, time
from sentiment.pool import ScorerPool
from sentiment.types import ScorableText
pool = ScorerPool("vader", processes=1)
pool.score([ScorableText("good")])
print(pool._open().submit(os.getpid).result(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def pool() -> Iterator[ScorerPool]:
    pool = ScorerPool("vader", processes=2)
    yield pool
    pool.close()


def test_a_pool_says_what_the_scorer_says_in_order(pool: ScorerPool) -> None:
    alone = make_scorer("vader")

    assert pool.score(TEXTS) == alone.score(TEXTS)
    assert pool.score([]) == []
    assert (pool.version, pool.versions) == (alone.version, alone.versions)


def test_a_process_that_dies_is_replaced_and_nothing_is_lost(pool: ScorerPool) -> None:
    first = pool.score(TEXTS)
    for number in range(2):
        os.kill(_process_of(pool), signal.SIGKILL)
        time.sleep(0.2 * number)  # found dead at once, or while it has work

        assert pool.score(TEXTS) == first


def test_a_closed_pool_starts_again(pool: ScorerPool) -> None:
    before = _process_of(pool)
    pool.close()
    _wait_until_gone(before)

    assert len(pool.score(TEXTS[:2])) == 2


def test_the_processes_end_when_whoever_started_them_is_killed() -> None:
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, cwd=root, text=True
    ) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        holder.kill()

    _wait_until_gone(child)


def test_what_cannot_be_loaded_is_said_in_words(tmp_path: Path) -> None:
    pool = ScorerPool(f"onnx:{tmp_path}", processes=1)
    try:
        with pytest.raises(InputError, match="is not a model folder"):
            pool.score(TEXTS[:1])
    finally:
        pool.close()


def test_a_scorer_is_loaded_when_it_is_first_asked(tmp_path: Path) -> None:
    late = LateScorer(f"onnx:{tmp_path}")

    with pytest.raises(InputError, match="is not a model folder"):
        late.score(TEXTS[:1])
    with pytest.raises(InputError, match="there is no scorer named 'nobody'"):
        LateScorer("nobody")


def test_a_late_scorer_runs_in_as_many_processes_as_are_asked_for() -> None:
    late = LateScorer("vader", processes=2)
    try:
        assert isinstance(late.load(), ScorerPool)
        assert late.score(TEXTS[:3]) == make_scorer("vader").score(TEXTS[:3])
    finally:
        late.close()


def _process_of(pool: ScorerPool) -> int:
    found: int = pool._open().submit(os.getpid).result()
    return found


def _wait_until_gone(process: int) -> None:
    for _ in range(100):
        try:
            os.kill(process, 0)
            state = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return
        if state == "Z":
            return
        time.sleep(0.1)
    msg = f"process {process} is still there after 10 s"
    raise AssertionError(msg)
