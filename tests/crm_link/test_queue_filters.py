"""What the queue is narrowed down by: the flag says what its mention says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session, sessionmaker

from config.db import is_sqlite, read_session
from crm_link.flags.queue import QueueFilter, count_open, open_flags
from crm_link.triage import triage_mentions
from listener import search
from listener.models import Mention
from sentiment.corrections import correct_label, undo_correction
from sentiment.types import Label
from tests.crm_link.making import MovableClock, make_brand, make_mentions, make_protocol

ANA = "ana@example.org"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def ids(sessions: sessionmaker[Session], clock: MovableClock) -> list[int]:
    brand_id = make_brand(sessions)
    texts = ("The battery caught fire", "Please cancel my account", "Cancel my order, it burns")
    made = make_mentions(sessions, brand_id, *texts, label="negative")
    triage_mentions(sessions, made, {brand_id: make_protocol()}, clock=clock)
    return made


def _found(session: Session, clock: MovableClock, **wanted: str) -> list[int]:
    page = open_flags(session, QueueFilter(**wanted), now=clock())
    return sorted(flag.mention_id for flag in page.flags)


def test_a_corrected_label_is_found_in_the_same_transaction(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        correct_label(session, ids[0], Label.POSITIVE, by=ANA, clock=clock)

        assert _found(session, clock, label="positive") == ids[:1]
        assert _found(session, clock, label="negative") == ids[1:]

    with sessions.begin() as session:
        undo_correction(session, ids[0], by=ANA, clock=clock)
        assert _found(session, clock, label="negative") == ids


def test_what_a_scorer_says_anew_is_found_in_the_same_transaction(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        session.execute(
            update(Mention).where(Mention.id == ids[1]).values(label="neutral", lang="de")
        )

        assert _found(session, clock, lang="de") == ids[1:2]
        assert _found(session, clock, lang="de", label="neutral", platform="x") == ids[1:2]
        assert _found(session, clock, lang="de", label="negative") == []


def test_triage_writes_what_a_flag_is_found_by(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with read_session(sessions) as session:
        assert _found(session, clock, platform="x", label="negative") == ids
        assert _found(session, clock, platform="reddit") == []


@pytest.mark.parametrize("few", [0, 100])
def test_words_find_flags_however_many_mentions_have_them(
    sessions: sessionmaker[Session],
    ids: list[int],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "FEW_OF_HEAP", few)
    with read_session(sessions) as session:
        assert _found(session, clock, text="cancel") == ids[1:]
        assert _found(session, clock, text="cancel account", label="negative") == ids[1:2]
        assert _found(session, clock, text="nosuchword") == []


@pytest.mark.parametrize("condition", ["lang = 'fi'", "label = 'x' AND platform = 'y'"])
def test_flags_that_do_not_match_are_passed_over_in_the_index(
    sessions: sessionmaker[Session], condition: str
) -> None:
    query = (
        f"SELECT id FROM flag WHERE status = 'open' AND {condition} "
        "ORDER BY due_at, rank, mention_id LIMIT 25"
    )
    with read_session(sessions) as session:
        if is_sqlite(session):
            plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
            plan = str(session.execute(text(f"EXPLAIN {query}")).all())
            assert "Index Cond" in plan

    assert "ix_flag_queue_all" in plan
    assert "TEMP B-TREE" not in plan


def test_what_is_new_is_counted_without_a_walk_over_the_queue(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    query = (
        "SELECT id FROM flag WHERE status = 'open' AND created_at > '2026-03-10' "
        "ORDER BY created_at LIMIT 1000"
    )
    with read_session(sessions) as session:
        assert count_open(session, now=clock(), since=clock() - timedelta(minutes=1)) == len(ids)
        assert count_open(session, now=clock(), since=clock()) == 0
        if is_sqlite(session):
            plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
            plan = str(session.execute(text(f"EXPLAIN {query}")).all())

    assert "ix_flag_fresh" in plan
