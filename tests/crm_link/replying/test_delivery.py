"""Approved replies go out once, whatever the platform answers, and people see what does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.models import FlagStatus
from crm_link.replying import changes
from crm_link.replying.delivery import deliver_replies
from crm_link.replying.events import events_of_reply
from crm_link.replying.lists import count_to_do, failing_accounts
from crm_link.replying.models import ReplyState
from crm_link.replying.outcomes import ACCOUNT_WAIT_S
from crm_link.triage import triage_mentions
from listener.models import Mention
from listener.replier import Refusal
from tests.crm_link.making import MovableClock, make_mentions, make_protocol
from tests.crm_link.replying.conftest import LEAD, TEXT, WRITER, Ask, flag_of, posted, reply_of
from tests.networks import Networks

S = sessionmaker[Session]


#: Writes and approves a reply to a new mention, due now; gives the mention's id.
Approved = Callable[..., int]


@pytest.fixture
def approved(sessions: S, clock: MovableClock, ask: Ask) -> Approved:
    def make(platform: str = "x", *, closes: bool = False) -> int:
        mention_id = ask(platform)
        with sessions.begin() as session:
            reply = changes.write_reply(
                session, mention_id, TEXT, by=WRITER, clock=clock, closes=closes
            )
            changes.approve_reply(session, reply.id, version=1, by=LEAD, clock=clock)
        clock.forward(seconds=10)
        return mention_id

    return make


def _actions(sessions: S, mention_id: int) -> list[str]:
    with sessions() as session:
        reply = reply_of(sessions, mention_id)
        return [one.action for one in events_of_reply(session, reply.id)][2:]


def _body(detail: str) -> dict[str, object]:
    return {"status": 403, "body": f'{{"detail": "{detail}", "title": "Forbidden"}}'}


@pytest.mark.parametrize("platform", ["x", "reddit"])
@pytest.mark.parametrize("closes", [True, False])
def test_an_approved_reply_goes_out_once_and_answers_its_mention(
    sessions: S,
    clock: MovableClock,
    approved: Approved,
    networks: Networks,
    platform: str,
    *,
    closes: bool,
) -> None:
    mention_id = approved(platform, closes=closes)

    assert deliver_replies(sessions, clock=clock) == 1
    clock.forward(days=1)
    assert deliver_replies(sessions, clock=clock) == 0

    assert posted(networks, platform) == [TEXT]
    reply, flag = reply_of(sessions, mention_id), flag_of(sessions, mention_id)
    assert reply.state is ReplyState.POSTED
    assert reply.posted_id
    assert reply.posted_url
    assert (flag.answered_at, flag.answered_by) == (reply.posted_at, WRITER)
    assert flag.status is (FlagStatus.DONE if closes else FlagStatus.OPEN)
    assert _actions(sessions, mention_id) == ["posted"]


def test_it_waits_for_its_time_and_can_be_cancelled_until_then(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    mention_id = approved()
    clock.forward(seconds=-1)
    assert deliver_replies(sessions, clock=clock) == 0

    with sessions.begin() as session:
        reply = reply_of(sessions, mention_id)
        changes.cancel_reply(session, reply.id, version=reply.version, by=WRITER, clock=clock)
    clock.forward(seconds=60)

    assert deliver_replies(sessions, clock=clock) == 0
    assert posted(networks) == []
    assert flag_of(sessions, mention_id).answered_at is None


def test_a_flag_that_was_closed_meanwhile_stays_closed_and_is_answered(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    mention_id = approved()
    with sessions.begin() as session:
        flag = session.merge(flag_of(sessions, mention_id))
        flag.status, flag.closed_by, flag.closed_at = FlagStatus.DISMISSED, LEAD, clock()

    deliver_replies(sessions, clock=clock)

    flag = flag_of(sessions, mention_id)
    assert (flag.status, flag.answered_by) == (FlagStatus.DISMISSED, WRITER)


@pytest.mark.parametrize("headers", ["retry_after", "none"])
def test_a_rate_limit_puts_off_all_replies_of_the_account(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks, headers: str
) -> None:
    ids = [approved() for _ in range(7)]
    networks.control.fault("x", "rate_limit", path="/2/tweets", headers=headers, seconds=90)

    deliver_replies(sessions, clock=clock, limit=1)
    deliver_replies(sessions, clock=clock)

    assert networks.control.count("x", "/2/tweets") == 1
    assert _actions(sessions, ids[0]) == ["put off"]
    clock.forward(seconds=91)
    assert deliver_replies(sessions, clock=clock) + deliver_replies(sessions, clock=clock) == 7
    assert len(posted(networks)) == 7


@pytest.mark.parametrize(
    ("detail", "refusal"),
    [
        ("You are not allowed to create a Tweet with duplicate content.", Refusal.DUPLICATE),
        ("Reply to this conversation is not allowed.", Refusal.RESTRICTED),
    ],
)
def test_a_refusal_fails_in_words_and_can_be_tried_again(
    sessions: S,
    clock: MovableClock,
    approved: Approved,
    networks: Networks,
    detail: str,
    refusal: Refusal,
) -> None:
    mention_id = approved()
    networks.control.fault("x", "status", path="/2/tweets", **_body(detail))

    assert deliver_replies(sessions, clock=clock) == 0

    reply = reply_of(sessions, mention_id)
    assert (reply.state, reply.refusal) == (ReplyState.FAILED, refusal)
    assert "X refused with 403: " in (reply.last_error or "")
    with sessions.begin() as session:
        assert count_to_do(session, LEAD, approves=True) == 1
        changes.retry_reply(session, reply.id, version=reply.version, by=WRITER, clock=clock)
    assert deliver_replies(sessions, clock=clock) == 1
    assert posted(networks) == [TEXT]


def test_what_the_account_said_already_in_the_same_words_is_the_reply(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    mention_id = approved()
    with sessions() as session:
        asked = session.get_one(Mention, mention_id).external_id
    [by_hand] = networks.control.add(
        "x", [{"text": TEXT, "author": "nordlicht", "reply_to": asked}]
    )

    assert deliver_replies(sessions, clock=clock) == 1

    assert posted(networks) == [TEXT]
    assert reply_of(sessions, mention_id).posted_id == by_hand


def test_an_account_that_is_refused_is_shown_and_goes_on_when_it_is_mended(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    ids = [approved(), approved()]
    networks.control.fault("x", "status", path="/2/tweets", times=1, status=401, body="{}")

    deliver_replies(sessions, clock=clock, limit=1)

    with sessions() as session:
        [failing] = failing_accounts(session)
    assert (failing.platform, failing.refusal, failing.replies) == ("x", Refusal.TOKEN, 1)
    assert "set new ones" in failing.said
    assert reply_of(sessions, ids[0]).state is ReplyState.APPROVED
    assert deliver_replies(sessions, clock=clock) == 0
    clock.forward(seconds=ACCOUNT_WAIT_S)
    assert deliver_replies(sessions, clock=clock) == 2
    with sessions() as session:
        assert failing_accounts(session) == []


def test_an_approval_does_not_last_for_ever(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    mention_id = approved()
    clock.forward(hours=25)

    assert deliver_replies(sessions, clock=clock) == 0

    reply = reply_of(sessions, mention_id)
    assert (reply.state, reply.refusal) == (ReplyState.FAILED, None)
    with sessions.begin() as session:
        again = changes.retry_reply(
            session, reply.id, version=reply.version, by=WRITER, clock=clock
        )
        assert again.state is ReplyState.WAITING
    assert posted(networks) == []


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_post_that_is_gone_is_not_answered(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks, where: str
) -> None:
    mention_id = approved()
    with sessions.begin() as session:
        mention = session.get_one(Mention, mention_id)
        if where == "here":
            mention.deleted_at = clock()
        else:
            networks.control.delete("x", [mention.external_id])

    deliver_replies(sessions, clock=clock)

    assert reply_of(sessions, mention_id).refusal is Refusal.GONE
    assert networks.control.count("x", "/2/tweets") == (where == "there")


def test_settings_that_were_taken_away_are_said(
    sessions: S, clock: MovableClock, approved: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    mention_id = approved()
    monkeypatch.delenv("GROUNDSWELL_X_API_KEY")

    deliver_replies(sessions, clock=clock)

    reply = reply_of(sessions, mention_id)
    assert (reply.state, reply.refusal) == (ReplyState.APPROVED, Refusal.TOKEN)
    assert "API_KEY" in (reply.last_error or "")


@pytest.mark.parametrize("known_by", ["id", "handle", "nothing"])
def test_our_own_posts_are_not_flagged_when_they_come_back(
    sessions: S,
    clock: MovableClock,
    approved: Approved,
    brand: int,
    known_by: str,
) -> None:
    mention_id = approved()
    deliver_replies(sessions, clock=clock)
    own_id = reply_of(sessions, mention_id).posted_id if known_by == "id" else "999"
    with sessions.begin() as session:
        from listener.models import Author, Brand  # noqa: PLC0415

        if known_by == "handle":
            session.execute(update(Brand).values(names=["Acme", "@Acme_Help"]))
        author = Author(
            platform="x",
            external_id="77",
            handle="acme_help",
            links=[],
            verified_links=[],
            first_seen_at=clock(),
            updated_at=clock(),
            profile_hash="",
        )
        session.add(author)
        session.flush()
        author_id = author.id
    [back] = make_mentions(
        sessions,
        brand,
        "Sorry that it caught fire",
        label="negative",
        external_id=own_id,
        author_id=author_id,
    )

    triage_mentions(sessions, [back], {brand: make_protocol()}, clock=clock)

    with sessions() as session:
        from crm_link.flags.queue import get_flags  # noqa: PLC0415

        assert (back in get_flags(session, [back])) is (known_by == "nothing")
