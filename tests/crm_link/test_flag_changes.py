"""Work on flagged mentions: one or many, seen by others, undone as one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from crm_link.flags.acts import Act, Change, Changed
from crm_link.flags.changes import change_flag, change_flags
from crm_link.flags.events import event_says, events_of
from crm_link.flags.queue import QueueFilter, count_open, open_flags
from crm_link.flags.undo import undo_changes
from crm_link.models import Flag, FlagStatus
from crm_link.triage import triage_mentions
from crm_link.types import Priority
from listener.models import Mention, Step
from sentiment.types import Label
from tests.crm_link.making import NOON, MovableClock, make_brand, make_mentions, make_protocol

ANA, BEN = "ana@example.org", "ben@example.org"

TEXTS = (
    "The battery caught fire in my hand",
    "Please cancel my account today",
    "Where can I buy the new one?",
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def ids(sessions: sessionmaker[Session], clock: MovableClock) -> list[int]:
    """Flag a risk and a cancellation; the third is a purchase that nobody flags."""
    brand_id = make_brand(sessions)
    made = make_mentions(sessions, brand_id, *TEXTS, label="negative")
    triage_mentions(sessions, made, {brand_id: make_protocol()}, clock=clock)
    return made


def _flag(sessions: sessionmaker[Session], mention_id: int) -> Flag:
    with sessions() as session:
        return session.scalars(select(Flag).where(Flag.mention_id == mention_id)).one()


def _do(
    sessions: sessionmaker[Session],
    ids: Sequence[int],
    change: Change,
    clock: MovableClock,
    *,
    by: str = ANA,
    seen: dict[int, int] | None = None,
) -> Changed:
    with sessions.begin() as session:
        return change_flags(session, ids, change, by=by, clock=clock, seen=seen)


def _queue(sessions: sessionmaker[Session], clock: MovableClock, **wanted: str) -> list[int]:
    with sessions() as session:
        found = open_flags(session, QueueFilter(**wanted), now=clock())
        return [flag.mention_id for flag in found.flags]


def test_the_clock_begins_in_the_queue_and_the_shortest_time_comes_first(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    assert _flag(sessions, ids[0]).due_at == NOON + timedelta(minutes=30)
    assert _flag(sessions, ids[1]).due_at == NOON + timedelta(hours=1)
    assert _queue(sessions, clock) == ids[:2]
    clock.forward(minutes=31)
    assert _queue(sessions, clock, state="late") == ids[:1]


def test_what_is_due_together_goes_by_risk_purchase_cancel_service(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        for flag in session.scalars(select(Flag)):
            flag.due_at = NOON
    _do(sessions, ids[:1], Change(Act.ASSIGN, assignee=ANA), clock)

    assert _queue(sessions, clock) == ids[:2]
    assert _queue(sessions, clock, assignee=ANA) == ids[:1]
    assert _queue(sessions, clock, assignee="nobody") == ids[1:2]
    assert _queue(sessions, clock, tier="nobody") == ids[:2]


def test_many_are_changed_and_undone_as_one(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    done = _do(sessions, ids, Change(Act.DONE, note="by phone"), clock)

    assert (list(done.events), list(done.left)) == (ids[:2], ids[2:])
    assert _queue(sessions, clock) == []
    with sessions.begin() as session:
        undone = undo_changes(session, done.batch, by=BEN, clock=clock)
        assert list(undone.events) == ids[:2]
    assert _queue(sessions, clock) == ids[:2]
    with sessions() as session:
        last = events_of(session, ids[0])[0]
        assert (last.actor, event_says(last), last.undone_by) == (ANA, "done", BEN)
    with sessions.begin() as session, pytest.raises(NotFoundError, match="undone already"):
        undo_changes(session, done.batch, by=BEN, clock=clock)


def test_who_comes_late_is_told_who_did_what_and_when(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    _do(sessions, ids[:1], Change(Act.ASSIGN, assignee=BEN), clock, by=BEN)
    clock.forward(seconds=20)

    with sessions.begin() as session, pytest.raises(ConflictError) as refused:
        change_flag(session, ids[0], Change(Act.DONE), by=ANA, clock=clock, seen=1)

    assert "ben@example.org changed this 20 s ago: assigned to ben@example.org" in str(
        refused.value
    )
    assert _flag(sessions, ids[0]).status is FlagStatus.OPEN
    left = _do(sessions, ids[:2], Change(Act.DONE), clock, seen={ids[0]: 1, ids[1]: 1}).left
    assert list(left) == ids[:1]


def test_an_action_is_not_undone_over_what_others_did_since(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    done = _do(sessions, ids[:2], Change(Act.ASSIGN, assignee=ANA), clock)
    _do(sessions, ids[:1], Change(Act.DONE), clock, by=BEN)

    with sessions.begin() as session:
        undone = undo_changes(session, done.batch, by=ANA, clock=clock)

    assert (list(undone.events), list(undone.left)) == (ids[1:2], ids[:1])
    assert _flag(sessions, ids[0]).assignee == ANA
    later = _do(sessions, ids[1:2], Change(Act.ASSIGN, assignee=BEN), clock)
    clock.forward(hours=2)
    with sessions.begin() as session, pytest.raises(ConflictError, match="60 minutes"):
        undo_changes(session, later.batch, by=ANA, clock=clock)


def test_what_is_snoozed_comes_back_by_itself(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    _do(sessions, ids[:1], Change(Act.SNOOZE, until=NOON + timedelta(hours=2)), clock)

    assert _queue(sessions, clock) == ids[1:2]
    assert _queue(sessions, clock, state="snoozed") == ids[:1]
    with sessions() as session:
        assert count_open(session, now=clock()) == 1
    clock.forward(hours=2)
    assert _queue(sessions, clock) == ids[:2]
    with pytest.raises(InputError, match="still to come"):
        _do(sessions, ids[:1], Change(Act.SNOOZE, until=NOON), clock)


def test_the_first_answer_stops_the_clock(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    _do(sessions, ids[:1], Change(Act.ANSWER), clock)
    clock.forward(hours=1)
    _do(sessions, ids[:1], Change(Act.ANSWER, closes=True), clock, by=BEN)

    flag = _flag(sessions, ids[0])
    assert (flag.answered_at, flag.answered_by) == (NOON, ANA)
    assert (flag.status, flag.closed_by) == (FlagStatus.DONE, BEN)
    assert _queue(sessions, clock, state="late") == ids[1:2]


def test_a_corrected_label_is_undone_to_what_it_was(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    _do(sessions, ids[:1], Change(Act.LABEL, label=Label.NEUTRAL), clock)
    second = _do(sessions, ids[:2], Change(Act.LABEL, label=Label.POSITIVE), clock)
    with sessions.begin() as session:
        undo_changes(session, second.batch, by=ANA, clock=clock)

    with sessions() as session:
        labels = [session.get_one(Mention, one).label for one in ids[:2]]
    assert labels == ["neutral", "negative"]


def test_a_persons_priority_holds_after_triage_until_it_is_undone(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with sessions() as session:
        brand_id = session.get_one(Mention, ids[0]).brand_id
    protocols = {brand_id: make_protocol()}

    done = _do(sessions, ids[1:2], Change(Act.PRIORITY, priority=Priority.RISK), clock)
    triage_mentions(sessions, ids, protocols, clock=clock)

    flag = _flag(sessions, ids[1])
    assert (flag.priority, flag.due_at) == (Priority.RISK, NOON + timedelta(minutes=30))
    with sessions() as session:
        assert session.get_one(Mention, ids[1]).priority == "risk"
    with sessions.begin() as session:
        undo_changes(session, done.batch, by=ANA, clock=clock)
        assert session.get_one(Mention, ids[1]).pending is Step.TRIAGE
    triage_mentions(sessions, ids, protocols, clock=clock)
    flag = _flag(sessions, ids[1])
    assert (flag.priority, flag.due_at) == (Priority.CANCEL, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    "change",
    [Change(Act.LABEL, label=Label.NEUTRAL), Change(Act.PRIORITY, priority=Priority.RISK)],
    ids=["label", "priority"],
)
def test_many_are_corrected_and_undone_with_as_few_statements_as_some(
    engine: Engine, sessions: sessionmaker[Session], clock: MovableClock, change: Change
) -> None:
    brand_id = make_brand(sessions)
    texts = [f"Please cancel my account today, {secrets.token_hex(20)}" for _ in range(90)]
    made = make_mentions(sessions, brand_id, *texts, label="negative")
    triage_mentions(sessions, made, {brand_id: make_protocol()}, clock=clock)
    statements: list[str] = []

    def note(*args: object) -> None:
        # SQLite inserts one row at a time to learn its id; there is no network between.
        if not str(args[2]).startswith("INSERT"):
            statements.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", note)
    costs = []
    for some in (made[:30], made[30:]):
        done = _do(sessions, some, change, clock)
        assert len(done.events) == len(some)
        costs.append(len(statements))
        with sessions.begin() as session:
            undo_changes(session, done.batch, by=ANA, clock=clock)
        costs.append(len(statements) - costs[-1])
        statements.clear()
    event.remove(engine, "before_cursor_execute", note)

    assert costs[2] <= costs[0] + 2
    assert costs[3] <= costs[1] + 2
