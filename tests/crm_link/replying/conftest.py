"""A mention on a fake network, its brand's protocol, and accounts that may reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.models import Flag
from crm_link.replying.models import Reply
from crm_link.triage import triage_mentions
from tests.crm_link.making import PROTOCOL, MovableClock, make_brand, make_mentions, make_protocol
from tests.listener.accounts import set_up_accounts
from tests.networks import Networks, running_networks

WRITER, LEAD, ADMIN = "ana@example.org", "lea@example.org", "root@example.org"
TEXT = "We are sorry, please write to us."
FAQ = """
faq:
  - id: refund
    questions: {en: [refund]}
    answer: {en: "We refund within a week.", es: "Devolvemos en una semana."}
"""

#: Publishes a post and stores it as a flagged mention; gives its row's id.
Ask = Callable[..., int]


@pytest.fixture(scope="package")
def _running_networks() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


@pytest.fixture
def networks(_running_networks: Networks, monkeypatch: pytest.MonkeyPatch) -> Networks:
    _running_networks.control.reset()
    set_up_accounts(_running_networks, monkeypatch)
    return _running_networks


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(utc_now())


@pytest.fixture
def brand(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


@pytest.fixture
def rule(sessions: sessionmaker[Session], brand: int, clock: MovableClock) -> Callable[[str], None]:
    """Give a function that puts a protocol with these `replies` into force."""

    def put(replies: str) -> None:
        with sessions.begin() as session:
            text = f"{PROTOCOL}{FAQ}replies: {{{replies}}}\n"
            pin_protocol(session, brand, make_protocol(text), clock())

    return put


@pytest.fixture
def ask(
    sessions: sessionmaker[Session], brand: int, clock: MovableClock, networks: Networks
) -> Ask:
    def publish(platform: str = "x", brand_id: int = brand) -> int:
        [external_id] = networks.control.add(platform, [{"text": "My lamp caught fire"}])
        [mention_id] = make_mentions(
            sessions,
            brand_id,
            "My lamp caught fire",
            label="negative",
            platform=platform,
            external_id=external_id,
        )
        triage_mentions(sessions, [mention_id], {brand_id: make_protocol()}, clock=clock)
        return mention_id

    return publish


def reply_of(sessions: sessionmaker[Session], mention_id: int) -> Reply:
    with sessions() as session:
        return session.scalars(
            select(Reply).where(Reply.mention_id == mention_id).order_by(Reply.id.desc()).limit(1)
        ).one()


def flag_of(sessions: sessionmaker[Session], mention_id: int) -> Flag:
    with sessions() as session:
        return session.scalars(select(Flag).where(Flag.mention_id == mention_id)).one()


def posted(networks: Networks, platform: str = "x") -> list[str]:
    author = {"x": "nordlicht", "reddit": "nordlicht_team"}[platform]
    return [post["text"] for post in networks.control.posts(platform) if post["author"] == author]
