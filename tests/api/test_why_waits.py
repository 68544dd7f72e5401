"""Nobody waits for a model: *Why?* says at once that it is being loaded, and comes when it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from api import why
from api.models import Role
from config.errors import InputError
from config.settings import Settings
from sentiment.late_scorer import LateScorer
from sentiment.scorer import Scorer
from tests.api.scene import Scene

SignIn = Callable[[Role], TestClient]


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "_LOADING", {})


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let a scorer take until the event is set to load, as a big model does."""
    ready, load = threading.Event(), LateScorer.load

    def load_late(scorer: LateScorer) -> Scorer:
        ready.wait(30)
        return load(scorer)

    monkeypatch.setattr(LateScorer, "load", load_late)
    yield ready
    ready.set()


def _wait_until_loaded(client: TestClient, path: str) -> None:
    until = time.monotonic() + 30
    while client.get(path).status_code == 503 and time.monotonic() < until:
        time.sleep(0.05)


def test_the_api_says_at_once_when_to_ask_again(
    sign_in: SignIn, scene: Scene, slow_disk: threading.Event
) -> None:
    client = sign_in(Role.VIEWER)
    path = f"/api/v1/mentions/{scene.first}/why"

    begin = time.monotonic()
    early = client.get(path)
    took_s = time.monotonic() - begin

    assert (early.status_code, early.json()["error"]["kind"]) == (503, "unavailable")
    assert int(early.headers["Retry-After"]) <= 3
    assert took_s < 5
    slow_disk.set()
    _wait_until_loaded(client, path)
    assert client.get(path).json()["words"]


def test_the_page_brings_the_words_when_the_model_is_there(
    sign_in: SignIn, scene: Scene, slow_disk: threading.Event
) -> None:
    client = sign_in(Role.VIEWER)
    path = f"/mentions/{scene.first}/why"

    whole = client.get(path)
    part = client.get(path, headers={"HX-Request": "true", "HX-Target": "why"})
    waits = {"HX-Request": "true", "HX-Target": f"why-waits-{scene.first}"}
    still = client.get(path, headers=waits)

    assert (whole.status_code, part.status_code, still.status_code) == (200, 200, 204)
    assert '<meta http-equiv="refresh"' in whole.text
    assert f'hx-get="{path}" hx-trigger="every 1s"' in part.text
    assert "<h1>" not in part.text
    slow_disk.set()
    _wait_until_loaded(client, f"/api/v1{path}")
    assert "Each word was left out in turn" in client.get(path, headers=waits).text
    assert "hx-trigger" not in client.get(path, headers=waits).text


def test_a_model_that_cannot_be_loaded_is_said_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    tries = []

    def fail(_: LateScorer) -> Scorer:
        tries.append(1)
        raise InputError("the model is not there")

    monkeypatch.setattr(LateScorer, "load", fail)
    for _ in range(2):
        for loading in why.load_scorers(settings):
            with pytest.raises(InputError, match="not there"):
                loading.result(10)

    assert len(tries) == 2 * len(why.load_scorers(settings))
