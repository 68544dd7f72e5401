from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import NotFoundError
from listener.models import Mention, Step
from sentiment.corrections import correct_label, undo_correction
from sentiment.history import Judge, judgements_of
from sentiment.scorer import make_scorer
from sentiment.service import score_mentions, score_provisionally
from sentiment.types import Label
from tests.make import NOW
from tests.sentiment.scored import CountingScorer, store_texts


def _after(minutes: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return lambda: NOW + timedelta(minutes=minutes)


def _judge_anew(sessions: sessionmaker[Session], mention_id: int, version: str, at: int) -> None:
    with sessions.begin() as session:
        session.get_one(Mention, mention_id).pending = Step.JUDGE
    score_mentions(sessions, CountingScorer(version), [mention_id], clock=_after(at))


def _history(sessions: sessionmaker[Session], mention_id: int) -> list[tuple[Judge, str, str]]:
    with sessions() as session:
        return [(one.who, one.scorer, one.label) for one in judgements_of(session, mention_id)]


def test_everything_that_was_said_is_told_newest_first(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = store_texts(sessions, "Acme is awful and broken")
    lexicon = make_scorer("vader")
    score_provisionally(sessions, lexicon, [mention_id], clock=_after(0))
    assert _history(sessions, mention_id) == [(Judge.LEXICON, lexicon.version, "negative")]

    _judge_anew(sessions, mention_id, "model/1", 1)
    _judge_anew(sessions, mention_id, "model/2", 2)
    assert _history(sessions, mention_id) == [
        (Judge.MODEL, "model/2", "negative"),
        (Judge.MODEL, "model/1", "negative"),
    ]

    with sessions.begin() as session:
        correct_label(session, mention_id, Label.NEUTRAL, by="ana", clock=_after(3))
    _judge_anew(sessions, mention_id, "model/3", 4)
    assert _history(sessions, mention_id) == [
        (Judge.PERSON, "ana", "neutral"),
        (Judge.MODEL, "model/3", "negative"),
        (Judge.MODEL, "model/2", "negative"),
        (Judge.MODEL, "model/1", "negative"),
    ]

    with sessions.begin() as session:
        undo_correction(session, mention_id, by="ana", clock=_after(5))
        current = [one for one in judgements_of(session, mention_id) if one.is_current]
    assert [(one.who, one.label) for one in current] == [(Judge.MODEL, "negative")]
    assert (Judge.PERSON, "ana", "neutral") in _history(sessions, mention_id)


def test_an_unknown_mention_is_said_to_be_unknown(session: Session) -> None:
    with pytest.raises(NotFoundError, match="no mention 7"):
        judgements_of(session, 7)
