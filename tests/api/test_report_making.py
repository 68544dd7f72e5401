"""PDF files of reports: made by whoever works, killed at any point, left off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.models import Role
from api.report_making import make_files, making_files
from api.reports import printing
from api.reports.printing import print_apart
from api.worker import Worker
from config.clock import utc_now
from config.errors import InputError, PermanentError, TransientError
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from crm_link.reporting.file_making import AGAIN_AFTER, LEASE, LeftOffError
from crm_link.reporting.models import FileState
from sentiment.scorer import make_scorer
from tests.api.conftest import MovableClock, SignIn
from tests.api.report_waiting import (
    LONG_PAGE,
    PAGE,
    children,
    make,
    only_file,
    wait_until,
)
from tests.api.scene import Scene


def engine_of(sessions: sessionmaker[Session]) -> Engine:
    return Engine(Settings(), sessions, make_scorer("vader"), Protocols(sessions, {}))


def is_ready(sessions: sessionmaker[Session]) -> bool:
    return only_file(sessions).state is FileState.READY


def test_the_worker_makes_what_is_asked_for(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    assert scene.brand
    clock.now = utc_now()
    client = sign_in(Role.VIEWER)
    worker = Worker(engine_of(sessions))
    worker.start()
    try:
        assert client.get("/api/v1/reports/responses.pdf?brand=acme").status_code == 202
        wait_until(lambda: is_ready(sessions))
    finally:
        worker.stop()


def test_once_makes_what_is_asked_for(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    assert scene.brand
    client = sign_in(Role.VIEWER)
    assert client.get("/api/v1/reports/responses.pdf?brand=acme").status_code == 202
    engine = engine_of(sessions)
    engine.clock = clock

    assert engine.run_once()["files"] == 1
    assert is_ready(sessions)


def test_a_server_alone_makes_what_is_asked_for(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    assert scene.brand
    clock.now = utc_now()
    client = sign_in(Role.VIEWER)
    with making_files(sessions, public_url=""):
        assert client.get("/api/v1/reports/responses.pdf?brand=acme").status_code == 202
        wait_until(lambda: is_ready(sessions))


def test_what_prints_is_killed_and_the_file_is_made_at_the_next_try(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    client = sign_in(Role.VIEWER)
    path = f"/api/v1/incidents/{scene.incident}/report.pdf"
    assert client.get(path).status_code == 202
    others = set(children())
    working = threading.Thread(target=make, args=(sessions, clock))
    working.start()
    wait_until(lambda: set(children()) - others)
    for child in set(children()) - others:
        os.kill(child, signal.SIGKILL)
    working.join()

    file = only_file(sessions)
    assert (file.state, file.attempts) == (FileState.QUEUED, 1)
    assert file.last_error == "what makes PDF files was ended from outside (-9)"
    clock.now += AGAIN_AFTER
    assert make(sessions, clock) == 1
    assert client.get(path).content.startswith(b"%PDF-")


_MAKER = """
import sys
from datetime import datetime
from api.report_making import make_files
from config.db import make_engine, make_sessions
now = datetime.fromisoformat(sys.argv[2])
make_files(make_sessions(make_engine(sys.argv[1])), clock=lambda: now, public_url="")
"""


def test_whoever_makes_it_is_killed_and_another_makes_it_when_the_lease_is_over(
    sign_in: SignIn,
    scene: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    database_url: str,
) -> None:
    client = sign_in(Role.VIEWER)
    path = f"/api/v1/incidents/{scene.incident}/report.pdf"
    assert client.get(path).status_code == 202
    maker = subprocess.Popen(
        [sys.executable, "-c", _MAKER, database_url, clock.now.isoformat()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    wait_until(lambda: only_file(sessions).state is FileState.MAKING or maker.poll() is not None)
    maker.kill()
    maker.wait()

    assert client.get(path).json()["state"] == "making"
    assert make(sessions, clock) == 0
    clock.now += LEASE
    assert make(sessions, clock) == 1
    assert only_file(sessions).attempts == 2
    assert client.get(path).status_code == 200


def test_a_page_is_printed_apart_and_what_goes_wrong_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert print_apart(PAGE, is_wanted=lambda: True).startswith(b"%PDF-")
    with pytest.raises(LeftOffError):
        print_apart(LONG_PAGE, is_wanted=lambda: False)
    with monkeypatch.context() as hurry:
        hurry.setattr(printing, "MOST_S", 0)
        with pytest.raises(PermanentError, match="too long for a PDF"):
            print_apart(LONG_PAGE, is_wanted=lambda: True)
    assert children() == []
    for source, error, says in (
        ("raise ImportError", InputError, "PDF needs WeasyPrint"),
        ("raise MemoryError", TransientError, "making it broke with MemoryError"),
    ):
        # Each in a folder of its own: what was compiled of the first would be taken for the second.
        folder = tmp_path / error.__name__
        folder.mkdir()
        (folder / "weasyprint.py").write_text(source)
        monkeypatch.syspath_prepend(folder)
        with pytest.raises(error, match=says):
            print_apart(PAGE, is_wanted=lambda: True)


def test_a_file_is_left_off_after_its_process_was_told_to_stop(
    sign_in: SignIn,
    scene: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert scene.brand
    monkeypatch.setattr(printing, "LOOK_EVERY_S", 0.01)
    client = sign_in(Role.VIEWER)
    assert client.get("/api/v1/reports/responses.pdf?brand=acme").status_code == 202
    asked: list[bool] = []

    def is_stopping() -> bool:
        asked.append(True)
        return len(asked) > 1

    assert make_files(sessions, clock=clock, public_url="", is_stopping=is_stopping) == 0
    assert only_file(sessions).state is FileState.QUEUED
    assert make(sessions, clock) == 1
