"""A process that works through the escalation engine's steps and kills itself at a given point.

Points are counted before and after each commit and each sending, so that every one of them is
hit by some number.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import event, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import make_engine, make_sessions, read_session
from crm_link.escalation import notify
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.channel import Channel, Message, make_channel
from crm_link.escalation.delivery.outbox import UNSENT
from crm_link.escalation.delivery.presence import Presence
from crm_link.escalation.detect import detect
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.notify import deliver_notifications
from crm_link.escalation.protocol_parts.file import parse_protocol
from listener.models import Brand


class Points:
    """Counts points, and kills this process with SIGKILL at the `at`-th of its kind; 0: never."""

    def __init__(self, kind: str, at: int, log: Path) -> None:
        self._kind, self._at, self._log = kind, at, log
        self._passed: Counter[str] = Counter()

    def reach(self, name: str) -> None:
        self._passed[name] += 1
        if name == self._kind and self._passed[name] == self._at:
            with self._log.open("a") as file:
                file.write(f"{name}\n")
            os.kill(os.getpid(), signal.SIGKILL)


def work(url: str, protocol_text: str, kind: str, at: int, log: Path, seconds: float) -> None:
    """Do the steps of the engine for some seconds, or until the point."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    points = Points(kind, at, log)
    engine = make_engine(url)
    sessions = make_sessions(engine)
    event.listen(engine, "commit", lambda _: points.reach("before commit"))
    event.listen(Session, "after_commit", lambda _: points.reach("after commit"))
    notify.make_channel = lambda name: _Watched(  # type: ignore[attr-defined]
        make_channel(name), points.reach
    )
    presence = Presence(sessions)
    protocol = parse_protocol(protocol_text)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with read_session(sessions) as session:
            # Of the others nothing new has come.
            known = select(Incident.brand_id)
            brands = session.scalars(select(Brand.id).where(Brand.id.not_in(known))).all()
        detect(sessions, dict.fromkeys(brands, protocol), clock=utc_now)
        run_due_steps(sessions, clock=utc_now)
        deliver_notifications(sessions, clock=utc_now, presence=presence)
        if at == 0 and is_idle(sessions):
            break
        time.sleep(0.05)
    presence.close()
    engine.dispose()


def is_idle(sessions: sessionmaker[Session]) -> bool:
    """Say whether nothing is to be sent and no step is due for a long time."""

    with read_session(sessions) as session:
        unsent = session.scalar(
            select(Notification.id).where(Notification.status.in_(UNSENT)).limit(1)
        )
        soon = session.scalar(
            select(Incident.id).where(Incident.step < 2, Incident.open_key.is_not(None)).limit(1)
        )
    return unsent is None and soon is None


class _Watched(Channel):
    """A channel that tells when it sends."""

    def __init__(self, inner: Channel, reach: Callable[[str], None]) -> None:
        self._inner, self._reach = inner, reach

    def send(self, message: Message, to: str) -> None:
        self._reach("before send")
        self._inner.send(message, to)
        self._reach("after send")
