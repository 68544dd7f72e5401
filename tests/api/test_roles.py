"""Who may do what: one table for every route, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount, Route

from api.models import Role
from tests.api.conftest import SignIn
from tests.api.least_roles import LEAST_ROLE

NOT_THERE = "999999"


def _walk(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            continue  # static files
        if isinstance(route, Route):
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
                yield method, prefix + route.path
            continue
        context = getattr(route, "include_context", None)
        inner = getattr(route, "original_router", None)
        assert inner is not None, f"this test does not know routes like {route!r}"
        yield from _walk(inner.routes, prefix + (context.prefix if context else ""))


def test_every_route_is_in_the_table(app: FastAPI) -> None:
    assert set(_walk(app.routes)) == set(LEAST_ROLE)


def _send(client: TestClient, method: str, path: str) -> int:
    names = ("mention_id", "incident_id", "link_id", "user_id", "key_id", "contact_id")
    for name in (
        *names,
        "claim_id",
        "statement_id",
        "override_id",
        "silence_id",
        "share_id",
        "edit_id",
        "drill_id",
        "team_id",
        "consent_id",
        "erasure_id",
        "token",
        "batch",
        "view_id",
        "reply_id",
        "file_id",
    ):
        path = path.replace(f"{{{name}}}", NOT_THERE)
    return client.request(method, path).status_code


@pytest.mark.parametrize("role", list(Role))
def test_each_route_lets_in_who_may_and_nobody_else(sign_in: SignIn, role: Role) -> None:
    client = sign_in(role)
    order = list(Role)

    wrong = []
    for (method, path), least in LEAST_ROLE.items():
        if least is None:
            continue
        status = _send(client, method, path)
        may = order.index(role) >= order.index(least)
        if (status == 403) is may or status == 401:
            wrong.append((method, path, status))

    assert wrong == []


def test_nobody_gets_anywhere_without_signing_in(client: TestClient) -> None:
    wrong = []
    for (method, path), least in LEAST_ROLE.items():
        status = _send(client, method, path)
        if least is not None and status != (401 if path.startswith("/api/") else 303):
            wrong.append((method, path, status))

    assert wrong == []
