"""Two records of one person in two CRMs, and a worker that looks at them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.contacts.joining import join_due
from crm_link.enrich import queue_speakers
from crm_link.linking.twins import decide_same
from crm_link.models import Contact
from crm_link.service import relink_due
from tests.crm_link.make_linking import CONTEXT, make_record, speak, sync
from tests.make import NOW

HERE, THERE, THIRD = "hubspot", "hubspot:emea", "salesforce"


MAIL = ("jane@example.com",)


def tick(sessions: sessionmaker[Session], hours: int = 0) -> None:
    """Let the worker look once, as it does before it writes to the CRMs."""
    now = NOW + timedelta(hours=hours)
    join_due(sessions, clock=lambda: now, context=CONTEXT)
    relink_due(sessions, clock=lambda: now, context=CONTEXT)


def make_two(
    sessions: sessionmaker[Session], *, here: str = "Jane Doe", there: str = "Jane Doe"
) -> tuple[int, int]:
    """Make a record in each of two CRMs with one address, and an account of the second one."""
    sync(sessions, make_record("h", name=here, emails=MAIL), name=HERE)
    accounts = (("mastodon", "jane"),)
    sync(sessions, make_record("t", name=there, emails=MAIL, handles=accounts), name=THERE)
    mention_id, _ = speak(sessions, {"handle": "jane"}, "cancel")
    queue_speakers(sessions, [mention_id], clock=lambda: NOW)
    tick(sessions)
    return id_of(sessions, "h"), id_of(sessions, "t")


def id_of(sessions: sessionmaker[Session], external_id: str) -> int:
    with sessions() as session:
        return session.scalars(select(Contact.id).where(Contact.external_id == external_id)).one()


def say(sessions: sessionmaker[Session], one: int, other: int, *, is_same: bool) -> None:
    with sessions.begin() as session:
        decide_same(session, one, other, is_same=is_same, by="ann@example.com", now=NOW)
    tick(sessions)
