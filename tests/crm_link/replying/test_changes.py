"""What people do with replies: nobody approves their own, and what is approved is what was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from crm_link.replying.changes import (
    approve_reply,
    cancel_reply,
    edit_reply,
    retry_reply,
    send_back,
    settle_reply,
    write_reply,
)
from crm_link.replying.events import events_of_reply
from crm_link.replying.lists import count_to_do, list_replies, live_replies
from crm_link.replying.models import Reply, ReplyState
from listener.models import Brand, Mention
from tests.crm_link.making import MovableClock
from tests.crm_link.replying.conftest import ADMIN, LEAD, TEXT, WRITER, Ask, flag_of, reply_of
from tests.networks import Networks

S = sessionmaker[Session]
Rule = Callable[[str], None]


def _write(sessions: S, mention_id: int, clock: MovableClock, text: str = TEXT) -> Reply:
    with sessions.begin() as session:
        return write_reply(session, mention_id, text, by=WRITER, clock=clock)


def _approve(sessions: S, reply: Reply, clock: MovableClock, by: str = LEAD) -> Reply:
    with sessions.begin() as session:
        return approve_reply(
            session, reply.id, version=reply.version, by=by, clock=clock, is_admin=by == ADMIN
        )


def test_a_reply_waits_for_somebody_else(sessions: S, clock: MovableClock, ask: Ask) -> None:
    reply = _write(sessions, ask(), clock)

    assert reply.state is ReplyState.WAITING
    with pytest.raises(PermissionDeniedError, match="somebody else"):
        _approve(sessions, reply, clock, by=WRITER)
    found = _approve(sessions, reply, clock)
    assert (found.state, found.approved_by) == (ReplyState.APPROVED, LEAD)
    assert found.next_attempt_at == clock() + timedelta(seconds=10)


def test_who_changed_the_words_does_not_approve_them_either(
    sessions: S, clock: MovableClock, ask: Ask
) -> None:
    reply = _write(sessions, ask(), clock)
    with sessions.begin() as session:
        reply = edit_reply(session, reply.id, "Sorry!", version=reply.version, by=LEAD, clock=clock)

    for by in (LEAD, WRITER):
        with pytest.raises(PermissionDeniedError):
            _approve(sessions, reply, clock, by=by)
    assert _approve(sessions, reply, clock, by=ADMIN).state is ReplyState.APPROVED


@pytest.mark.parametrize(("says", "may"), [("own_by_admin: true", True), ("", False)])
def test_admins_approve_their_own_where_the_protocol_says_so(
    sessions: S, clock: MovableClock, ask: Ask, rule: Rule, says: str, *, may: bool
) -> None:
    rule(says)
    mention_id = ask()
    with sessions.begin() as session:
        reply = write_reply(session, mention_id, TEXT, by=ADMIN, clock=clock)

    if may:
        assert _approve(sessions, reply, clock, by=ADMIN).state is ReplyState.APPROVED
    else:
        with pytest.raises(PermissionDeniedError):
            _approve(sessions, reply, clock, by=ADMIN)


@pytest.mark.parametrize(
    ("says", "text", "state"),
    [
        ("approval: always", "We refund within a week.", ReplyState.WAITING),
        ("approval: unless_from_faq", "We refund  within a week.\n", ReplyState.APPROVED),
        ("approval: unless_from_faq", "Devolvemos en una semana.", ReplyState.APPROVED),
        ("approval: unless_from_faq", "We refund within a week!", ReplyState.WAITING),
        ("approval: never", TEXT, ReplyState.APPROVED),
    ],
)
def test_the_protocol_says_what_needs_approval(
    sessions: S,
    clock: MovableClock,
    ask: Ask,
    rule: Rule,
    says: str,
    text: str,
    state: ReplyState,
) -> None:
    rule(says)

    reply = _write(sessions, ask(), clock, text)

    assert (reply.state, reply.approved_by) == (state, None)


def test_an_edit_after_approval_asks_again(sessions: S, clock: MovableClock, ask: Ask) -> None:
    reply = _approve(sessions, _write(sessions, ask(), clock), clock)

    with sessions.begin() as session:
        edited = edit_reply(
            session, reply.id, "Sorry!", version=reply.version, by=WRITER, clock=clock
        )

    assert (edited.state, edited.approved_by, edited.next_attempt_at) == (
        ReplyState.WAITING,
        None,
        None,
    )


def test_what_changed_meanwhile_is_not_approved(sessions: S, clock: MovableClock, ask: Ask) -> None:
    reply = _write(sessions, ask(), clock)
    with sessions.begin() as session:
        edit_reply(session, reply.id, "Sorry!", version=reply.version, by=WRITER, clock=clock)

    with pytest.raises(ConflictError, match="read it as it is now"), sessions.begin() as session:
        approve_reply(session, reply.id, version=1, by=LEAD, clock=clock)


def test_sent_back_with_a_word_why_and_written_anew(
    sessions: S, clock: MovableClock, ask: Ask
) -> None:
    mention_id = ask()
    reply = _write(sessions, mention_id, clock)
    with pytest.raises(InputError, match="say why"), sessions.begin() as session:
        send_back(session, reply.id, "  ", version=1, by=LEAD, clock=clock)
    with sessions.begin() as session:
        reply = send_back(session, reply.id, "too cold", version=1, by=LEAD, clock=clock)
    assert (reply.state, reply.why) == (ReplyState.SENT_BACK, "too cold")
    with sessions() as session:
        assert count_to_do(session, WRITER, approves=False) == 1
        assert count_to_do(session, LEAD, approves=True) == 0

    with sessions.begin() as session:
        edit_reply(session, reply.id, "So sorry!", version=reply.version, by=WRITER, clock=clock)

    with sessions() as session:
        assert count_to_do(session, LEAD, approves=True) == 1
        events = events_of_reply(session, reply.id)
    assert [(one.actor, one.action, one.note, one.text) for one in events] == [
        (WRITER, "written", "", TEXT),
        (LEAD, "sent back", "too cold", None),
        (WRITER, "edited", "", "So sorry!"),
    ]
    assert reply_of(sessions, mention_id).why is None


def test_one_reply_of_a_mention_is_on_its_way_at_a_time(
    sessions: S, clock: MovableClock, ask: Ask
) -> None:
    mention_id = ask()
    first = _write(sessions, mention_id, clock)

    with pytest.raises(ConflictError, match=f"a reply by {WRITER} is waiting for approval"):
        _write(sessions, mention_id, clock)
    with sessions.begin() as session:
        cancel_reply(session, first.id, version=first.version, by=WRITER, clock=clock)

    second = _write(sessions, mention_id, clock)
    with sessions() as session:
        assert live_replies(session, [mention_id])[mention_id].id == second.id
        page = list_replies(session, [ReplyState.CANCELLED])
    assert [one.id for one in page.replies] == [first.id]


@pytest.mark.parametrize(
    ("text", "says"),
    [(" \n", "write what"), ("語" * 141, "x takes 280 characters, and this counts 282")],
)
def test_texts_that_the_platform_does_not_take_are_refused(
    sessions: S, clock: MovableClock, ask: Ask, text: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        _write(sessions, ask(), clock, text)


def test_where_nothing_is_posted_it_is_said(
    sessions: S,
    clock: MovableClock,
    ask: Ask,
    rule: Rule,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mention_id, gone = ask(), ask()
    with sessions.begin() as session:
        session.execute(update(Mention).where(Mention.id == gone).values(deleted_at=clock()))
        session.execute(
            update(Mention).where(Mention.id == mention_id).values(platform="trustpilot")
        )
    with pytest.raises(InputError, match="open its page"):
        _write(sessions, mention_id, clock)
    with pytest.raises(ConflictError, match="deleted"):
        _write(sessions, gone, clock)
    with pytest.raises(NotFoundError):
        _write(sessions, 10**6, clock)

    rule("accounts: {x: emea}")
    with pytest.raises(ConflictError, match=r"GROUNDSWELL_X_EMEA_\.\.\."):
        _write(sessions, ask(), clock)
    rule("approval: always")
    monkeypatch.delenv("GROUNDSWELL_X_API_KEY")
    with pytest.raises(ConflictError, match="no account is set up"):
        _write(sessions, ask(), clock)


@pytest.mark.parametrize("is_drill", [True, False])
def test_a_drill_and_a_trial_only_show_how_it_would_go(
    sessions: S,
    clock: MovableClock,
    ask: Ask,
    brand: int,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_drill: bool,
) -> None:
    mention_id = ask()
    if is_drill:
        with sessions.begin() as session:
            real = Brand(key="real", name="Real", query="r", names=[], created_at=clock())
            session.add(real)
            session.flush()
            session.execute(update(Brand).where(Brand.id == brand).values(drill_of_id=real.id))
    monkeypatch.delenv("GROUNDSWELL_X_API_KEY")
    with sessions.begin() as session:
        reply = write_reply(session, mention_id, TEXT, by=WRITER, clock=clock, posts=is_drill)
    with sessions.begin() as session:
        reply = approve_reply(
            session, reply.id, version=reply.version, by=LEAD, clock=clock, posts=is_drill
        )

    assert (reply.state, reply.next_attempt_at) == (ReplyState.REHEARSED, None)
    assert flag_of(sessions, mention_id).answered_by == WRITER


def test_only_what_is_in_doubt_is_settled(
    sessions: S, clock: MovableClock, ask: Ask, networks: Networks
) -> None:
    reply = _write(sessions, ask(), clock)

    with pytest.raises(ConflictError), sessions.begin() as session:
        settle_reply(session, reply.id, is_there=True, version=1, by=LEAD, clock=clock)
    with pytest.raises(ConflictError), sessions.begin() as session:
        retry_reply(session, reply.id, version=1, by=LEAD, clock=clock)
