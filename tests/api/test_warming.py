"""The first pages are made before anybody asks."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from api.pages import templates
from api.warming import PAGES, keep_what_is_there, warm_up
from tests.api.conftest import SignIn
from tests.api.scene import Scene


@pytest.fixture
def app(client: TestClient) -> FastAPI:
    found = client.app
    assert isinstance(found, FastAPI)
    return found


def test_no_template_is_compiled_for_a_page_after_the_start(
    app: FastAPI, sign_in: SignIn, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert templates.env.cache is not None
    templates.env.cache.clear()

    assert warm_up(app) == len(PAGES) + 1

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("a template was compiled")

    monkeypatch.setattr(templates.env, "compile", refuse)
    client = sign_in(Role.ADMIN)
    for page in ("/queue", f"/incidents/{scene.incident}", "/board", f"/mentions/{scene.first}"):
        assert client.get(page).status_code == 200


def test_nobody_is_signed_in_by_it_and_nothing_is_written(
    app: FastAPI, client: TestClient, sessions: sessionmaker[Session], scene: Scene
) -> None:
    assert scene.incident
    with sessions() as session:
        before = len(session.scalars(select(AuditEvent)).all())

    warm_up(app)

    assert client.get("/queue", follow_redirects=False).status_code == 303
    assert client.get("/api/v1/queue").status_code == 401
    with sessions() as session:
        assert len(session.scalars(select(AuditEvent)).all()) == before


def test_a_page_that_fails_does_not_hold_up_the_start(
    app: FastAPI, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("api.console.queue.open_flags", fail)

    assert scene.incident
    assert warm_up(app) == len(PAGES)


def test_what_was_there_at_the_start_is_not_collected_again() -> None:
    before = gc.get_freeze_count()
    try:
        keep_what_is_there()

        assert gc.get_freeze_count() > before + 100_000
    finally:
        gc.unfreeze()
