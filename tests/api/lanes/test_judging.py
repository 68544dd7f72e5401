"""What the model judges first, once, and next to other workers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api import backlog
from config.db import is_sqlite
from listener.models import JUDGING, Step
from sentiment.types import ScorableText, Sentiment
from tests.api.lanes.conftest import BAD, NICE, MakeEngine, WordScorer, store
from tests.sentiment.scored import assert_rollups_exact, mention_of


def test_the_model_takes_the_risky_first_and_the_newest_of_them_and_skips_none(
    sessions: sessionmaker[Session], make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "JUDGE_BATCH", 1)
    model = WordScorer()
    engine = make_engine(model)
    texts = (f"{BAD} one", NICE, f"{BAD} two", "Acme opens at nine, says the lawsuit", "Acme opens")
    store(sessions, *texts)

    engine.process()

    assert model.asked == [texts[3], texts[2], texts[0], texts[4], texts[1]]


def test_what_an_open_incident_is_about_comes_first(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer())
    before = store(sessions, "The Acme parcel office is here", NICE)
    store(sessions, *(f"{BAD} {n}" for n in range(3)))
    engine.work_backlog()
    assert [mention_of(sessions, one).pending for one in before] == [Step.JUDGE, Step.JUDGE]

    engine.detect()
    after = store(sessions, "More of the Acme parcel office")
    engine.work_backlog()

    assert [mention_of(sessions, one).pending for one in (*before, *after)] == [
        Step.JUDGE_FIRST,
        Step.JUDGE,
        Step.JUDGE_FIRST,
    ]


def test_a_slow_model_holds_up_no_new_mention_and_loses_none_when_it_dies(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    meanwhile: list[int] = []

    class Dying(WordScorer):
        def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
            meanwhile.extend(store(sessions, f"{BAD} meanwhile"))
            engine.work_backlog()
            raise SystemExit

    engine = make_engine(Dying())
    (first,) = store(sessions, BAD)
    engine.work_backlog()
    with pytest.raises(SystemExit):
        engine.judge_backlog()

    waiting = [mention_of(sessions, one) for one in (first, *meanwhile)]
    assert [one.label for one in waiting] == ["negative", "negative"]
    assert {one.pending for one in waiting} <= set(JUDGING)
    assert_rollups_exact(sessions)
    assert make_engine(WordScorer()).process() == 2
    assert_rollups_exact(sessions)


def test_copies_are_judged_once_in_each_lane(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    model = WordScorer()
    engine = make_engine(model)
    ids = store(sessions, *(f"{BAD} https://t.co/{n}" for n in range(5)))

    assert engine.process() == 5

    assert len(model.asked) == 1
    assert {mention_of(sessions, one).label for one in ids} == {"neutral"}
    assert_rollups_exact(sessions)


def test_a_backlog_stops_after_its_batch_when_it_is_told_to(
    sessions: sessionmaker[Session], make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "JUDGE_BATCH", 1)

    class Stopping(WordScorer):
        def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
            engine.stopping.set()
            return super().score(texts)

    engine = make_engine(Stopping())
    store(sessions, f"{BAD} one", f"{BAD} two")
    engine.work_backlog()

    assert engine.judge_backlog() == 1


def test_two_workers_of_a_fleet_let_the_model_judge_different_mentions(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    class Second(WordScorer):
        """A model in whose time another worker looks for work, as both have the same backlog."""

        def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
            judged.append(make_engine(first).judge_backlog())
            return super().score(texts)

    judged: list[int] = []
    first = WordScorer()
    engine = make_engine(Second())
    store(sessions, f"{BAD} one", f"{BAD} two")
    engine.work_backlog()

    assert engine.judge_backlog() + judged[0] == 2

    with sessions() as session:
        is_embedded = is_sqlite(session)
    assert judged == ([2] if is_embedded else [0])  # an embedded database has one worker only
    assert_rollups_exact(sessions)
