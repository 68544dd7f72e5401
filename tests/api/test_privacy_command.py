"""`groundswell privacy` as a data protection officer uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from api.cli import app
from api.models import AuditEvent
from config.db import make_engine, make_sessions
from config.migrate import upgrade
from crm_link.service import link_mentions
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.make import NOW

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", CONTEXT.secret_key)
    engine = make_engine(f"sqlite:///{tmp_path / 'groundswell.db'}")
    upgrade(engine)
    sessions = make_sessions(engine)
    sync(sessions, make_record("c1", name="Jane Tavares", emails=("jane@example.com",)))
    profile = {"handle": "janet7", "external_id": "900011", "bio": "jane@example.com"}
    mention_id, _ = add_mention(sessions, profile, text="Acme, I am Jane Tavares")
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    engine.dispose()
    return lambda *words: CliRunner().invoke(app, ["privacy", *words])


def test_a_person_is_exported_and_erased(run: Run, tmp_path: Path) -> None:
    whom = ("--author", "mastodon:janet7", "--person")
    assert run("export", *whom, "--out", str(tmp_path / "jane.json")).exit_code == 0
    held = json.loads((tmp_path / "jane.json").read_text("utf-8"))
    assert held["accounts"][0]["handle"] == "janet7"
    assert held["posts"][0]["text"] == "Acme, I am Jane Tavares"
    assert held["records"][0]["emails"] == ["jane@example.com"]
    [link] = held["links"]
    assert link["state"] == "confirmed"
    assert link["evidence"]
    assert held["history_of_links"]
    assert held["sources"] == [
        "CRM csv_file, relationship not said",
        "mastodon, an imported file",
    ]
    assert "log2(m/u)" in held["logic_of_the_match"]

    dry = run("erase", *whom)
    assert dry.exit_code == 0
    assert "nothing was changed" in dry.output
    refused = run("erase", *whom, "--yes")
    assert refused.exit_code != 0
    done = run("erase", *whom, "--yes", "--reason", "letter 12")
    assert done.exit_code == 0, done.output
    assert "CRM csv_file" in done.output
    assert run("erase", *whom, "--yes", "--reason", "again").exit_code == 0
    assert "done" in run("list").output
    assert "all other rows" in run("resume", "1").output
    assert run("export", *whom).exit_code != 0

    assert b"janet7" not in (tmp_path / "groundswell.db").read_bytes()
    sessions = make_sessions(make_engine(f"sqlite:///{tmp_path / 'groundswell.db'}"))
    with sessions() as session:
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all() == [
            "person exported",
            "erasure requested",
            "erasure requested",
        ]
