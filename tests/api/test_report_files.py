"""PDF files of reports: asked for, and fetched by who may."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from api.reports import pdf
from tests.api.conftest import MovableClock, SignIn
from tests.api.report_waiting import (
    make,
    only_file,
    unpacked,
)
from tests.api.scene import Scene


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
