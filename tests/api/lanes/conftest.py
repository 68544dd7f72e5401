"""An engine with a lexicon, and a model that knows the words that a test gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from config.settings import Settings
from crm_link.escalation.models import Notification
from crm_link.escalation.protocols import Protocols
from crm_link.models import Flag
from listener.models import Brand
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import Label, ScorableText, Sentiment, unknown
from tests.make import NOW, make_brand, make_mention

PROTOCOL = """\
version: 1
contacts: [{id: anna, role: manager, channels: [{kind: log}]}]
triage:
  priorities: {risk: {words: [lawsuit]}}
  flag:
    - {label: [negative], reason: negative}
    - {priority: [risk]}
    - {confidence_below: 0.5, reason: unsure}
topics: [{id: parcel, words: [parcel]}, {id: snow, words: [snow]}]
severity: [{level: SEV-2, any: [{negatives_gte: 3, window: 1h}], ack: 15m}]
escalation: {default: {steps: [{notify: [manager], after: 0m}]}}
"""

NICE, BAD = "I love the snow at Acme, great", "The parcel at Acme was awful, I hate it"


class WordScorer(Scorer):
    """A model that knows the words that it is given; other texts are neutral."""

    version = "words/1"

    def __init__(
        self, words: Mapping[str, Label] = MappingProxyType({}), *, confidence: float = 0.9
    ) -> None:
        super().__init__()
        self.words = words
        self.confidence = confidence
        self.asked: list[str] = []

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        self.asked += [text.text for text in texts]
        return [self._judge(text.text) for text in texts]

    def _judge(self, text: str) -> Sentiment:
        label = next((self.words[word] for word in self.words if word in text), Label.NEUTRAL)
        if label is Label.UNKNOWN:
            return unknown("xx", self.version)
        rest = (1 - self.confidence) / 2
        chances = {one: self.confidence if one is label else rest for one in Label}
        return Sentiment(
            label=label,
            score=chances[Label.POSITIVE] - chances[Label.NEGATIVE],
            p_negative=chances[Label.NEGATIVE],
            p_neutral=chances[Label.NEUTRAL],
            p_positive=chances[Label.POSITIVE],
            confidence=self.confidence,
            lang="en",
            scorer=self.version,
        )


MakeEngine = Callable[[Scorer], Engine]


@pytest.fixture
def make_engine(sessions: sessionmaker[Session], tmp_path: Path) -> MakeEngine:
    path = tmp_path / "protocol.yaml"
    path.write_text(PROTOCOL, "utf-8")
    with sessions.begin() as session:
        brand_id = make_brand(session).id

    def make(scorer: Scorer) -> Engine:
        return Engine(
            settings=Settings(),
            sessions=sessions,
            scorer=scorer,
            protocols=Protocols(sessions, {brand_id: path}),
            clock=lambda: NOW + timedelta(minutes=30),
            lexicon=make_scorer("vader"),
        )

    return make


def store(sessions: sessionmaker[Session], *texts: str) -> list[int]:
    with sessions.begin() as session:
        brand = session.scalars(select(Brand)).one()
        return [
            make_mention(session, brand, text=text, published_at=NOW + timedelta(minutes=n)).id
            for n, text in enumerate(texts)
        ]


def told(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return len(session.scalars(select(Notification)).all())


def flag_of(sessions: sessionmaker[Session], mention_id: int) -> Flag | None:
    with sessions() as session:
        return session.scalar(select(Flag).where(Flag.mention_id == mention_id))
