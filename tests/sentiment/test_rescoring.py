from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from config.db import is_sqlite, read_session
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from listener.models import Mention, Step
from sentiment.corrections import correct_label
from sentiment.duplicates import Judgements
from sentiment.models import Correction, OldScore
from sentiment.rescoring import rescore_outdated
from sentiment.service import score_mentions
from sentiment.types import Label, ScorableText
from tests.make import NOW, make_brand, make_mention
from tests.sentiment.scored import (
    CountingScorer,
    assert_rollups_exact,
    mention_of,
    store_texts,
)

TEXTS = ("I love Acme, great", "Acme is awful and broken", "the Acme shop opens at nine today")


def _finish(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        for mention in session.scalars(select(Mention)):
            mention.pending = None


def _pending(sessions: sessionmaker[Session]) -> list[int]:
    with read_session(sessions) as session:
        query = select(Mention.id).where(Mention.pending == Step.JUDGE).order_by(Mention.id)
        return list(session.scalars(query))


def _rescore(sessions: sessionmaker[Session], version: str, *, limit: int = 100) -> int:
    with sessions.begin() as session:
        return rescore_outdated(session, {version}, limit=limit)


def test_another_version_rescores_the_newest_first(sessions: sessionmaker[Session]) -> None:
    ids = store_texts(sessions, *TEXTS)
    score_mentions(sessions, CountingScorer("old/1"), ids)
    _finish(sessions)

    assert _rescore(sessions, "new/1", limit=2) == 2

    assert _pending(sessions) == ids[1:]


def test_nothing_is_rescored_while_new_mentions_wait(sessions: sessionmaker[Session]) -> None:
    score_mentions(sessions, CountingScorer("old/1"), store_texts(sessions, *TEXTS))
    _finish(sessions)
    store_texts(sessions, "a new one")

    assert _rescore(sessions, "new/1") == 0


def test_rescoring_comes_to_an_end_and_keeps_the_old_scores(
    sessions: sessionmaker[Session],
) -> None:
    ids = store_texts(sessions, *TEXTS)
    score_mentions(sessions, CountingScorer("old/1"), ids)
    _finish(sessions)
    rounds = 0

    while _rescore(sessions, "new/1", limit=2):
        score_mentions(sessions, CountingScorer("new/1"), _pending(sessions))
        _finish(sessions)
        rounds += 1

    assert rounds == 2
    assert {mention_of(sessions, mention_id).scorer for mention_id in ids} == {"new/1"}
    with read_session(sessions) as session:
        old = session.execute(select(OldScore.scorer, OldScore.label).order_by(OldScore.mention_id))
        assert [tuple(row) for row in old] == [
            ("old/1", "positive"),
            ("old/1", "negative"),
            ("old/1", "neutral"),
        ]
    assert_rollups_exact(sessions)


def test_the_model_s_word_on_a_corrected_mention_is_renewed(
    sessions: sessionmaker[Session],
) -> None:
    ids = store_texts(sessions, TEXTS[1])
    score_mentions(sessions, CountingScorer("old/1"), ids)
    with sessions.begin() as session:
        correct_label(session, ids[0], Label.POSITIVE, by="ana", clock=lambda: NOW)
    _finish(sessions)

    assert _rescore(sessions, "new/1") == 1
    score_mentions(sessions, CountingScorer("new/1"), ids)
    _finish(sessions)

    assert _rescore(sessions, "new/1") == 0
    assert mention_of(sessions, ids[0]).label == "positive"
    with read_session(sessions) as session:
        assert session.scalar(select(Correction.model_scorer)) == "new/1"
        assert session.scalar(select(OldScore.scorer)) == "old/1"


def test_a_deleted_mention_is_left_alone(sessions: sessionmaker[Session]) -> None:
    ids = store_texts(sessions, *TEXTS)
    score_mentions(sessions, CountingScorer("old/1"), ids)
    _finish(sessions)
    with sessions.begin() as session:
        session.get_one(Mention, ids[2]).deleted_at = NOW

    assert _rescore(sessions, "new/1") == 2


def test_looking_for_outdated_mentions_uses_the_index(sessions: sessionmaker[Session]) -> None:
    query = "SELECT scorer FROM mention WHERE brand_id = 1 AND scorer > 'a' ORDER BY scorer LIMIT 1"
    with read_session(sessions) as session:
        if is_sqlite(session):
            plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = session.execute(text(f"EXPLAIN {query}")).all()

    assert "ix_mention_scorer" in str(plan)


def test_copies_are_scored_once_across_batches(sessions: sessionmaker[Session]) -> None:
    scorer = CountingScorer()
    with sessions.begin() as session:
        brand = make_brand(session)
        ids = [
            make_mention(session, brand, text=f"RT Acme is awful  https://t.co/{n}").id
            for n in range(6)
        ]

    score_mentions(sessions, scorer, ids[:3])
    score_mentions(sessions, scorer, ids[3:])

    assert len(scorer.asked) == 1
    assert {mention_of(sessions, mention_id).label for mention_id in ids} == {"negative"}
    assert_rollups_exact(sessions)


def test_texts_about_different_targets_are_no_copies() -> None:
    scorer = CountingScorer()
    judgements = Judgements()
    one, other = ScorableText("awful", ("Acme",)), ScorableText("awful", ("Initech",))

    judgements.judge(scorer, [one, other])
    judgements.judge(scorer, [one, ScorableText("awful", ("Acme",), lang="en")])

    assert len(scorer.asked) == 3


def test_the_longest_unused_judgement_is_forgotten_first() -> None:
    scorer = CountingScorer()
    judgements = Judgements(most_kept=2)
    first, second, third = (ScorableText(word) for word in ("good", "bad", "fine"))
    judgements.judge(scorer, [first, second])
    judgements.judge(scorer, [first])
    judgements.judge(scorer, [third])
    scorer.asked.clear()

    judgements.judge(scorer, [first, third])
    assert scorer.asked == []
    judgements.judge(scorer, [second])
    assert scorer.asked == [second]


def test_the_engine_rescores_everything_when_its_scorer_was_changed(
    sessions: sessionmaker[Session],
) -> None:
    def engine(version: str) -> Engine:
        return Engine(
            settings=Settings(),
            sessions=sessions,
            scorer=CountingScorer(version),
            protocols=Protocols(sessions, {}),
        )

    ids = store_texts(sessions, *TEXTS)
    engine("old/1").work_backlog()
    assert engine("old/1").rescore() == 0
    changed = engine("new/1")

    assert changed.rescore() == 3
    changed.process()

    assert changed.rescore() == 0
    for mention_id in ids:
        mention = mention_of(sessions, mention_id)
        assert (mention.scorer, mention.pending) == ("new/1", None)
    assert_rollups_exact(sessions)
