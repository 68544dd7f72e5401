"""An erased person stands on no page, in no answer, no export, no file and no log any more."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from config.settings import Settings
from crm_link.contacts.exports import export_contacts, export_links
from crm_link.escalation.exports import export_incidents
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.privacy.erasure import run_open_erasures
from listener.exports import export_mentions
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene
from tests.api.walking import Extras, add_extras, addresses, read, write_files
from tests.crm_link.privacy.grep import grep_database, grep_files

HANDLE, NAME, EMAIL, PHONE, SITE = (
    *("ines_o", "Ines Okafor", "ines@example.org"),
    *("+34600000001", "ines.example.org"),
)
WORDS = (HANDLE, NAME, EMAIL, PHONE, SITE)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    write_files(home)
    return settings.model_copy(update={"home": home, "crm": "csv_file"})


@pytest.fixture
def extras(sessions: sessionmaker[Session], scene: Scene, clock: MovableClock) -> Extras:
    words = f"{NAME} (@{HANDLE}, {EMAIL}, {PHONE})"
    with sessions.begin() as session:  # somebody else's record keeps what is theirs too
        other = session.scalars(select(Contact).where(Contact.external_id == "C-1002")).one()
        other.emails, other.phones = ["jo@example.org"], ["+34600000002"]
    return add_extras(sessions, scene, clock.now, words)


def test_nothing_that_can_be_read_names_the_person(
    sign_in: SignIn,
    scene: Scene,
    extras: Extras,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    admin = sign_in(Role.ADMIN)
    write_about(admin, scene)
    give_up(sessions, clock)
    before = {route for route, _, words in _naming(admin, scene, extras) if words}
    # What is looked for afterwards is there to be found.
    assert len(before) > 25
    assert {
        "/api/v1/figures/people",
        "/api/v1/on-call/overrides",
        "/api/v1/drills/{drill_id}",
        "/people/segments/{name}.csv",
        "/incidents/{incident_id}/report.{form}",
        "/reports/files/{file_id}.pdf",
        "/api/v1/report-files/{file_id}",
        "/admin/crm",
    } <= before
    assert len(list(_exports(sessions, tmp_path / "before"))) == 4

    whom = {"author": f"x:@{HANDLE}", "whole_person": True}
    assert admin.post("/api/v1/privacy/export", json=whom).status_code == HTTPStatus.OK
    asked = admin.post("/api/v1/privacy/erasures", json=whom | {"reason": "ticket 881"})
    assert asked.status_code == 202, asked.text
    assert run_open_erasures(sessions, clock=clock) == 1

    assert [found for found in _naming(admin, scene, extras) if found[2]] == []
    assert list(_exports(sessions, tmp_path / "after")) == []
    assert grep_database(sessions, *WORDS) == []
    assert grep_files(tmp_path / "home", *WORDS) == []
    said = capsys.readouterr()
    logged = said.out + said.err + caplog.text
    assert [word for word in WORDS if word in logged] == []


def test_who_was_told_of_stands_in_the_audit_log_by_number(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    assert scene.brand
    admin = sign_in(Role.ADMIN)
    for whom in ({"author": f"x:@{HANDLE}", "whole_person": True}, {"contact": "csv_file:C-1001"}):
        assert admin.post("/api/v1/privacy/export", json=whom).status_code == HTTPStatus.OK

    with sessions() as session:
        told = session.scalars(
            select(AuditEvent.subject).where(AuditEvent.action == "person exported")
        ).all()

    assert [one.split()[0] for one in told] == ["author", "contact"]
    assert [word for word in WORDS if word in " ".join(told)] == []


def write_about(admin: TestClient, scene: Scene) -> None:
    """Let people write the person's name where they write."""
    words = f"{NAME}, @{HANDLE}, {EMAIL}"
    incident = f"/incidents/{scene.incident}"
    for path, form in (
        (f"{incident}/note", {"text": words}),
        (f"{incident}/shares", {"name": NAME}),
        (f"{incident}/resolve", {"reason": words}),
        (f"{incident}/review", {"lessons": words}),
        ("/queue/changes", {"act": "done", "ids": str(scene.first), "note": words}),
    ):
        answer = admin.post(path, data=form)
        assert answer.status_code in {HTTPStatus.OK, HTTPStatus.SEE_OTHER}, (path, answer.text)


def give_up(sessions: sessionmaker[Session], clock: MovableClock) -> None:
    """Let the person's record be refused by the CRM, which names them."""
    with sessions.begin() as session:
        contact = session.scalars(select(Contact).where(Contact.name == NAME)).one()
        session.execute(delete(WriteBack))
        session.add(
            WriteBack(
                crm=contact.crm,
                external_id=contact.external_id,
                contact_id=contact.id,
                fields={"groundswell_handles": f"x:{HANDLE}"},
                status=DeliveryStatus.DEAD,
                last_error=f"the CRM has no such contact {EMAIL}",
                next_attempt_at=clock.now,
                created_at=clock.now,
            )
        )


def _naming(
    client: TestClient, scene: Scene, extras: Extras
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield route, address and the words of the person that its answer has."""
    for route, path, query in addresses(scene, extras):
        answer = read(client, path, query)
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, path
        yield route, path, [word for word in WORDS if word in answer.text]


def _exports(sessions: sessionmaker[Session], folder: Path) -> Iterator[str]:
    """Yield the exports that name the person."""
    folder.mkdir()
    export_mentions(sessions, folder / "mentions.jsonl")
    export_contacts(sessions, folder / "contacts.jsonl")
    export_links(sessions, folder / "links.jsonl")
    export_incidents(sessions, folder / "incidents.jsonl")
    yield from sorted({found.partition(":")[0] for found in grep_files(folder, *WORDS)})
