"""A report as PDF in a real browser: asked for, waited for, downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.report_making import making_files
from config.clock import utc_now
from config.phrases import phrase
from crm_link.reporting.models import FileState, ReportFile
from tests.api.scene import Scene
from tests.browser.test_drills import keep_picture

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

#: Milliseconds that a file may take where others use the machine.
PATIENCE_MS = 90_000


def set_state(sessions: sessionmaker[Session], state: FileState, error: str | None = None) -> None:
    with sessions.begin() as session:
        file = session.scalars(select(ReportFile)).one()
        file.state, file.last_error, file.done_at = state, error, utc_now()


def test_a_report_is_downloaded_as_pdf(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto(f"/incidents/{scene.incident}/report")
    page.get_by_role("button", name="PDF").click()
    page.wait_for_url("**/reports/files/*")
    expect(page.get_by_role("heading", name="The PDF waits to be made")).to_be_visible()

    with making_files(sessions, public_url=""):
        link = page.get_by_role("link", name="Download the PDF")
        # It comes by itself, and is said to who listens.
        expect(page.get_by_role("status").filter(has=link)).to_be_visible(timeout=PATIENCE_MS)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == f"incident-{scene.incident}-report.pdf"
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


def test_without_script_somebody_looks_again(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    assert scene.brand
    page = open_page(java_script_enabled=False)
    page.goto("/reports/weekly?brand=acme")
    page.get_by_role("button", name="PDF").click()
    page.wait_for_url("**/reports/files/*")
    set_state(sessions, FileState.READY)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("link", name="Download the PDF")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_state_of_a_file_is_shown_well(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session], width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(f"/incidents/{scene.incident}/report.pdf")
    keep_picture(page, f"file-{width}-{scheme}-offered")
    page.get_by_role("button", name="Make the PDF").click()
    page.wait_for_url("**/reports/files/*")
    error = phrase("the report is too long for a PDF; take the HTML and print it")
    shown = (
        (FileState.QUEUED, "The PDF waits to be made"),
        (FileState.MAKING, "The PDF is being made"),
        (FileState.FAILED, "the report is too long for a PDF"),
        (FileState.READY, "The PDF is ready."),
    )
    for state, says in shown:
        set_state(sessions, state, error if state is FileState.FAILED else None)
        if state in {FileState.FAILED, FileState.READY}:
            page.reload()
        # What waits is followed by the page itself.
        expect(page.get_by_text(says)).to_be_visible()
        assert Axe().run(page).response["violations"] == [], state
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        keep_picture(page, f"file-{width}-{scheme}-{state}")
