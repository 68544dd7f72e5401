from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from api.batches import MOST_BROKEN, do_batch
from config.db import MOST_TRIES
from config.errors import TransientError
from listener.models import Mention, Step
from sentiment.scorers.vader import VaderScorer
from sentiment.service import score_mentions
from sentiment.types import ScorableText, Sentiment
from tests.make import make_brand, make_mention


class _Choosy(VaderScorer):
    """VADER, but for a word that it cannot stand."""

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        if any("poison" in text.text for text in texts):
            raise ValueError("poison, said by @jane")
        return super().score(texts)


def _work(sessions: sessionmaker[Session]) -> Callable[[list[int]], int]:
    scorer = _Choosy()
    return lambda ids: score_mentions(sessions, scorer, ids)


def _store(sessions: sessionmaker[Session], *texts: str) -> list[int]:
    with sessions.begin() as session:
        brand = make_brand(session)
        return [make_mention(session, brand, text=text).id for text in texts]


def test_a_mention_that_breaks_a_step_holds_up_no_other(sessions: sessionmaker[Session]) -> None:
    ids = _store(sessions, *[f"Acme is great, {n}" for n in range(9)], "Acme is poison")

    with structlog.testing.capture_logs() as said:
        assert do_batch(Step.SCORE, _work(sessions), ids) == 9

    with sessions() as session:
        waiting = session.scalars(select(Mention.id).where(Mention.pending == Step.SCORE)).all()
    assert waiting == [ids[-1]]
    assert [(one["mention_id"], one["kind"]) for one in said] == [(ids[-1], "ValueError")]
    assert "jane" not in repr(said)


def test_a_step_that_is_broken_itself_is_given_up_soon(sessions: sessionmaker[Session]) -> None:
    ids = _store(sessions, *[f"Acme is poison, {n}" for n in range(50)])

    with structlog.testing.capture_logs() as said, pytest.raises(ValueError, match="poison"):
        do_batch(Step.SCORE, _work(sessions), ids)

    assert len(said) == MOST_BROKEN


@pytest.mark.parametrize(
    "error", [TransientError("later"), OperationalError("SELECT", {}, Exception("gone"))]
)
def test_what_is_not_about_the_mentions_is_not_tried_for_each(error: Exception) -> None:
    calls: list[list[int]] = []

    def work(ids: list[int]) -> int:
        calls.append(ids)
        raise error

    with pytest.raises(type(error)):
        do_batch(Step.LINK, work, [1, 2, 3])

    assert calls == [[1, 2, 3]]


class _DeadlockError(Exception):
    """What PostgreSQL's driver raises when two transactions wait for each other."""

    sqlstate = "40P01"


def test_a_batch_that_another_worker_stood_in_the_way_of_is_done_again() -> None:
    tries: list[list[int]] = []

    def work(ids: list[int]) -> int:
        tries.append(ids)
        if len(tries) < MOST_TRIES:
            raise OperationalError("UPDATE", {}, _DeadlockError())
        return len(ids)

    assert do_batch(Step.LINK, work, [1, 2]) == 2
    assert tries == [[1, 2]] * MOST_TRIES


def test_a_batch_that_always_deadlocks_is_said() -> None:
    def work(ids: list[int]) -> int:
        raise OperationalError("UPDATE", {}, _DeadlockError())

    with pytest.raises(OperationalError):
        do_batch(Step.LINK, work, [1, 2])
