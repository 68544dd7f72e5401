"""Replies of which nobody knows whether they went out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.replying import changes
from crm_link.replying.delivery import LEASE_S, deliver_replies
from crm_link.replying.events import events_of_reply
from crm_link.replying.lists import count_to_do
from crm_link.replying.models import Reply, ReplyState
from crm_link.replying.outcomes import SETTLE_S
from listener.models import Mention
from tests.crm_link.making import MovableClock
from tests.crm_link.replying.conftest import LEAD, TEXT, WRITER, Ask, flag_of, posted, reply_of
from tests.networks import Networks

S = sessionmaker[Session]


POSTING = {"x": "/2/tweets", "reddit": "/api/comment/"}


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


@pytest.mark.parametrize("platform", ["x", "reddit"])
@pytest.mark.parametrize(
    ("kind", "options"), [("reset", {"share": 0.5}), ("hang", {"share": 0.5}), ("truncated", {})]
)
def test_what_was_posted_without_an_answer_is_found_and_not_posted_again(
    sessions: S,
    clock: MovableClock,
    approved: Approved,
    networks: Networks,
    platform: str,
    kind: str,
    options: dict[str, float],
) -> None:
    mention_id = approved(platform)
    networks.control.fault(platform, kind, path=POSTING[platform], **options)

    assert deliver_replies(sessions, clock=clock) == 0
    assert reply_of(sessions, mention_id).state is ReplyState.IN_DOUBT
    assert deliver_replies(sessions, clock=clock) == 0
    clock.forward(seconds=SETTLE_S)
    assert deliver_replies(sessions, clock=clock) == 1

    assert posted(networks, platform) == [TEXT]
    assert reply_of(sessions, mention_id).state is ReplyState.POSTED
    assert flag_of(sessions, mention_id).answered_by == WRITER
    assert _actions(sessions, mention_id) == ["in doubt", "found"]


@pytest.mark.parametrize("platform", ["x", "reddit"])
def test_what_is_surely_not_there_after_two_looks_is_posted(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks, platform: str
) -> None:
    mention_id = approved(platform)
    networks.control.fault(platform, "status", path=POSTING[platform], status=503)
    deliver_replies(sessions, clock=clock)

    done = []
    for _ in range(3):
        clock.forward(seconds=SETTLE_S)
        done.append(deliver_replies(sessions, clock=clock))

    assert done == [0, 0, 1]
    assert posted(networks, platform) == [TEXT]
    assert _actions(sessions, mention_id) == ["in doubt", "not there", "posted"]


def test_what_cannot_be_told_is_left_to_a_person(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    mention_id = approved()
    with sessions() as session:
        asked = session.get_one(Mention, mention_id).external_id
    networks.control.fault("x", "status", path="/2/tweets", status=503)
    deliver_replies(sessions, clock=clock)
    networks.control.add("x", [{"text": "other words", "author": "nordlicht", "reply_to": asked}])

    for _ in range(5):
        clock.forward(hours=1)
        assert deliver_replies(sessions, clock=clock) == 0

    reply = reply_of(sessions, mention_id)
    assert (reply.state, reply.next_attempt_at) == (ReplyState.IN_DOUBT, None)
    assert posted(networks) == ["other words"]
    with sessions() as session:
        assert count_to_do(session, WRITER, approves=False) == 1


@pytest.mark.parametrize("is_there", [True, False])
def test_a_person_settles_what_is_in_doubt(
    sessions: S,
    clock: MovableClock,
    approved: Approved,
    networks: Networks,
    *,
    is_there: bool,
) -> None:
    mention_id = approved()
    networks.control.fault("x", "status", path="/2/tweets", status=503)
    deliver_replies(sessions, clock=clock)
    reply, url = reply_of(sessions, mention_id), "https://x.com/nordlicht/status/1"
    with pytest.raises(InputError), sessions.begin() as session:
        changes.settle_reply(
            session,
            reply.id,
            is_there=True,
            url="javascript:1",
            version=reply.version,
            by=LEAD,
            clock=clock,
        )
    with sessions.begin() as session:
        changes.settle_reply(
            session,
            reply.id,
            is_there=is_there,
            url=url if is_there else "",
            version=reply.version,
            by=LEAD,
            clock=clock,
        )

    assert deliver_replies(sessions, clock=clock) == (not is_there)
    assert posted(networks) == ([] if is_there else [TEXT])
    reply = reply_of(sessions, mention_id)
    assert reply.state is ReplyState.POSTED
    assert flag_of(sessions, mention_id).answered_by == WRITER
    assert (reply.posted_url == url) is is_there


def test_a_look_that_fails_is_made_again_and_then_left_to_a_person(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    mention_id = approved()
    networks.control.fault("x", "status", path="*", status=503, times=-1)

    for _ in range(16):
        deliver_replies(sessions, clock=clock)
        clock.forward(hours=1)

    reply = reply_of(sessions, mention_id)
    assert (reply.state, reply.next_attempt_at) == (ReplyState.IN_DOUBT, None)
    assert networks.control.count("x", "/2/tweets") == 1


def test_whoever_comes_late_begins_nothing(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    ids = [approved(), approved()]
    moments = iter([clock(), *(clock() for _ in range(2))])

    def jumping() -> object:
        try:
            return next(moments)
        except StopIteration:
            clock.forward(seconds=70)
            return clock()

    done = deliver_replies(sessions, clock=jumping)  # type: ignore[arg-type]

    assert done == len(posted(networks)) < len(ids)
    states = {reply_of(sessions, one).state for one in ids}
    assert states <= {ReplyState.POSTED, ReplyState.APPROVED}
    clock.forward(seconds=1)
    deliver_replies(sessions, clock=clock)
    assert len(posted(networks)) == len(ids)


def test_a_late_answer_of_a_slow_worker_counts(
    sessions: S, clock: MovableClock, approved: Approved, networks: Networks
) -> None:
    """Another worker took it over as in doubt; the first one's post is there all the same."""
    mention_id = approved()
    with sessions.begin() as session:
        session.execute(
            update(Reply).values(
                state=ReplyState.SENDING, next_attempt_at=clock(), tried_at=clock()
            )
        )
    clock.forward(seconds=LEASE_S)
    deliver_replies(sessions, clock=clock)
    assert reply_of(sessions, mention_id).state is ReplyState.IN_DOUBT
    with sessions() as session:
        asked = session.get_one(Mention, mention_id).external_id
    networks.control.add("x", [{"text": TEXT, "author": "nordlicht", "reply_to": asked}])
    clock.forward(seconds=SETTLE_S)

    assert deliver_replies(sessions, clock=clock) == 1
    assert posted(networks) == [TEXT]
