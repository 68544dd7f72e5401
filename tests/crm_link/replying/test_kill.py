"""kill -9 at each point between approval and record: the reply is out exactly once in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.replying import changes
from crm_link.replying.delivery import LEASE_S, deliver_replies
from crm_link.replying.models import ReplyEvent, ReplyState
from crm_link.replying.outcomes import SETTLE_S
from tests.crm_link.making import MovableClock
from tests.crm_link.replying.conftest import LEAD, TEXT, WRITER, Ask, flag_of, posted, reply_of
from tests.networks import Networks

ROOT = Path(__file__).resolve().parents[3]
POSTING = {"x": "/2/tweets", "reddit": "/api/comment/"}

#: (point, how often it was reached, whether the reply is out by then)
POINTS = [
    ("before commit", 1, False),  # of the claim
    ("after commit", 1, False),
    ("before post", 1, False),
    ("after post", 1, True),
    ("before commit", 2, True),  # of the record
    ("after commit", 2, True),
]


def _killed(url: str, now: datetime, kind: str, at: int) -> int:
    module = "tests.crm_link.replying.killing"
    command = [sys.executable, "-m", module, url, now.isoformat(), kind, str(at)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=60, check=False).returncode


def _approve(sessions: sessionmaker[Session], mention_id: int, clock: MovableClock) -> None:
    with sessions.begin() as session:
        reply = changes.write_reply(session, mention_id, TEXT, by=WRITER, clock=clock)
        changes.approve_reply(session, reply.id, version=1, by=LEAD, clock=clock)
    clock.forward(seconds=10)


@pytest.mark.parametrize("platform", ["x", "reddit"])
@pytest.mark.parametrize(("kind", "at", "is_out"), POINTS)
def test_killed_at_a_point_and_started_again(
    sessions: sessionmaker[Session],
    database_url: str,
    clock: MovableClock,
    ask: Ask,
    networks: Networks,
    platform: str,
    kind: str,
    at: int,
    *,
    is_out: bool,
) -> None:
    mention_id = ask(platform)
    _approve(sessions, mention_id, clock)

    assert _killed(database_url, clock(), kind, at) == -9

    assert posted(networks, platform) == ([TEXT] if is_out else [])
    # Nobody posts while the lease lasts, and nothing is posted before two looks.
    deliver_replies(sessions, clock=clock)
    assert len(posted(networks, platform)) <= 1
    clock.forward(seconds=LEASE_S)
    for _ in range(3):
        deliver_replies(sessions, clock=clock)
        clock.forward(seconds=SETTLE_S)
    assert posted(networks, platform) == [TEXT]
    assert reply_of(sessions, mention_id).state is ReplyState.POSTED
    assert flag_of(sessions, mention_id).answered_by == WRITER
    assert networks.control.count(platform, POSTING[platform]) == 1
    with sessions() as session:
        actions = session.scalars(select(ReplyEvent.action).order_by(ReplyEvent.id)).all()
    assert sum(action in {"posted", "found"} for action in actions) == 1


@pytest.mark.parametrize(("kind", "is_there"), [("before look", True), ("after look", False)])
def test_killed_while_it_is_looked_for(
    sessions: sessionmaker[Session],
    database_url: str,
    clock: MovableClock,
    ask: Ask,
    networks: Networks,
    kind: str,
    *,
    is_there: bool,
) -> None:
    mention_id = ask()
    _approve(sessions, mention_id, clock)
    assert _killed(database_url, clock(), "after post" if is_there else "before post", 1) == -9
    clock.forward(seconds=LEASE_S)

    assert _killed(database_url, clock(), kind, 1) == -9

    for _ in range(4):
        clock.forward(seconds=LEASE_S)
        deliver_replies(sessions, clock=clock)
    assert posted(networks) == [TEXT]
    assert reply_of(sessions, mention_id).state is ReplyState.POSTED
