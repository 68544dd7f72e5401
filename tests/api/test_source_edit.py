"""Sources are added, changed, taken out and read now, in the console and by the API."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from config.settings import Settings
from listener.collector import collector_names
from listener.models import Source
from tests.api.conftest import SignIn

_FILE = """\
version: 1
brands:
  - id: acme
    name: Acme
    query: acme
    sources:
      - {platform: x, name: x-search, every: 60s}
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "brands.yaml").write_text(_FILE, "utf-8")
    return settings.model_copy(update={"home": tmp_path})


def _source(sessions: sessionmaker[Session], name: str) -> Source:
    with sessions() as session:
        return session.scalars(select(Source).where(Source.name == name)).one()


def test_an_admin_adds_a_source_changes_it_and_takes_it_out(
    sign_in: SignIn, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    client = sign_in(Role.ADMIN)
    path = "/listening/acme/source"
    assert path in client.get("/listening").text
    choice = client.get(path).text
    assert all(f"?platform={name}" in choice for name in collector_names())
    form = client.get(path, params={"platform": "rss"}).text
    assert 'name="option_url"' in form

    filled = {"platform": "rss", "name": "press", "every": "10m"}
    url = {"option_url": "https://example.org/feed.xml"}
    answer = client.post(path, data=filled | url)

    assert answer.status_code == 303
    assert _source(sessions, "press").options == {"url": "https://example.org/feed.xml"}
    assert "name: press" in (tmp_path / "brands.yaml").read_text("utf-8")
    shown = client.get(path, params={"name": "press"}).text
    found = re.search(r'name="version" value="(\w+)"', shown)
    assert found is not None
    seen = {"before": "press", "version": found[1]}
    assert client.post(path, data=filled | url | seen | {"every": "1h"}).status_code == 303
    assert _source(sessions, "press").every_s == 3600
    late = client.post(f"{path}/remove", data=seen)
    assert late.status_code == 409
    fresh = client.get("/api/v1/brands/acme/sources/press").json()["version"]
    assert client.post(f"{path}/remove", data=seen | {"version": fresh}).status_code == 303
    assert not _source(sessions, "press").is_active
    with sessions() as session:
        actions = set(session.scalars(select(AuditEvent.action)))
    assert {"source added", "source changed", "source removed"} <= actions


def test_what_is_wrong_is_said_and_nothing_is_written(sign_in: SignIn, tmp_path: Path) -> None:
    client = sign_in(Role.ADMIN)

    wrong = client.post(
        "/listening/acme/source",
        data={"platform": "rss", "name": "press", "every": "5", "option_url": "ftp://x"},
    )

    assert wrong.status_code == 422
    assert "is no duration" in wrong.text
    assert (tmp_path / "brands.yaml").read_text("utf-8") == _FILE


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        (
            {"platform": "rss", "every": "5", "option_url": "ftp://x"},
            "5m, 1h, 1h 30m o 2d\nDirección del canal (RSS o Atom): debe ser una dirección web",
        ),
        (
            {"platform": "rss", "every": "0s"},
            "debe ser al menos 1s\nDirección del canal (RSS o Atom): falta",
        ),
        (
            {"platform": "reddit", "every": "5m", "option_kind": "x", "option_limit": "500"},
            "no es ninguno de: 'search', 'comments', 'inbox'\nElementos por petición: debe ser",
        ),
        ({"platform": "reddit", "option_limit": "many"}, "no es un número entero"),
        ({"platform": "reddit", "option_subreddits": "a b"}, "no es el nombre de un subreddit"),
        ({"platform": "x", "option_kind": "mentions"}, "las menciones necesitan"),
        ({"platform": "x", "every": "5m", "name": "x-search"}, "hay dos fuentes «x-search»"),
        ({"platform": "file", "option_path": "a", "option_timezone": "Mars/Base"}, "zona horaria"),
        ({"platform": "file", "option_path": "a", "option_posts_from": "A B"}, "solo letras minús"),
        ({"platform": "carrier_pigeon"}, "no existe ningún recolector llamado «carrier_pigeon»"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_what_is_wrong_is_said_in_spanish_under_its_label(
    sign_in: SignIn, filled: dict[str, str], said: str
) -> None:
    client = sign_in(Role.ADMIN)

    wrong = client.post(
        "/listening/acme/source", data=filled, headers={"Accept-Language": "es", "HX-Request": "1"}
    )

    assert wrong.status_code == 422
    assert said in unescape(wrong.text)


def test_options_of_every_kind_are_filled_in(
    sign_in: SignIn, sessions: sessionmaker[Session]
) -> None:
    client = sign_in(Role.ADMIN)
    path = "/listening/acme/source"

    client.post(
        path,
        data={
            "platform": "reddit",
            "every": "5m",
            "option_kind": "comments",
            "option_subreddits": "gadgets, coffee",
            "option_limit": "50",
        },
    )
    client.post(
        path,
        data={"platform": "file", "every": "5m", "option_path": "in/*.csv", "option_match": "true"},
    )

    assert _source(sessions, "reddit").options == {
        "kind": "comments",
        "subreddits": ["gadgets", "coffee"],
        "limit": 50,
    }
    assert _source(sessions, "file").options == {"path": "in/*.csv", "match": True}
    shown = client.get(path, params={"name": "reddit"}).text
    assert 'value="gadgets, coffee"' in shown
    assert '<option value="comments" selected>' in shown


def test_a_source_is_read_now(sign_in: SignIn, sessions: sessionmaker[Session]) -> None:
    client = sign_in(Role.PR_LEAD)
    source = _source(sessions, "x-search")
    assert source.next_due_at is not None
    assert f"/sources/{source.id}/read" in client.get("/sources").text

    assert client.post(f"/sources/{source.id}/read").status_code == 303

    assert _source(sessions, "x-search").next_due_at is None
    assert client.post("/sources/999999/read").status_code == 404


def test_the_api_does_the_same(sign_in: SignIn, sessions: sessionmaker[Session]) -> None:
    client = sign_in(Role.ADMIN)
    path = "/api/v1/brands/acme/sources"
    feed = {"platform": "rss", "name": "press", "options": {"url": "https://example.org/a"}}

    assert client.post(path, json=feed).status_code == 201
    seen = client.get(f"{path}/press").json()
    assert seen["every"] == "5m"
    changed = feed | {"every": "1h", "version": seen["version"]}
    assert client.put(f"{path}/press", json=changed).status_code == 200
    assert client.put(f"{path}/press", json=changed).status_code == 409
    version = client.get(f"{path}/press").json()["version"]
    assert client.delete(f"{path}/press", params={"version": version}).status_code == 200
    assert client.get(f"{path}/press").status_code == 404
    source = _source(sessions, "x-search")
    assert client.post(f"/api/v1/sources/{source.id}/read").status_code == 202
