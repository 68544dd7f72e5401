"""The console in a real browser: a server on a free port, and Debian's Chromium."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pydantic import SecretStr
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from api.pages import FOLDER
from api.serving import Server
from config.clock import utc_now
from config.settings import Settings
from tests.api.scene import Scene, make_scene
from tests.databases import Template

CHROMIUM = Path(os.environ.get("GROUNDSWELL_TEST_CHROMIUM", "/usr/bin/chromium"))

#: Milliseconds that a page may take for what a test looks for: machines may be slow, and busy.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)

#: What the console signs sessions and links with.
SECRET = "k" * 40


@pytest.fixture
def template(sqlite_template: Template) -> Template:
    """Give one database: what a browser shows does not depend on which."""
    return sqlite_template


@pytest.fixture
def scene(sessions: sessionmaker[Session]) -> Scene:
    return make_scene(sessions, utc_now)


@pytest.fixture
def address(sessions: sessionmaker[Session], scene: Scene, tmp_path: Path) -> Iterator[str]:
    """Give the address of a console that serves the scene; its home is the test's own folder."""
    assert scene.users
    app = create_app(Settings(home=tmp_path, secret_key=SecretStr(SECRET)), sessions, is_demo=True)
    server = Server(app, port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the console did not start within 30 s"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM} (GROUNDSWELL_TEST_CHROMIUM)")
    if not (FOLDER / "static" / "vendor" / "htmx.min.js").exists():
        pytest.skip("the console's libraries are not there; `pip install -e .` brings them")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-background-networking"],
        )


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Give pages that are signed in; whatever goes wrong in one fails the test at its end.

    What a browser says of a network that `breaks` is no fault.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def make(*, breaks: bool = False, **options: object) -> Page:
        settings: dict[str, object] = {"viewport": {"width": 1280, "height": 900}}
        context = browser.new_context(base_url=address, **(settings | options))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                problems.append(message.text)
                if message.type == "error" and not breaks and "status of 4" not in message.text
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:"))
                else problems.append(f"asked {request.url}")
            ),
        )
        page.goto("/sign-in")
        page.get_by_role("button", name="Look around the demo").click()
        page.wait_for_url("**/queue")
        return page

    yield make
    for context in contexts:
        context.close()
    assert problems == []
