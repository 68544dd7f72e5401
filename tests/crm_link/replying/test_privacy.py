"""Replies go with their mention at an erasure and after a drill; an export has them."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.drills.brands import clear_copy
from crm_link.privacy.access import export_person
from crm_link.privacy.rows import erase_posts
from crm_link.privacy.subject import Subject
from crm_link.replying import changes
from crm_link.replying.delivery import deliver_replies
from crm_link.replying.models import Reply, ReplyEvent
from listener.models import Mention
from tests.crm_link.making import MovableClock, make_author
from tests.crm_link.replying.conftest import LEAD, TEXT, WRITER, Ask, posted
from tests.networks import Networks

S = sessionmaker[Session]


def _approved(sessions: S, mention_id: int, clock: MovableClock) -> int:
    """Write and approve a reply to a mention of an author; give the author's id."""
    author_id = make_author(sessions, 10)
    with sessions.begin() as session:
        session.execute(update(Mention).where(Mention.id == mention_id).values(author_id=author_id))
        reply = changes.write_reply(session, mention_id, TEXT, by=WRITER, clock=clock)
        changes.approve_reply(session, reply.id, version=1, by=LEAD, clock=clock)
    clock.forward(seconds=10)
    return author_id


def _rows(sessions: S) -> list[int]:
    with sessions() as session:
        return [
            session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Reply, ReplyEvent)
        ]


def test_an_erasure_takes_them_and_nothing_is_posted_then(
    sessions: S, clock: MovableClock, ask: Ask, networks: Networks
) -> None:
    author_id = _approved(sessions, ask(), clock)
    assert _rows(sessions) == [1, 2]

    found = erase_posts(sessions, [author_id], clock())

    assert (found["reply"], found["reply_event"]) == (1, 2)
    assert _rows(sessions) == [0, 0]
    assert deliver_replies(sessions, clock=clock) == 0
    assert posted(networks) == []


def test_a_person_gets_what_was_answered(sessions: S, clock: MovableClock, ask: Ask) -> None:
    author_id = _approved(sessions, ask(), clock)

    with sessions() as session:
        subject = Subject("author", (author_id,), (), ())
        export = export_person(session, subject, now=clock())

    assert [one["text"] for one in export["replies"]] == [TEXT]
    assert [one["action"] for one in export["work_on_replies"]] == ["written", "approved"]


def test_the_end_of_a_drill_takes_them(
    sessions: S, clock: MovableClock, ask: Ask, brand: int
) -> None:
    _approved(sessions, ask(), clock)

    with sessions.begin() as session:
        clear_copy(session, brand)

    assert _rows(sessions) == [0, 0]
