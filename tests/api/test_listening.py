"""Queries: looked at, tried, costed and changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from config.settings import Settings
from listener.models import Brand
from tests.api.conftest import SignIn

_QUERY = 'acme OR "acme coffee"'
_FILE = f"""\
version: 1
brands:
  - id: acme
    name: Acme
    query: '{_QUERY}'
    names: [Acme]
    sources:
      - {{platform: x, name: x-search, every: 60s}}
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "brands.yaml").write_text(_FILE, "utf-8")
    return settings.model_copy(update={"home": tmp_path})


def test_a_query_is_looked_at_and_tried(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)
    path = "/api/v1/brands/acme/query"

    wrong = client.post(f"{path}/check", json={"query": "acme OR ("}).json()
    assert "^" in wrong["problem"]
    tried = client.post(f"{path}/preview", json={"query": "refund"}).json()
    assert tried["preview"]["found"] == 10
    assert tried["preview"]["lost_count"] > 20
    assert [one["name"] for one in tried["costs"]] == ["reddit-search", "x-search"]
    assert client.post(f"{path}/preview", json={"query": "("}).status_code == 422
    part = client.post("/listening/acme/check", data={"query": "a"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "very short" in part.text or "large share" in part.text


def test_an_admin_changes_a_query_in_the_file_and_in_use(
    sign_in: SignIn, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    client = sign_in(Role.ADMIN)
    assert "Save and use it" in client.get("/listening/acme").text
    assert "Save and use it" not in sign_in(Role.PR_LEAD).get("/listening/acme").text

    answer = client.post("/listening/acme", data={"query": "acme -meme", "before": _QUERY})

    assert answer.status_code == 303
    assert "query: 'acme -meme'" in (tmp_path / "brands.yaml").read_text("utf-8")
    with sessions() as session:
        assert session.scalars(select(Brand.query).where(Brand.key == "acme")).one() == "acme -meme"
        assert "query changed" in session.scalars(select(AuditEvent.action)).all()
    again = client.put("/api/v1/brands/acme/query", json={"query": "acme", "before": _QUERY})
    assert again.status_code == 409


def test_without_a_file_the_page_says_where_to_edit(sign_in: SignIn, tmp_path: Path) -> None:
    (tmp_path / "brands.yaml").unlink()

    page = sign_in(Role.ADMIN).get("/listening/acme").text

    assert "Save and use it" not in page
    assert "edit the query where the file is kept" in page
