"""Signals of mentions: marked with the judgement, filled in once, again when something changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from listener.models import Mention, Step
from listener.types import PostKind
from sentiment.corrections import correct_label
from sentiment.heads import HeadScores
from sentiment.service import score_mentions
from sentiment.signals import service as signals
from sentiment.signals.intents import Intent
from sentiment.signals.models import MentionSignal
from sentiment.signals.rules import RULES_VERSION, clear_emotion, signals_record
from sentiment.signals.service import due_ids, mark_outdated, signal_mentions, signals_of
from sentiment.types import Label, ScorableText, Sentiment
from tests.make import NOW, make_author, make_brand, make_mention
from tests.meanwhile import meanwhile
from tests.sentiment.scored import CountingScorer, store_texts

_ANGRY = HeadScores(
    emotion="anger",
    p_emotion={"anger": 0.8, "joy": 0.1, "optimism": 0.05, "sadness": 0.05},
    irony=0.2,
    offensive=0.1,
)


class _Heads(CountingScorer):
    """VADER, with heads that are angry about everything."""

    def score_with_heads(self, texts: Sequence[ScorableText]) -> list[tuple[Sentiment, HeadScores]]:
        return [(judged, _ANGRY) for judged in self.score(texts)]


def _scored(sessions: sessionmaker[Session], *texts: str, **changes: Any) -> list[int]:
    ids = store_texts(sessions, *texts, **changes)
    score_mentions(sessions, _Heads(), ids, clock=lambda: NOW)
    return ids


def _signal(sessions: sessionmaker[Session], mention_id: int) -> MentionSignal:
    with sessions() as session:
        return signals_of(session, [mention_id])[mention_id]


def _due(sessions: sessionmaker[Session]) -> list[int]:
    with sessions() as session:
        return due_ids(session, 100)


def test_what_the_heads_say_comes_with_the_judgement_and_the_rest_is_due(
    sessions: sessionmaker[Session],
) -> None:
    (angry, glad) = _scored(sessions, "Awful, my parcel never came", "Great lamp, I love it")

    assert _due(sessions) == [glad, angry]
    found = _signal(sessions, angry)
    assert (found.emotion, found.irony, found.offensive) == ("anger", 0.2, 0.1)
    assert found.p_emotion == _ANGRY.p_emotion
    assert found.scorer == "counting/1"
    assert _signal(sessions, glad).emotion is None, "anger does not go with a positive post"


def test_the_step_fills_in_the_rest_once(sessions: sessionmaker[Session]) -> None:
    ids = _scored(sessions, "Awful, my parcel never came. Where is it now?", "Made on Tuesday")

    assert signal_mentions(sessions, ids) == 2
    assert signal_mentions(sessions, ids) == 0

    found = _signal(sessions, ids[0])
    assert found.intents == f" {Intent.QUESTION} {Intent.COMPLAINT} "
    assert found.complaint_reason == "delivery"
    assert found.rules == RULES_VERSION
    assert found.emotion == "anger"
    assert found.spam is not None
    assert found.bot is None, "no account is known"
    assert _signal(sessions, ids[1]).intents == ""
    assert _due(sessions) == []


def test_what_is_judged_again_meanwhile_stays_due(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = _scored(sessions, "Awful, my parcel never came")

    with meanwhile(sessions, lambda: signal_mentions(sessions, [mention_id])) as session:
        signals.mark_again(session, [mention_id], NOW + timedelta(seconds=1))

    assert _due(sessions) == [mention_id]
    assert _signal(sessions, mention_id).intents == ""


def test_a_persons_label_changes_what_the_post_is_after(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = _scored(sessions, "Awful, my parcel never came")
    signal_mentions(sessions, [mention_id])

    with sessions.begin() as session:
        correct_label(session, mention_id, Label.POSITIVE, by="ana", clock=lambda: NOW)
    signal_mentions(sessions, _due(sessions))

    assert Intent.COMPLAINT not in _signal(sessions, mention_id).intents


def test_other_rules_are_asked_again(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = _scored(sessions, "Awful, my parcel never came")
    signal_mentions(sessions, [mention_id])
    with sessions.begin() as session:
        assert mark_outdated(session, NOW, 10) == 0
        session.execute(update(MentionSignal).values(rules="rules-0", intents=""))

    with sessions.begin() as session:
        assert mark_outdated(session, NOW, 10) == 1
    signal_mentions(sessions, _due(sessions))

    assert Intent.COMPLAINT in _signal(sessions, mention_id).intents


def test_copies_and_busy_accounts_are_counted_from_the_stored_mentions(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        brand = make_brand(session)
        busy = make_author(session, handle="busy_one")
        first = make_mention(session, brand, text="Try the new shop", author_id=busy.id).id
        for number in range(30):
            make_mention(
                session,
                brand,
                text="Try the new shop",
                author_id=busy.id if number < 22 else make_author(session).id,
                kind=PostKind.REPOST if number == 29 else PostKind.POST,
                folded_into_id=first,
                published_at=NOW - timedelta(minutes=number),
            )
        session.execute(update(Mention).where(Mention.id == first).values(fold_count=30))
    score_mentions(sessions, _Heads(), [first], clock=lambda: NOW)

    signal_mentions(sessions, [first])

    found = _signal(sessions, first)
    assert "the same words from 7 other accounts (stored mentions)" in found.spam_reasons
    assert "the account posted the same 22 more times (stored mentions)" in found.spam_reasons
    assert "23 posts in a day (stored mentions)" in found.bot_reasons


def test_a_deleted_mention_keeps_no_signals(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = _scored(sessions, "Awful, my parcel never came")
    with sessions.begin() as session:
        session.execute(update(Mention).values(text="", deleted_at=NOW))

    signal_mentions(sessions, [mention_id])

    found = _signal(sessions, mention_id)
    assert (found.intents, found.spam, found.due_at) == ("", None, None)


def test_scoring_again_keeps_one_row(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = _scored(sessions, "Awful, my parcel never came")
    signal_mentions(sessions, [mention_id])
    with sessions.begin() as session:
        session.execute(update(Mention).values(pending=Step.SCORE))

    score_mentions(sessions, CountingScorer("other/2"), [mention_id], clock=lambda: NOW)

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(MentionSignal)) == 1
    found = _signal(sessions, mention_id)
    assert found.emotion is None, "the new scorer has no heads"
    assert Intent.COMPLAINT in found.intents, "kept until the rules are asked again"
    assert _due(sessions) == [mention_id]


def test_an_emotion_is_clear_where_it_is_probable_and_goes_with_the_label() -> None:
    unsure = replace(_ANGRY, p_emotion={"anger": 0.4, "joy": 0.3, "optimism": 0.2, "sadness": 0.1})

    assert clear_emotion(_ANGRY, Label.NEGATIVE) == "anger"
    assert clear_emotion(_ANGRY, Label.POSITIVE) is None
    assert clear_emotion(_ANGRY, Label.NEUTRAL) is None
    assert clear_emotion(unsure, Label.NEGATIVE) is None
    assert clear_emotion(HeadScores(), Label.NEGATIVE) is None


def test_the_record_of_a_text_in_a_file() -> None:
    found = signals_record("Awful, my parcel never came", "en", "negative", _ANGRY)

    assert found["emotion"] == "anger"
    assert found["intents"] == ["complaint"]
    assert found["complaint_reason"] == "delivery"
    assert found["bot"] is None
    assert signals_record("hm", "en", None)["emotion"] is None
