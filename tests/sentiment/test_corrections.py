from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from listener.models import Mention, Step
from sentiment.corrections import EDITED, PERSON, correct_label, undo_correction
from sentiment.models import Correction
from sentiment.scorer import make_scorer
from sentiment.service import score_mentions
from sentiment.types import Label, ScorableText, Sentiment
from tests.make import NOW
from tests.sentiment.scored import (
    CountingScorer,
    assert_rollups_exact,
    mention_of,
    store_texts,
)

LATER = NOW + timedelta(hours=1)


def _scored(sessions: sessionmaker[Session], text: str = "Acme is awful and broken") -> int:
    (mention_id,) = store_texts(sessions, text)
    score_mentions(sessions, make_scorer("vader"), [mention_id], clock=lambda: NOW)
    with sessions.begin() as session:
        session.get_one(Mention, mention_id).pending = None
    return mention_id


def _correct(sessions: sessionmaker[Session], mention_id: int, label: Label) -> None:
    with sessions.begin() as session:
        correct_label(session, mention_id, label, by="ana", clock=lambda: LATER)


def _corrections(sessions: sessionmaker[Session]) -> list[Correction]:
    with sessions() as session:
        return list(session.scalars(select(Correction).order_by(Correction.id)))


def _again(sessions: sessionmaker[Session], mention_id: int, **changes: object) -> None:
    with sessions.begin() as session:
        mention = session.get_one(Mention, mention_id)
        mention.pending = Step.SCORE
        for name, value in changes.items():
            setattr(mention, name, value)


def test_a_correction_changes_label_and_rollups_and_goes_through_triage(
    sessions: sessionmaker[Session],
) -> None:
    mention_id = _scored(sessions)

    _correct(sessions, mention_id, Label.POSITIVE)

    mention = mention_of(sessions, mention_id)
    assert (mention.label, mention.score, mention.confidence) == ("positive", 1.0, 1.0)
    assert (mention.scorer, mention.pending) == (PERSON, Step.TRIAGE)
    assert_rollups_exact(sessions)
    (correction,) = _corrections(sessions)
    assert (correction.model_label, correction.by, correction.at) == ("negative", "ana", LATER)


def test_a_correction_survives_rescoring_and_the_model_s_word_is_kept_beside_it(
    sessions: sessionmaker[Session],
) -> None:
    mention_id = _scored(sessions)
    _correct(sessions, mention_id, Label.NEUTRAL)
    _again(sessions, mention_id)

    assert score_mentions(sessions, CountingScorer("newer/1"), [mention_id]) == 1

    mention = mention_of(sessions, mention_id)
    assert (mention.label, mention.score, mention.pending) == ("neutral", 0.0, Step.LINK)
    (correction,) = _corrections(sessions)
    assert (correction.model_label, correction.model_scorer) == ("negative", "newer/1")
    assert_rollups_exact(sessions)


def test_an_edited_text_is_judged_anew(sessions: sessionmaker[Session]) -> None:
    mention_id = _scored(sessions)
    _correct(sessions, mention_id, Label.POSITIVE)
    _again(sessions, mention_id, text="Acme is terrible, I hate it", versions=2)

    score_mentions(sessions, make_scorer("vader"), [mention_id])

    assert mention_of(sessions, mention_id).label == "negative"
    (correction,) = _corrections(sessions)
    assert correction.ended_by == EDITED
    assert_rollups_exact(sessions)


def test_undo_gives_the_model_s_label_back(sessions: sessionmaker[Session]) -> None:
    mention_id = _scored(sessions)
    before = mention_of(sessions, mention_id)
    _correct(sessions, mention_id, Label.POSITIVE)

    with sessions.begin() as session:
        undo_correction(session, mention_id, by="ben", clock=lambda: LATER)

    after = mention_of(sessions, mention_id)
    assert (after.label, after.score, after.scorer, after.confidence, after.scored_at) == (
        before.label,
        before.score,
        before.scorer,
        before.confidence,
        before.scored_at,
    )
    assert after.pending is Step.TRIAGE
    assert _corrections(sessions)[0].ended_by == "ben"
    assert_rollups_exact(sessions)


