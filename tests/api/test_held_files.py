"""Who waits for a file that somebody else changes keeps nobody from the database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from config.errors import ConflictError
from config.held_file import HeldFile, hold_file
from config.settings import Settings
from tests.api.conftest import SignIn
from tests.api.scene import Scene
from tests.api.walking import write_files

#: Seconds in which a request that begins its transaction too early has begun it.
_WAITS_S = 0.5


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    write_files(tmp_path)
    return settings.model_copy(update={"home": tmp_path})


def _save_query(client: TestClient) -> Callable[[], int]:
    form = {"query": "acme OR acne", "before": "acme"}
    return lambda: client.post("/listening/acme", data=form).status_code


def _add_source(client: TestClient) -> Callable[[], int]:
    form = {"platform": "rss", "name": "press", "option_url": "https://example.org/feed.xml"}
    return lambda: client.post("/listening/acme/source", data=form).status_code


def _drop_source(client: TestClient) -> Callable[[], int]:
    version = client.get("/api/v1/brands/acme/sources/x-search").json()["version"]
    form = {"before": "x-search", "version": version}
    return lambda: client.post("/listening/acme/source/remove", data=form).status_code


def _save_protocol(client: TestClient) -> Callable[[], int]:
    page = client.get("/protocol/edit?brand=acme").text
    found = re.search(r'name="base" value="(\w+)"', page)
    assert found is not None
    text = Path(client.app.state.groundswell.settings.home / "protocol.yaml").read_text("utf-8")  # type: ignore[attr-defined]
    form = {"brand": "acme", "text": f"{text}# more\n", "base": found[1], "why": "more"}
    return lambda: client.post("/protocol", data=form).status_code


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_save_query, "brands.yaml"),
        (_add_source, "brands.yaml"),
        (_drop_source, "brands.yaml"),
        (_save_protocol, "protocol.yaml"),
    ],
)
def test_a_change_waits_for_its_file_before_its_transaction(
    sign_in: SignIn,
    sessions: sessionmaker[Session],
    scene: Scene,
    tmp_path: Path,
    make: Callable[[TestClient], Callable[[], int]],
    name: str,
) -> None:
    assert scene.brand
    change = make(sign_in(Role.ADMIN))
    begun: list[str] = []
    with sessions() as session:
        engine = session.get_bind()

    def note(connection: object) -> None:
        options = connection.get_execution_options()  # type: ignore[attr-defined]
        begun.append("read" if options.get("groundswell_read_only") else "write")

    event.listen(engine, "begin", note)
    with ThreadPoolExecutor(1) as pool:
        with hold_file(tmp_path / name):
            answer = pool.submit(change)
            time.sleep(_WAITS_S)
            assert not answer.done()
            assert "write" not in begun
        assert answer.result() == 303
    event.remove(engine, "begin", note)
    assert "write" in begun


def test_a_file_is_held_by_one_at_a_time_also_by_its_other_names(tmp_path: Path) -> None:
    file, link = tmp_path / "file.yaml", tmp_path / "link.yaml"
    file.write_text("x", "utf-8")
    link.symlink_to(file)

    with (
        hold_file(link) as held,
        pytest.raises(ConflictError, match=r"file\.yaml"),
        hold_file(file, timeout_s=0.1),
    ):
        pass
    with hold_file(file):
        assert held == HeldFile(link)
