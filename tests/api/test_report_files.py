"""PDF files of reports: asked for, made by whoever works, fetched by who may."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.models import Role
from api.report_making import make_files, making_files
from api.reports import pdf, printing
from api.reports.printing import print_apart
from api.worker import Worker
from config.clock import utc_now
from config.errors import InputError, PermanentError, TransientError
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from crm_link.reporting.file_making import AGAIN_AFTER, LEASE, LeftOffError
from crm_link.reporting.models import FileState, ReportFile
from sentiment.scorer import make_scorer
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene

PAGE = b'<html lang="en"><title>T</title><h1>Acme</h1></html>'

#: A page that takes longer to print than a test to find what prints it.
LONG_PAGE = b"<html>" + b"<p>Acme was said to be late again.</p>" * 20_000 + b"</html>"

#: Seconds that a file may take where others use the machine.
PATIENCE_S = 90


def make(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    return make_files(sessions, clock=clock, public_url="https://pr.example.org")


def only_file(sessions: sessionmaker[Session]) -> ReportFile:
    with sessions() as session:
        return session.scalars(select(ReportFile)).one()


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, f"it took longer than {PATIENCE_S} s"
        time.sleep(0.05)


def unpacked(content: bytes) -> bytes:
    """Return what stands in a PDF's compressed parts."""
    found = b""
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found += zlib.decompress(part)
        except zlib.error:
            continue
    return found


def children() -> list[int]:
    """Return the processes that this one has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, state, parent = re.split(r" \(.*\) | ", status.read_text())[:3]
        except (OSError, ValueError):
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(pid))
    return found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("incidents/{incident}/report.pdf", "incident-{incident}-report.pdf"),
        ("reports/weekly.pdf?brand=acme", "acme-weekly-2026-02-23.pdf"),
    ],
)
def test_the_api_says_where_the_file_will_be_and_gives_it_there(
    sign_in: SignIn,
    scene: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    path: str,
    name: str,
) -> None:
    client = sign_in(Role.VIEWER)
    path = f"/api/v1/{path.format_map(vars(scene))}"

    asked = client.get(path)
    assert asked.status_code == 202, asked.text
    body = asked.json()
    assert body == {"id": body["id"], "state": "queued", "address": asked.headers["location"]}
    assert int(asked.headers["retry-after"]) >= 1
    assert client.get(path).json() == body
    assert client.get(body["address"]).json() == body
    assert make(sessions, clock) == 1

    for address in (path, body["address"]):
        given = client.get(address)
        assert given.status_code == 200
        assert given.headers["content-type"] == "application/pdf"
        assert given.headers["content-disposition"].endswith(
            f'filename="{name.format_map(vars(scene))}"'
        )
        assert given.content.startswith(b"%PDF-")
    assert make(sessions, clock) == 0


def test_the_console_makes_nothing_for_who_only_looks_and_leads_to_the_file(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    client = sign_in(Role.VIEWER)
    client.headers["Accept-Language"] = "es"
    link = f"/incidents/{scene.incident}/report.pdf"

    assert "Hacer el PDF" in client.get(link).text
    assert "Hacer el PDF" in client.get("/reports/responses.pdf?brand=acme").text
    assert make(sessions, clock) == 0
    form = {"kind": "incident", "incident": str(scene.incident)}
    assert client.post("/reports/files", data=form | {"incident": ""}).status_code == 422
    address = client.post("/reports/files", data=form).headers["location"]
    assert "El PDF espera su turno" in client.get(address).text
    assert client.get(link).headers["location"] == address
    assert client.get(f"{address}.pdf").headers["location"] == address
    part = {"HX-Request": "true"}
    assert client.get(f"{address}?seen=queued", headers=part).status_code == 204
    assert "<html" not in client.get(f"{address}?seen=making", headers=part).text
    assert make(sessions, clock) == 1

    assert "Descargar el PDF" in client.get(address).text
    for path in (link, f"{address}.pdf"):
        given = client.get(path)
        assert given.headers["content-type"] == "application/pdf"
        # It is in the language of who asked, not of who makes it.
        assert b"/Lang (es)" in given.content + unpacked(given.content)
    again = client.post(f"{address}/again").headers["location"]
    assert again != address
    assert "El PDF espera su turno" in client.get(again).text


def test_a_file_that_cannot_be_made_says_why_and_is_tried_again_when_somebody_says_so(
    sign_in: SignIn,
    scene: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    client = sign_in(Role.VIEWER)
    (tmp_path / "weasyprint.py").write_text("raise ImportError")
    with monkeypatch.context() as missing:
        missing.syspath_prepend(tmp_path)
        address = client.post("/reports/files", data={"kind": "responses", "brand": "acme"})
        assert make(sessions, clock) == 0
    page = client.get(address.headers["location"]).text
    assert "The PDF could not be made: PDF needs WeasyPrint" in page

    answer = client.get("/api/v1/reports/responses.pdf?brand=acme")
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == pdf.HOW
    assert client.post(f"{address.headers['location']}/again").status_code == 303
    assert make(sessions, clock) == 1
    assert client.get("/api/v1/reports/responses.pdf?brand=acme").status_code == 200
    assert scene.brand


def test_names_of_contacts_are_for_who_may_ask_for_them(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    viewer, manager = sign_in(Role.VIEWER), sign_in(Role.COMMUNITY_MANAGER)
    path = f"/incidents/{scene.incident}/report.pdf?people=true"
    form = {"kind": "incident", "incident": str(scene.incident), "people": "true"}
    assert manager.get(f"/api/v1{path}").status_code == 202
    assert make(sessions, clock) == 1
    file_id = only_file(sessions).id

    for address in (path, f"/api/v1{path}", f"/api/v1/report-files/{file_id}"):
        assert manager.get(address).status_code == 200
        assert viewer.get(address).status_code == 403
    assert viewer.get(f"/reports/files/{file_id}.pdf").status_code == 403
    assert viewer.post(f"/reports/files/{file_id}/again").status_code == 403
    assert viewer.post("/reports/files", data=form).status_code == 403
    # Without names it is another file.
    assert viewer.get(f"/api/v1/incidents/{scene.incident}/report.pdf").status_code == 202


def test_who_sees_some_brands_gets_their_own_files_only(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    admin = sign_in(Role.ADMIN)
    path = f"/api/v1/incidents/{scene.incident}/report.pdf"
    every = admin.get(path).json()["id"]

    body = {"name": "Acme", "brands": ["acme"], "members": [scene.users[Role.PR_LEAD]]}
    assert admin.post("/api/v1/teams", json=body).status_code == 201
    lead = sign_in(Role.PR_LEAD)
    # A file that was made for somebody who sees more may hold more.
    assert lead.get(f"/api/v1/report-files/{every}").status_code == 404
    own = lead.get(path).json()["id"]
    assert own != every
    assert make(sessions, clock) == 2
    assert lead.get(f"/api/v1/report-files/{own}").status_code == 200
    assert admin.get(f"/reports/files/{own}.pdf").status_code == 200
    assert admin.get(path).status_code == 200


def test_a_review_is_in_the_file_that_is_asked_for_after_it(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    client = sign_in(Role.PR_LEAD)
    incident = f"/api/v1/incidents/{scene.incident}"
    assert client.post(f"/incidents/{scene.incident}/resolve", data={"reason": "x"}).is_redirect
    assert client.get(f"{incident}/report.pdf").status_code == 202
    assert make(sessions, clock) == 1
    body = {"fields": {"lessons": "Answer within the hour."}}
    assert client.put(f"{incident}/review", json=body).status_code == 200

    assert client.get(f"{incident}/report.pdf").status_code == 202


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