def test_undo_without_a_correction_is_refused(sessions: sessionmaker[Session]) -> None:
    mention_id = _scored(sessions)

    with pytest.raises(NotFoundError, match="has no correction"), sessions.begin() as session:
        undo_correction(session, mention_id, by="ana", clock=lambda: LATER)


def test_a_second_correction_replaces_the_first_and_undo_goes_to_the_model(
    sessions: sessionmaker[Session],
) -> None:
    mention_id = _scored(sessions)
    _correct(sessions, mention_id, Label.POSITIVE)
    _correct(sessions, mention_id, Label.NEUTRAL)
    _correct(sessions, mention_id, Label.NEUTRAL)

    assert mention_of(sessions, mention_id).label == "neutral"
    assert [(one.label, one.ended_at) for one in _corrections(sessions)] == [
        ("positive", LATER),
        ("neutral", None),
    ]
    assert_rollups_exact(sessions)
    with sessions.begin() as session:
        undo_correction(session, mention_id, by="ana", clock=lambda: LATER)
    assert mention_of(sessions, mention_id).label == "negative"
    assert_rollups_exact(sessions)


def test_a_mention_may_be_corrected_before_the_model_comes_to_it(
    sessions: sessionmaker[Session],
) -> None:
    (mention_id,) = store_texts(sessions, "Acme is awful and broken")
    _correct(sessions, mention_id, Label.POSITIVE)
    assert mention_of(sessions, mention_id).pending is Step.SCORE
    assert_rollups_exact(sessions)

    score_mentions(sessions, make_scorer("vader"), [mention_id])

    assert mention_of(sessions, mention_id).label == "positive"
    assert _corrections(sessions)[0].model_label == "negative"
    assert_rollups_exact(sessions)


def test_undo_before_the_model_came_leaves_the_mention_unjudged_and_waiting(
    sessions: sessionmaker[Session],
) -> None:
    (mention_id,) = store_texts(sessions, "Acme is awful and broken")
    _correct(sessions, mention_id, Label.POSITIVE)

    with sessions.begin() as session:
        undo_correction(session, mention_id, by="ana", clock=lambda: LATER)

    mention = mention_of(sessions, mention_id)
    assert (mention.label, mention.pending) == (None, Step.SCORE)


def test_a_correction_made_while_the_model_runs_wins(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = store_texts(sessions, "Acme is awful and broken")

    class SlowScorer(CountingScorer):
        """A scorer during whose work a person corrects the mention."""

        def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
            _correct(sessions, mention_id, Label.POSITIVE)
            return super().score(texts)

    score_mentions(sessions, SlowScorer(), [mention_id])

    assert mention_of(sessions, mention_id).label == "positive"
    assert_rollups_exact(sessions)


def test_what_cannot_be_corrected_is_refused(sessions: sessionmaker[Session]) -> None:
    mention_id = _scored(sessions)
    (deleted_id,) = store_texts(sessions, "", deleted_at=NOW)

    with pytest.raises(InputError, match="'unknown' is no correction"):
        _correct(sessions, mention_id, Label.UNKNOWN)
    with pytest.raises(NotFoundError, match="no mention 999"):
        _correct(sessions, 999, Label.POSITIVE)
    with pytest.raises(ConflictError, match=f"mention {deleted_id} was deleted"):
        _correct(sessions, deleted_id, Label.POSITIVE)


def test_two_corrections_cannot_hold_for_one_mention(sessions: sessionmaker[Session]) -> None:
    mention_id = _scored(sessions)
    _correct(sessions, mention_id, Label.POSITIVE)
    second = Correction(
        mention_id=mention_id, mention_version=1, label="neutral", by="ben", at=LATER
    )

    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.add(second)
