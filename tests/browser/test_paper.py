"""Pages on paper: the whole board, white, without what only a screen needs, nothing cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.api.scene import Scene
from tests.browser.test_board import rival
from tests.browser.test_desk import incident_id
from tests.browser.test_room import write_protocol

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

__all__ = ["incident_id", "rival"]

#: The width of A4 between Chromium's margins, in CSS pixels.
PAPER: ViewportSize = {"width": 718, "height": 1000}

#: What would be cut: it is wider than the paper, or scrolls, or is a folded detail.
CUT = """() => [...document.querySelectorAll("main *")].filter((one) => {
  if (!one.checkVisibility() || one.closest(".hidden, svg, .only-print")) return false;
  const style = getComputedStyle(one);
  const scrolls = ["auto", "scroll"].includes(style.overflowY)
    && one.scrollHeight > one.clientHeight + 1;
  return one.getBoundingClientRect().right > innerWidth + 1 || scrolls;
}).map((one) => `${one.localName}.${one.className}`)"""


#: The browser's own dialog would wait for somebody.
PRINTS = "() => { window.print = () => { document.documentElement.dataset.printed = 1; }; }"


def _on_paper(page: Page) -> None:
    """Show the page as it is printed: what the browser tells a page first, then the paper."""
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    for name in ("Main", "Demo"):
        expect(page.get_by_label(name, exact=True)).to_be_hidden()
    expect(page.locator(".only-print").first).to_contain_text("times in")


def test_a_board_is_printed_whole(open_page: OpenPage, rival: str) -> None:
    assert rival
    page = open_page(color_scheme="dark")
    page.goto("/board?brand=acme")
    page.evaluate(PRINTS)
    expect(page.locator("#board-reach")).to_have_count(0)

    page.keyboard.press("ControlOrMeta+p")

    expect(page.locator("html[data-printed]")).to_be_attached(timeout=30_000)
    for part in ("topics", "signals", "reach"):
        expect(page.locator(f"#board-{part}")).to_be_attached()
    charts = page.locator(".chart:not([hidden])")
    assert page.locator(".chart:not([hidden]) canvas").count() == charts.count() > 5
    _on_paper(page)
    assert page.evaluate(CUT) == []
    # Ink on white, whatever the screen's look was.
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(23, 32, 42)"
    wide = "[...document.querySelectorAll('.chart canvas')].map(one => one.clientWidth)"
    assert max(page.evaluate(wide)) <= PAPER["width"]
    assert len(page.pdf(format="A4")) > 20_000


@pytest.mark.parametrize("path", ["/incidents/{}", "/incidents/{}/report", "/mentions/1"])
def test_nothing_is_cut_off_on_paper(open_page: OpenPage, incident_id: int, path: str) -> None:
    page = open_page()
    page.goto(path.format(incident_id))
    expect(page.locator("main h1").first).to_be_visible()

    _on_paper(page)

    assert page.evaluate(CUT) == []
    assert page.locator("main :is(input, textarea, select):visible").count() == 0


def test_a_plan_on_paper_has_the_words_of_its_statements(
    open_page: OpenPage, scene: Scene, tmp_path: Path
) -> None:
    assert scene.users
    write_protocol(tmp_path)
    page = open_page()
    page.goto("/protocol")
    words = page.locator(".offer .prewrap").first
    expect(words).to_be_hidden()

    _on_paper(page)

    expect(words).to_be_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(words).to_be_hidden()
