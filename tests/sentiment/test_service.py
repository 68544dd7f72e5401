from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from listener.models import Mention, Step
from sentiment.models import Volume
from sentiment.scorer import Scorer, make_scorer
from sentiment.service import score_mentions
from sentiment.trends import net_sentiment, volume_series
from sentiment.types import ScorableText, Sentiment
from tests.make import NOW, make_brand, make_mention


def _store(sessions: sessionmaker[Session], *texts: str) -> list[int]:
    with sessions.begin() as session:
        brand = make_brand(session)
        return [make_mention(session, brand, text=text).id for text in texts]


def _volumes(sessions: sessionmaker[Session]) -> dict[tuple[int, str], int]:
    with read_session(sessions) as session:
        rows = session.execute(
            select(Volume.grain_s, Volume.label, func.sum(Volume.mentions)).group_by(
                Volume.grain_s, Volume.label
            )
        )
        return {(grain, label): int(count) for grain, label, count in rows if count}


def test_scoring_labels_mentions_and_hands_them_on(sessions: sessionmaker[Session]) -> None:
    ids = _store(sessions, "I love Acme, great work", "Acme is awful and broken")

    assert score_mentions(sessions, make_scorer("vader"), ids) == 2

    with read_session(sessions) as session:
        found = session.execute(select(Mention.label, Mention.pending).order_by(Mention.id)).all()
    assert [tuple(row) for row in found] == [("positive", Step.LINK), ("negative", Step.LINK)]


def test_scoring_twice_counts_once(sessions: sessionmaker[Session]) -> None:
    ids = _store(sessions, "Acme is awful and broken", "Acme is awful and broken")

    score_mentions(sessions, make_scorer("vader"), ids)
    assert score_mentions(sessions, make_scorer("vader"), ids) == 0

    assert _volumes(sessions) == {(300, "negative"): 2, (3600, "negative"): 2}


def test_scoring_an_edited_mention_moves_it_in_the_rollups(
    sessions: sessionmaker[Session],
) -> None:
    ids = _store(sessions, "Acme is awful and broken")
    score_mentions(sessions, make_scorer("vader"), ids)
    with sessions.begin() as session:
        mention = session.get_one(Mention, ids[0])
        mention.text, mention.versions, mention.pending = "I love Acme, great", 2, Step.SCORE

    score_mentions(sessions, make_scorer("vader"), ids)

    assert _volumes(sessions) == {(300, "positive"): 1, (3600, "positive"): 1}


def test_a_mention_edited_while_the_model_runs_waits_for_the_next_round(
    sessions: sessionmaker[Session],
) -> None:
    ids = _store(sessions, "Acme is awful and broken")
    inner = make_scorer("vader")

    class SlowScorer(Scorer):
        """A scorer during whose work the post is edited."""

        version = inner.version

        def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
            with sessions.begin() as session:
                mention = session.get_one(Mention, ids[0])
                mention.text, mention.versions = "I love Acme, great", 2
            return inner.score(texts)

    assert score_mentions(sessions, SlowScorer(), ids) == 0

    with read_session(sessions) as session:
        assert session.get_one(Mention, ids[0]).pending is Step.SCORE
    assert _volumes(sessions) == {}


def test_the_rollups_say_what_the_mentions_say(sessions: sessionmaker[Session]) -> None:
    ids = _store(sessions, "great", "awful", "the shop opens at nine today", "je ne suis pas là")
    score_mentions(sessions, make_scorer("vader"), ids)

    with read_session(sessions) as session:
        points = volume_series(
            session,
            None,
            since=NOW - timedelta(hours=2),
            until=NOW + timedelta(hours=2),
            grain_s=3600,
        )
        raw = dict(
            session.execute(select(Mention.label, func.count()).group_by(Mention.label)).all()
        )

    assert len(points) == 4
    assert {
        "negative": sum(p.negative for p in points),
        "neutral": sum(p.neutral for p in points),
        "positive": sum(p.positive for p in points),
        "unknown": sum(p.unknown for p in points),
    } == raw
    net = net_sentiment(points)
    assert net.value == 0
    assert net.judged == 3
    assert net.low is not None
    assert net.low < -0.5
