"""The war room, its link for executives, and the protocol's page, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.escalation import incidents
from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

BRANDS = """\
version: 1
brands:
  - {id: acme, name: Acme, query: acme, protocol: protocol.yaml}
"""

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}


def write_protocol(home: Path) -> Path:
    """Write the files of the scene's brand; return the protocol's."""
    (home / "brands.yaml").write_text(BRANDS, "utf-8")
    file = home / "protocol.yaml"
    file.write_bytes(files("config").joinpath("defaults", "demo_protocol.yaml").read_bytes())
    return file


def _problems(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page's own content."""
    found = Axe().run(page, context="main")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def test_the_room_follows_others_and_loses_nothing_that_is_typed(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto(f"/incidents/{scene.incident}")
    page.locator("#room-chart").scroll_into_view_if_needed()
    expect(page.locator("html[data-drawn=yes]")).to_be_attached()
    expect(page.locator("html[data-line=on]")).to_be_attached()
    expect(
        page.get_by_text("What is not seen").or_(page.get_by_text("Not everything"))
    ).to_be_visible()
    page.get_by_label("Text of the note").fill("half a tho")
    page.get_by_text("Tell the next people now").click()
    page.get_by_label("Escalate now: why").fill("because")

    with sessions.begin() as session:
        incidents.add_note(
            session,
            scene.incident,
            text="The plant found nothing",
            by="cara@example.org",
            is_decision=True,
            clock=utc_now,
        )

    expect(page.locator(".timeline .decision")).to_contain_text("The plant found")
    expect(page.get_by_label("Text of the note")).to_have_value("half a tho")
    expect(page.get_by_label("Escalate now: why")).to_have_value("because")
    assert _problems(page) == []


def test_executives_see_the_incident_by_a_link_until_it_is_revoked(
    open_page: OpenPage, scene: Scene, browser: Browser, address: str
) -> None:
    page = open_page()
    page.goto(f"/incidents/{scene.incident}")
    share = page.get_by_role("region", name="Share")
    share.get_by_label("Whom it is for").press_sequentially("the board")
    page.keyboard.press("Enter")
    link = share.locator("#shared-address").text_content() or ""
    path = link[link.index("/s/") :]
    context = browser.new_context(base_url=address, **PHONE)  # type: ignore[arg-type]
    outside = context.new_page()

    outside.goto(path)

    expect(outside.get_by_role("heading", name="Glass in the cup")).to_be_visible()
    outside.locator("#room-chart").scroll_into_view_if_needed()
    expect(outside.locator("html[data-drawn=yes]")).to_be_attached()
    assert outside.locator("form, input, textarea, a[href^='/mentions']").count() == 0
    assert outside.evaluate("document.documentElement.scrollWidth") == 390
    assert _problems(outside) == []
    share.get_by_role("button", name="Revoke the link for the board").click()
    expect(share.get_by_text("revoked")).to_be_visible()
    outside.reload()
    expect(outside.get_by_role("heading", name="This link does not work")).to_be_visible()
    context.close()


def test_a_protocol_is_read_broken_mended_and_saved_on_a_phone(
    open_page: OpenPage, tmp_path: Path
) -> None:
    file = write_protocol(tmp_path)
    whole = file.read_text("utf-8").replace("Ben Roth", "Bea Roth")
    page = open_page(**PHONE)
    page.goto("/protocol")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert _problems(page) == []
    page.get_by_role("link", name="Edit").tap()
    text = page.get_by_label("The protocol's text")
    why = page.get_by_label("Why it is changed")

    text.fill(whole.replace("contacts:", "contcats:", 1))
    why.fill("Ben left")
    page.get_by_role("button", name="Save the protocol").tap()
    expect(page.locator("#protocol-form .problem-text")).to_contain_text("did you mean 'contacts'")
    page.reload()
    expect(text).to_have_value(whole.replace("contacts:", "contcats:", 1))
    expect(why).to_have_value("Ben left")
    page.get_by_role("button", name="Check").tap()
    page.locator("#protocol-findings .error button").first.tap()
    expect(text).to_be_focused()
    assert page.evaluate("getSelection().toString()").strip()
    text.fill(whole)
    page.get_by_role("button", name="Save the protocol").tap()

    expect(page.get_by_role("status").first).to_contain_text("The protocol is saved")
    expect(page.get_by_text("Bea Roth").first).to_be_visible()
    assert file.read_text("utf-8") == whole
    page.get_by_role("link", name="what changed").tap()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    assert _problems(page) == []
    page.goto("/protocol/edit?brand=acme")
    assert _problems(page) == []


def test_of_two_who_take_an_incident_on_at_once_the_later_one_hears_it(
    open_page: OpenPage, scene: Scene
) -> None:
    mine, theirs = open_page(), open_page()
    for page in (mine, theirs):
        page.goto(f"/incidents/{scene.incident}")
        expect(page.locator("html[data-line=on]")).to_be_attached()
    # Theirs hears of nothing meanwhile, as on a bad network.
    theirs.route(f"**/incidents/{scene.incident}", lambda route: route.fulfill(status=429))
    late = theirs.get_by_role("button", name="Acknowledge").first

    mine.get_by_role("button", name="Acknowledge").first.click()
    expect(mine.get_by_text("You are on it").first).to_be_visible()
    theirs.get_by_label("Text of the note").fill("I look at the lids")
    late.click()

    expect(theirs.locator(".problem-text").first).to_contain_text("is already acknowledged")
    expect(theirs.get_by_label("Text of the note")).to_have_value("I look at the lids")


def test_of_two_who_edit_the_protocol_the_later_one_overwrites_nothing(
    open_page: OpenPage, tmp_path: Path
) -> None:
    file = write_protocol(tmp_path)
    mine, theirs = open_page(), open_page()
    for page, words in ((mine, "mine"), (theirs, "theirs")):
        page.goto("/protocol/edit?brand=acme")
        text = page.locator("#protocol-text")
        text.fill(text.input_value() + f"\n# {words}\n")
        page.locator("#protocol-form [name=why]").fill(f"Because of {words}")

    mine.get_by_role("button", name="Save").first.click()
    expect(mine.get_by_role("status")).to_contain_text("The protocol is saved")
    theirs.get_by_role("button", name="Save").first.click()

    expect(theirs.locator(".problem-text").first).to_be_visible()
    assert "# mine" in file.read_text("utf-8")
    assert "# theirs" not in file.read_text("utf-8")
    expect(theirs.locator("#protocol-text")).to_have_value(re.compile("# theirs"))
