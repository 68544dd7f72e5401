"""What the tests of scoring share: mentions in the database, and what the roll-ups say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from listener.models import Mention
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import ScorableText, Sentiment
from tests.make import NOW, make_brand, make_mention


class CountingScorer(Scorer):
    """VADER under another version; counts the texts that it was asked about."""

    def __init__(self, version: str = "counting/1") -> None:
        super().__init__()
        self._inner = make_scorer("vader")
        self._version = version
        self.asked: list[ScorableText] = []

    @property
    def version(self) -> str:
        return self._version

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        self.asked += texts
        return [replace(found, scorer=self._version) for found in self._inner.score(texts)]


def store_texts(sessions: sessionmaker[Session], *texts: str, **changes: Any) -> list[int]:
    with sessions.begin() as session:
        brand = make_brand(session)
        return [
            make_mention(
                session, brand, text=text, published_at=NOW + timedelta(minutes=n), **changes
            ).id
            for n, text in enumerate(texts)
        ]


def mention_of(sessions: sessionmaker[Session], mention_id: int) -> Mention:
    with sessions() as session:
        return session.get_one(Mention, mention_id)


def assert_rollups_exact(sessions: sessionmaker[Session]) -> None:
    """The roll-ups say exactly what the mentions say, cell by cell."""
    with sessions() as session:
        mentions = session.scalars(select(Mention).where(Mention.label.is_not(None))).all()
        volumes = session.scalars(select(Volume).where(Volume.mentions != 0)).all()
    raw: dict[tuple[Any, ...], list[float]] = {}
    for one in mentions:
        for grain_s in GRAINS_S:
            bucket_at = bucket_of(one.published_at, grain_s)
            cell = raw.setdefault((one.brand_id, grain_s, bucket_at, one.platform, one.label), [])
            cell.append(one.score or 0.0)
    stored = {
        (one.brand_id, one.grain_s, one.bucket_at, one.platform, one.label): (
            one.mentions,
            round(one.score_sum, 6),
        )
        for one in volumes
    }
    assert stored == {key: (len(found), round(sum(found), 6)) for key, found in raw.items()}
