"""What a killed worker had claimed is sent at once by the next one, and by no other before."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import make_engine, make_sessions
from crm_link.escalation.delivery.presence import Presence
from crm_link.escalation.detect import detect
from crm_link.escalation.models import Notification
from crm_link.escalation.notify import deliver_notifications
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import make_brand, make_burst, make_protocol

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"

#: Claims what is due, and hangs in sending.
_WORKER = """
import sys
from config.clock import utc_now
from config.db import make_engine, make_sessions
from crm_link.escalation.notify import deliver_notifications
from crm_link.escalation.delivery.presence import Presence

sessions = make_sessions(make_engine(sys.argv[1]))
deliver_notifications(sessions, clock=utc_now, presence=Presence(sessions))
"""


def _open(sessions: sessionmaker[Session], receiver: Receiver) -> None:
    hook = f'{{kind: webhook, to: "{receiver.url}"}}'
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25, published_at=utc_now() - timedelta(minutes=1))
    protocol = make_protocol(**{ANNA: f"tz: Europe/Madrid, channels: [{hook}]"})
    detect(sessions, {brand_id: protocol}, clock=utc_now)


def _wait_for_claim(sessions: sessionmaker[Session]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with sessions() as session:
            statuses = session.scalars(select(Notification.status)).all()
        if DeliveryStatus.SENDING in statuses:
            return
        time.sleep(0.05)
    raise AssertionError("nothing was claimed")


def test_what_a_killed_worker_had_claimed_is_sent_at_once(
    sessions: sessionmaker[Session], database_url: str, receiver: Receiver
) -> None:
    receiver.delay_s = 1.5
    _open(sessions, receiver)
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, database_url])
    _wait_for_claim(sessions)
    presence = Presence(sessions)
    if not database_url.startswith("sqlite"):
        # It lives, so that its claim is left alone; on SQLite there is one worker at a time.
        assert deliver_notifications(sessions, clock=utc_now, presence=presence) == 0
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    receiver.delay_s = 0

    began, sent = time.monotonic(), 0
    while not sent and time.monotonic() - began < 30:
        sent = deliver_notifications(sessions, clock=utc_now, presence=presence)
    took_s = time.monotonic() - began
    presence.close()

    assert sent == 1
    assert took_s < 5
    keys = {headers["X-Idempotency-Key"] for headers, _ in receiver.requests}
    assert len(keys) == 1


def test_a_sign_of_life_that_is_lost_is_given_again(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    first, second = Presence(sessions), Presence(sessions)
    second.alive()
    if not database_url.startswith("sqlite"):
        assert first.alive() == frozenset({first.worker, second.worker})
        engine = make_engine(database_url)
        with make_sessions(engine).begin() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                    "AND objid = :number"
                ),
                {"number": int(first.worker)},
            )
        engine.dispose()
        assert first.alive() is None
        assert second.alive() == frozenset({second.worker})
    assert first.worker in (first.alive() or ())
    first.close()
    second.close()


def test_a_claim_without_a_worker_ends_with_its_lease_only(
    sessions: sessionmaker[Session], receiver: Receiver
) -> None:
    _open(sessions, receiver)
    with sessions.begin() as session:
        later = utc_now() + timedelta(seconds=60)
        session.execute(
            update(Notification).values(
                status=DeliveryStatus.SENDING, lease_until=later, next_attempt_at=later
            )
        )
    presence = Presence(sessions)

    assert deliver_notifications(sessions, clock=utc_now, presence=presence) == 0
    presence.close()
