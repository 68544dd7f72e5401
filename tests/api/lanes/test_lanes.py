"""Two lanes of scoring: what the lexicon says goes its way at once, and the model corrects it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.models import Incident
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flag
from crm_link.models import FlagStatus
from listener.models import Mention, Step
from sentiment.corrections import correct_label, undo_correction
from sentiment.models import Correction, OldScore
from sentiment.types import Label
from tests.api.lanes.conftest import BAD, NICE, MakeEngine, WordScorer, flag_of, store, told
from tests.make import NOW
from tests.sentiment.scored import assert_rollups_exact, mention_of


def test_a_new_mention_goes_its_way_before_the_model_has_seen_it(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    model = WordScorer({"hate": Label.NEGATIVE})
    engine = make_engine(model)
    bad, nice, foreign = store(sessions, BAD, NICE, "Das Paket ist leider immer noch nicht da")

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


def test_an_alert_goes_out_once_though_the_model_changes_the_counts(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer(dict.fromkeys(("one", "two", "new"), Label.NEGATIVE)))
    store(sessions, *(f"{BAD} {word}" for word in ("one", "two", "three")))
    engine.work_backlog()
    engine.detect()
    assert told(sessions) == 1

    engine.process()
    engine.detect()  # two are left, fewer than the threshold
    store(sessions, f"{BAD} new")
    engine.process()
    engine.detect()  # and three again

    assert told(sessions) == 1
    with sessions() as session:
        assert session.scalars(select(Incident.topic)).all() == ["parcel"]
    assert_rollups_exact(sessions)


def test_an_alert_that_only_the_model_can_see_is_not_lost(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"no anda": Label.NEGATIVE}))
    store(sessions, *(f"Desde ayer Acme no anda, nadie contesta el teléfono {n}" for n in "abc"))
    engine.work_backlog()
    engine.detect()
    assert told(sessions) == 0

    engine.process()
    engine.detect()

    assert told(sessions) == 1


def test_flags_follow_the_model_and_unsure_ones_go_to_a_person(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer())
    wrong, closed = store(sessions, BAD, "My toaster from Acme is horrible, I am angry")
    engine.work_backlog()
    assert (flag := flag_of(sessions, wrong)) is not None
    assert (flag.status, flag.reason) == (FlagStatus.OPEN, "negative")
    with sessions.begin() as session:
        change_flag(session, closed, Change(Act.DONE), by="ana", clock=lambda: NOW)

    engine.process()

    assert (flag := flag_of(sessions, wrong)) is not None
    assert (flag.status, flag.closed_by) == (FlagStatus.DISMISSED, "groundswell")
    assert (flag := flag_of(sessions, closed)) is not None
    assert (flag.status, flag.closed_by) == (FlagStatus.DONE, "ana")

    (unsure,) = store(sessions, NICE)
    make_engine(WordScorer({"love": Label.POSITIVE}, confidence=0.45)).process()

    assert (flag := flag_of(sessions, unsure)) is not None
    assert (flag.status, flag.reason) == (FlagStatus.OPEN, "unsure")


def test_a_person_is_faster_than_the_model_and_wins(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"hate": Label.NEUTRAL}))
    (mention_id,) = store(sessions, BAD)
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
    (mention_id,) = store(sessions, NICE)
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


def test_without_a_lexicon_mentions_wait_for_the_model(
    sessions: sessionmaker[Session], make_engine: MakeEngine
) -> None:
    engine = make_engine(WordScorer({"hate": Label.NEGATIVE}))
    engine.lexicon = None
    (mention_id,) = store(sessions, BAD)

    engine.work_backlog()

    mention = mention_of(sessions, mention_id)
    assert (mention.scorer, mention.pending) == ("words/1", None)
