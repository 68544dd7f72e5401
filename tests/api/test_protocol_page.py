"""The protocol in the console: the plan, edits that are checked, and versions with who and why."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from config.held_file import HeldFile
from config.settings import Settings
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.protocol_parts.edit import read_text, write_text
from crm_link.escalation.protocol_parts.history import Sight, list_edits, record_sight
from tests.api.conftest import NOW, SignIn
from tests.api.scene import Scene

BRANDS = """\
version: 1
brands:
  - id: acme
    name: Acme
    query: acme
    protocol: protocol.yaml
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"home": tmp_path})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "brands.yaml").write_text(BRANDS, "utf-8")
    path = tmp_path / "protocol.yaml"
    path.write_bytes(files("config").joinpath("defaults", "demo_protocol.yaml").read_bytes())
    path.chmod(0o640)
    return path


def _open(client: TestClient) -> tuple[str, str]:
    """Return the file's text and the digest that an edit has to name."""
    page = client.get("/protocol/edit?brand=acme")
    assert page.status_code == 200, page.text
    base = re.search(r'name="base" value="([0-9a-f]{64})"', page.text)
    assert base is not None
    return page.text, base[1]


def _save(client: TestClient, text: str, base: str, why: str = "a new phone") -> tuple[int, str]:
    form = {"brand": "acme", "text": text.replace("\n", "\r\n"), "base": base, "why": why}
    answer = client.post("/protocol", data=form, headers={"HX-Request": "true"})
    return answer.status_code, answer.text


def test_the_plan_says_who_is_told_when_and_what_is_done_and_said(
    sign_in: SignIn, scene: Scene
) -> None:
    assert scene.users
    page = sign_in(Role.VIEWER).get("/protocol").text

    for there in ("SEV-1", "Ben Roth", "Readiness", "Who is told when", "What is done", "Versions"):
        assert there in page
    assert "/protocol/edit" not in page


def test_an_edit_is_written_kept_with_who_and_why_and_in_force(
    sign_in: SignIn, scene: Scene, file: Path, sessions: sessionmaker[Session], app: FastAPI
) -> None:
    assert app
    lead = sign_in(Role.PR_LEAD)
    before = file.read_text("utf-8")
    _, base = _open(lead)
    text = before.replace("Ben Roth", "Bea Roth")
    assert text != before

    status, _ = _save(lead, text, base)

    assert status == 303
    assert file.read_text("utf-8") == text
    assert oct(file.stat().st_mode & 0o777) == "0o640"
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".p")] in (
        [],
        [".protocol.yaml.lock"],
    )
    with sessions() as session:
        (edit,) = list_edits(session, scene.brand)
        protocol = protocol_in_force(session, scene.brand)
    assert (edit.by, edit.why) == ("pr_lead@example.org", "a new phone")
    assert any(one.name == "Bea Roth" for one in protocol.contacts)
    with sessions.begin() as session:
        # The worker sees the same file afterwards: it is no second edit.
        seen = Sight(scene.brand, protocol, file.name, "root")
        assert record_sight(session, seen, NOW) is False
    page = lead.get("/protocol").text
    assert "a new phone" in page
    version = lead.get(f"/protocol/versions/{edit.id}")
    assert "first version" in version.text


def test_a_version_shows_what_changed(sign_in: SignIn, scene: Scene, file: Path) -> None:
    assert scene.users
    lead = sign_in(Role.PR_LEAD)
    text = file.read_text("utf-8")
    for name in ("Bea Roth", "Bo Roth"):
        _, base = _open(lead)
        text = re.sub(r"Be[na] Roth", name, text)
        assert _save(lead, text, base)[0] == 303

    version = lead.get("/protocol/versions/2").text

    assert "<del>Bea Roth</del>" in version
    assert "<ins>Bo Roth</ins>" in version
    assert lead.get("/protocol/versions/99").status_code == 404
    assert sign_in(Role.VIEWER).get("/protocol/versions/2").status_code == 403


def test_a_broken_edit_is_refused_with_its_line_and_what_to_do(
    sign_in: SignIn, scene: Scene, file: Path, sessions: sessionmaker[Session]
) -> None:
    lead = sign_in(Role.PR_LEAD)
    before = file.read_text("utf-8")
    _, base = _open(lead)
    broken = before.replace("contacts:", "contcats:", 1)
    line = broken[: broken.index("contcats:")].count("\n") + 1

    status, said = _save(lead, broken, base)
    checked = lead.post("/protocol/check", data={"text": broken}).text

    assert status == 422
    assert f"line {line}" in said
    assert "contacts" in said
    assert f'data-line="{line}"' in checked
    assert "It can be saved" in lead.post("/protocol/check", data={"text": before}).text
    assert file.read_text("utf-8") == before
    with sessions() as session:
        assert list_edits(session, scene.brand) == []


def test_an_edit_of_a_file_that_changed_meanwhile_is_refused(
    sign_in: SignIn, scene: Scene, file: Path
) -> None:
    assert scene.users
    lead = sign_in(Role.PR_LEAD)
    mine = file.read_text("utf-8") + "# mine\n"
    _, base = _open(lead)
    file.write_text(file.read_text("utf-8") + "# theirs\n", "utf-8")

    status, said = _save(lead, mine, base)

    assert status == 409
    assert "changed by somebody else" in said
    assert file.read_text("utf-8").endswith("# theirs\n")
    _, fresh = _open(lead)
    assert _save(lead, file.read_text("utf-8"), fresh)[0] == 409
    assert _save(lead, mine, fresh, why=" ")[0] == 422
    assert _save(lead, mine, fresh)[0] == 303


def test_a_brand_without_a_file_says_so(sign_in: SignIn, scene: Scene) -> None:
    assert scene.users
    lead = sign_in(Role.PR_LEAD)

    assert "no protocol file on this machine" in lead.get("/protocol").text
    assert lead.get("/protocol/edit?brand=acme").status_code == 404


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, file: Path) -> None:
    base = read_text(file).digest
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(Exception, match="cannot be written"):
            write_text(HeldFile(file), file.read_text("utf-8") + "# x\n", base=base)
    finally:
        tmp_path.chmod(0o700)


def test_line_ends_and_links_stay_as_they_are(tmp_path: Path, file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    found = read_text(link)

    write_text(HeldFile(link), found.text + "# one more", base=found.digest)

    assert link.is_symlink()
    assert file.read_bytes().endswith(b"# one more\r\n")
    assert b"\n\n" not in file.read_bytes().replace(b"\r\n\r\n", b"")
