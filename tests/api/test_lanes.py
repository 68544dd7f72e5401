"""Two lanes of scoring: what the lexicon says goes its way at once, and the model corrects it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api import backlog
from api.engine import Engine
from config.db import is_sqlite
from config.settings import Settings
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.protocols import Protocols
from crm_link.models import Flag, FlagStatus
from crm_link.queue import close_flag
from listener.models import JUDGING, Brand, Mention, Step
from sentiment.corrections import correct_label, undo_correction
from sentiment.models import Correction, OldScore
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import Label, ScorableText, Sentiment, unknown
from tests.make import NOW, make_brand, make_mention
from tests.sentiment.scored import assert_rollups_exact, mention_of

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


def _store(sessions: sessionmaker[Session], *texts: str) -> list[int]:
    with sessions.begin() as session:
        brand = session.scalars(select(Brand)).one()
        return [
            make_mention(session, brand, text=text, published_at=NOW + timedelta(minutes=n)).id
            for n, text in enumerate(texts)
        ]


def _told(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return len(session.scalars(select(Notification)).all())


def _flag(sessions: sessionmaker[Session], mention_id: int) -> Flag | None:
    with sessions() as session:
        return session.scalar(select(Flag).where(Flag.mention_id == mention_id))


def test_a_new_mention_goes_its_way_before_the_model_has_seen_it(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    model = WordScorer({"hate": Label.NEGATIVE})
    engine = make_engine(model)
    bad, nice, foreign = _store(sessions, BAD, NICE, "Das Paket ist leider immer noch nicht da")

    engine.work_backlog()

    found = {one: mention_of(sessions, one) for one in (bad, nice, foreign)}
    assert [(one.label, one.topic, one.pending) for one in found.values()] == [
        ("negative", "parcel", Step.JUDGE_FIRST),
        ("positive", "snow", Step.JUDGE),
        ("unknown", "general", Step.JUDGE_FIRST),
    ]
    assert all(str(one.scorer).startswith("provisional:vader-") for one in found.values())
    assert model.asked == []
    assert_rollups_exact(sessions)

    assert engine.process() == 3

    found = {one: mention_of(sessions, one) for one in found}
    assert [(one.label, one.scorer, one.pending) for one in found.values()] == [
        ("negative", "words/1", None),
        ("neutral", "words/1", None),
        ("neutral", "words/1", None),
    ]
    assert_rollups_exact(sessions)
    with sessions() as session:
        assert session.scalars(select(OldScore)).all() == []


def test_the_model_takes_the_risky_first_and_the_newest_of_them_and_skips_none(
    sessions: sessionmaker[Session], make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "JUDGE_BATCH", 1)
    model = WordScorer()
    engine = make_engine(model)
    texts = (f"{BAD} one", NICE, f"{BAD} two", "Acme opens at nine, says the lawsuit", "Acme opens")
    _store(sessions, *texts)

    engine.process()

    assert model.asked == [texts[3], texts[2], texts[0], texts[4], texts[1]]


def test_what_an_open_incident_is_about_comes_first(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer())
    before = _store(sessions, "The Acme parcel office is here", NICE)
    _store(sessions, *(f"{BAD} {n}" for n in range(3)))
    engine.work_backlog()
    assert [mention_of(sessions, one).pending for one in before] == [Step.JUDGE, Step.JUDGE]

    engine.detect()
    after = _store(sessions, "More of the Acme parcel office")
    engine.work_backlog()

    assert [mention_of(sessions, one).pending for one in (*before, *after)] == [
        Step.JUDGE_FIRST,
        Step.JUDGE,
        Step.JUDGE_FIRST,
    ]


def test_an_alert_goes_out_once_though_the_model_changes_the_counts(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer(dict.fromkeys(("one", "two", "new"), Label.NEGATIVE)))
    _store(sessions, *(f"{BAD} {word}" for word in ("one", "two", "three")))
    engine.work_backlog()
    engine.detect()
    assert _told(sessions) == 1

    engine.process()
    engine.detect()  # two are left, fewer than the threshold
    _store(sessions, f"{BAD} new")
    engine.process()
    engine.detect()  # and three again

    assert _told(sessions) == 1
    with sessions() as session:
        assert session.scalars(select(Incident.topic)).all() == ["parcel"]
    assert_rollups_exact(sessions)


def test_an_alert_that_only_the_model_can_see_is_not_lost(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"no anda": Label.NEGATIVE}))
    _store(sessions, *(f"Desde ayer Acme no anda, nadie contesta el teléfono {n}" for n in "abc"))
    engine.work_backlog()
    engine.detect()
    assert _told(sessions) == 0

    engine.process()
    engine.detect()

    assert _told(sessions) == 1


def test_flags_follow_the_model_and_unsure_ones_go_to_a_person(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer())
    wrong, closed = _store(sessions, BAD, "My toaster from Acme is horrible, I am angry")
    engine.work_backlog()
    assert (flag := _flag(sessions, wrong)) is not None
    assert (flag.status, flag.reason) == (FlagStatus.OPEN, "negative")
    with sessions.begin() as session:
        close_flag(session, closed, status=FlagStatus.DONE, by="ana", clock=lambda: NOW)

    engine.process()

    assert (flag := _flag(sessions, wrong)) is not None
    assert (flag.status, flag.closed_by) == (FlagStatus.DISMISSED, "groundswell")
    assert (flag := _flag(sessions, closed)) is not None
    assert (flag.status, flag.closed_by) == (FlagStatus.DONE, "ana")

    (unsure,) = _store(sessions, NICE)
    make_engine(WordScorer({"love": Label.POSITIVE}, confidence=0.45)).process()

    assert (flag := _flag(sessions, unsure)) is not None
    assert (flag.status, flag.reason) == (FlagStatus.OPEN, "unsure")


def test_a_person_is_faster_than_the_model_and_wins(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"hate": Label.NEUTRAL}))
    (mention_id,) = _store(sessions, BAD)
    engine.work_backlog()
    with sessions.begin() as session:
        correct_label(session, mention_id, Label.POSITIVE, by="ana", clock=lambda: NOW)

    engine.process()
    engine.rescore()
    engine.process()

    mention = mention_of(sessions, mention_id)
    assert (mention.label, mention.scorer, mention.pending) == ("positive", "person", None)
    with sessions() as session:
        said = session.scalars(select(Correction)).one()
    assert (said.model_label, said.model_scorer) == ("neutral", "words/1")
    assert engine.rescore() == 0
    assert_rollups_exact(sessions)

    with sessions.begin() as session:
        undo_correction(session, mention_id, by="ana", clock=lambda: NOW)
    assert mention_of(sessions, mention_id).label == "neutral"
    assert_rollups_exact(sessions)


def test_an_edited_mention_is_judged_anew_in_both_lanes(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"love": Label.POSITIVE}))
    (mention_id,) = _store(sessions, NICE)
    engine.process()
    with sessions.begin() as session:
        mention = session.get_one(Mention, mention_id)
        mention.text, mention.versions, mention.pending = BAD, 2, Step.SCORE

    engine.work_backlog()

    mention = mention_of(sessions, mention_id)
    assert (mention.label, mention.topic, mention.pending) == (
        "negative",
        "parcel",
        Step.JUDGE_FIRST,
    )
    assert_rollups_exact(sessions)
    engine.process()
    assert mention_of(sessions, mention_id).scorer == "words/1"
    assert_rollups_exact(sessions)


def test_a_slow_model_holds_up_no_new_mention_and_loses_none_when_it_dies(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    meanwhile: list[int] = []

    class Dying(WordScorer):
        def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
            meanwhile.extend(_store(sessions, f"{BAD} meanwhile"))
            engine.work_backlog()
            raise SystemExit

    engine = make_engine(Dying())
    (first,) = _store(sessions, BAD)
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
    ids = _store(sessions, *(f"{BAD} https://t.co/{n}" for n in range(5)))

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
    _store(sessions, f"{BAD} one", f"{BAD} two")
    engine.work_backlog()

    assert engine.judge_backlog() == 1


def test_without_a_lexicon_mentions_wait_for_the_model(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"hate": Label.NEGATIVE}))
    engine.lexicon = None
    (mention_id,) = _store(sessions, BAD)

    engine.work_backlog()

    mention = mention_of(sessions, mention_id)
    assert (mention.scorer, mention.pending) == ("words/1", None)


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
    _store(sessions, f"{BAD} one", f"{BAD} two")
    engine.work_backlog()

    assert engine.judge_backlog() + judged[0] == 2

    with sessions() as session:
        is_embedded = is_sqlite(session)
    assert judged == ([2] if is_embedded else [0])  # an embedded database has one worker only
    assert_rollups_exact(sessions)
