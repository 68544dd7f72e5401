"""Complaints, scores and segment in the CRM record: counted, configured, and within policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.enrich import queue_speakers
from crm_link.figures.author_scores import wanted_scores
from crm_link.models import WriteBack
from crm_link.service import relink_due
from tests.crm_link.make_linking import CONTEXT, make_record, speak, sync
from tests.make import NOW


def fields(sessions: sessionmaker[Session]) -> dict[str, Any]:
    with sessions() as session:
        return session.scalars(select(WriteBack)).one().fields


def test_scores_are_written_where_they_are_asked_for(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    first, author_id = speak(sessions, {"handle": "jane"}, "cancel", "complaint", score=-0.6)
    second, _ = speak(sessions, author_id, "question", score=-0.4)
    speak(sessions, author_id, "purchase", published_at=NOW - timedelta(days=91), label="neutral")

    assert queue_speakers(sessions, [first, second], clock=lambda: NOW) == 0
    assert fields(sessions)["groundswell_churn_score"] is None
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "churn, lead,segment")
    assert queue_speakers(sessions, [first, second], clock=lambda: NOW) == 1

    found = fields(sessions)
    assert found["groundswell_complaints"] == 2
    assert found["groundswell_churn_score"] == 40 + 15
    assert found["groundswell_lead_score"] == 0  # asks, and speaks badly
    assert found["groundswell_segment"] == "detractor"


def test_scores_of_x_are_written_with_consent_only(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "churn")
    sync(sessions, make_record(handles=(("x", "jane"),)))
    mention_id, _ = speak(sessions, {"platform": "x", "handle": "jane"}, "cancel")

    queue_speakers(sessions, [mention_id], clock=lambda: NOW)

    assert fields(sessions)["groundswell_complaints"] == 1
    assert fields(sessions)["groundswell_churn_score"] is None


def test_who_must_not_be_contacted_has_no_scores(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "churn,lead,segment")
    jane = make_record(handles=(("mastodon", "jane"),))
    sync(sessions, jane)
    mention_id, _ = speak(sessions, {"handle": "jane"}, "cancel", "purchase")
    queue_speakers(sessions, [mention_id], clock=lambda: NOW)
    assert fields(sessions)["groundswell_churn_score"] == 40

    sync(sessions, replace(jane, do_not_contact=True))
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    found = fields(sessions)
    scores = [found[f"groundswell_{name}"] for name in ("lead_score", "churn_score", "segment")]
    assert scores == [None, None, None]
    assert (found["groundswell_mentions"], found["groundswell_last_sentiment"]) == (1, "negative")


def test_a_score_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "lead,horoscope")

    with pytest.raises(InputError, match="horoscope"):
        wanted_scores()
