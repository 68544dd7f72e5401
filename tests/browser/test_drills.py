"""Drills, readiness and reports in a real browser: at a desk, on a phone, dark and as a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session, sessionmaker

from api.reports.render import Format, render_report
from config.clock import utc_now
from crm_link.escalation.incidents import acknowledge, resolve
from crm_link.escalation.report import read_report
from listener.models import Mention
from tests.api.scene import XSS, Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def after(scene: Scene, sessions: sessionmaker[Session]) -> Scene:
    """Give the scene with its incident resolved, and markup in what was posted about it."""
    with sessions.begin() as session:
        session.get_one(Mention, scene.first).text = XSS
        acknowledge(session, scene.incident, by="anna@example.org", clock=utc_now)
        resolve(session, scene.incident, by="anna@example.org", reason="answered", clock=utc_now)
    return scene


def keep_picture(page: Page, name: str) -> None:
    """Save what the page looks like where GROUNDSWELL_TEST_PICTURES names a folder."""
    folder = os.environ.get("GROUNDSWELL_TEST_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_drill_is_begun_seen_and_stopped(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/drills")
    expect(page.get_by_role("heading", name="Readiness of Acme")).to_be_visible()
    expect(page.get_by_text("There was no drill so far.")).to_be_visible()

    page.get_by_label("Scenario").select_option("service_outage")
    page.get_by_role("button", name="Start the drill").click()
    expect(page.get_by_role("heading", name="Running: A service outage")).to_be_visible()
    keep_picture(page, "drills")
    page.get_by_role("button", name="Stop the drill").click()

    expect(page.get_by_text("what it made is deleted")).to_be_visible()
    expect(page.get_by_role("row", name="A service outage")).to_contain_text("stopped")


def test_a_report_is_read_reviewed_and_runs_no_markup(open_page: OpenPage, after: Scene) -> None:
    page = open_page()
    page.goto(f"/incidents/{after.incident}")
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_role("heading", name="What was said")).to_be_visible()
    assert page.title().startswith("Report on incident")
    assert page.locator(".report svg.curve rect.negative").count() > 0

    page.get_by_label("Lessons").fill("Answer within the hour.")
    page.get_by_role("button", name="Store the review").click()
    expect(page.locator(".report").get_by_text("Answer within the hour.")).to_be_visible()
    keep_picture(page, "report")
    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    assert download.value.suggested_filename == f"incident-{after.incident}-report.md"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_and_the_file_fit_a_phone(
    open_page: OpenPage,
    browser: Browser,
    after: Scene,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    scheme: Literal["light", "dark"],
) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    for name in ("/drills", f"/incidents/{after.incident}/report"):
        page.goto(name)
        keep_picture(page, f"phone-{scheme}-{name.strip('/').replace('/', '-')}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    with sessions() as session:
        found = read_report(session, after.incident, now=utc_now())
        content = render_report(found, Format.HTML)

    path = tmp_path / "report.html"
    path.write_bytes(content)
    file = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    problems: list[str] = []
    file.on("console", lambda message: problems.append(message.text))
    file.goto(path.as_uri())
    keep_picture(file, f"phone-{scheme}-file")

    assert file.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = file.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(16, 20, 24)") is (scheme == "dark")  # its own style holds
    assert "owned" not in file.title()
    assert problems == []
    file.close()
