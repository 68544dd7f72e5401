"""What becomes of a job that fails: the next tick does it again, and the log says where."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from api.engine import COLLECTING_THREADS, Engine
from api.jobs import guarded
from api.worker import Worker
from config.errors import TransientError
from config.settings import Settings
from crm_link.crms.csv_file import CsvFileCrm
from crm_link.escalation.protocols import Protocols
from crm_link.models import Contact
from listener.models import Source
from listener.running import only_collection_of
from sentiment.scorer import make_scorer
from tests.make import NOW, make_brand


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (KeyError("@jane, born 1970"), "broke"),
        (TransientError("it failed"), "failed, will be tried again"),
        (OperationalError("SELECT", {}, Exception("gone")), "database unavailable"),
    ],
)
def test_a_job_that_fails_is_said_without_its_words(
    error: Exception, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        raise error

    with structlog.testing.capture_logs() as said, caplog.at_level(logging.DEBUG):
        guarded("collect", work)()

    assert [(one["event"], one["job"]) for one in said] == [(event, "collect")]
    assert "jane" not in repr(said) + caplog.text
    if event == "broke":
        assert said[0]["at"].startswith("test_worker.py:")


def test_a_collection_that_fails_is_said_once(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        source = Source(
            brand_id=make_brand(session).id,
            name="feed",
            platform="rss",
            options={},  # a feed without its address
            every_s=3600,
            created_at=NOW,
        )
        session.add(source)
        session.flush()
        source_id = source.id
    engine = Engine(Settings(), sessions, make_scorer("vader"), Protocols(sessions, {}))

    with structlog.testing.capture_logs() as said:
        assert engine.collect_one(source_id) == 0
        with only_collection_of(sessions, source_id):
            assert engine.collect_one(source_id) == 0

    assert [(one["event"], one["source"]) for one in said] == [
        ("collection failed", source_id),
        ("collected elsewhere", source_id),
    ]


def test_a_source_that_waits_for_a_free_thread_is_collected_once(
    sessions: sessionmaker[Session],
) -> None:
    with _slow_feeds() as (address, asked):
        with sessions.begin() as session:
            brand = make_brand(session)
            session.add_all(
                Source(
                    brand_id=brand.id,
                    name=f"feed {number}",
                    platform="rss",
                    options={"url": f"{address}/{number}"},
                    every_s=3600,
                    created_at=NOW,
                )
                for number in range(COLLECTING_THREADS + 2)
            )
        protocols = Protocols(sessions, {})
        worker = Worker(Engine(Settings(), sessions, make_scorer("vader"), protocols))

        # The ticks of some seconds, while the first sources hold all threads.
        for _ in range(4):
            worker._collect()
            sleep(0.1)
        worker._collectors.shutdown(wait=True)

    assert asked == {f"/{number}": 1 for number in range(COLLECTING_THREADS + 2)}


@contextmanager
def _slow_feeds() -> Iterator[tuple[str, Counter[str]]]:
    """Serve empty feeds that take their time; count how often each is asked for."""
    asked: Counter[str] = Counter()

    class Feeds(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            sleep(1)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<rss version='2.0'><channel><title>x</title></channel></rss>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Feeds) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_the_contact_file_that_is_set_is_kept_up_with(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = tmp_path / "contacts.csv"
    engine = Engine(
        Settings(),
        sessions,
        make_scorer("vader"),
        Protocols(sessions, {}),
        crms={"csv_file": CsvFileCrm(path, out=tmp_path / "out.csv")},
    )
    path.write_text("id,name\n1,Jane Doe\n2,Ben Roe\n", "utf-8")

    assert engine.sync_contacts() == 2
    assert engine.sync_contacts() == 0
    path.write_text("id,name\n1,Jane Doe\n2,Ben Moe\n", "utf-8")
    assert engine.sync_contacts() == 1

    with sessions() as session:
        names = session.scalars(select(Contact.name).order_by(Contact.external_id)).all()
    assert names == ["Jane Doe", "Ben Moe"]


def test_without_a_contact_file_there_is_nothing_to_sync(sessions: sessionmaker[Session]) -> None:
    protocols = Protocols(sessions, {})
    crms = {"csv_file": CsvFileCrm()}
    engine = Engine(Settings(), sessions, make_scorer("vader"), protocols, crms=crms)

    assert engine.sync_contacts() == 0
