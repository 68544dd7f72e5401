"""Topics, signals, languages and the reasons of a judgement, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.api.scene import Scene
from tests.browser.board_parts import bring_parts

pytestmark = pytest.mark.browser

#: The first question of a process loads the model.
LOADING_MS = 30_000

OpenPage = Callable[..., Page]


def _problems(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page's own content."""
    found = Axe().run(page, context="main")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def test_a_mention_says_why_when_asked(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    page.goto(f"/mentions/{scene.first}")
    expect(page.get_by_role("region", name="What else it says")).to_contain_text(
        "complaint: safety"
    )
    expect(page.locator("#why mark")).to_have_count(0)

    page.get_by_role("link", name="Why?").click()

    expect(page.locator("#why .why")).to_contain_text(
        "There was glass in my Acme coffee", timeout=LOADING_MS
    )
    assert page.locator("#why mark").count() >= 1
    assert page.locator("#why mark", has_text="Acme").count() == 0
    expect(page.locator("#why")).to_contain_text("judged again by onnx")
    assert page.url.endswith(f"/mentions/{scene.first}")
    assert _problems(page) == []


def test_why_is_a_page_without_script(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"/mentions/{scene.first}")

    page.get_by_role("link", name="Why?").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Why it is negative")
    assert page.locator("mark").count() >= 1


def test_the_board_says_what_it_is_about_and_leads_there(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/board?brand=acme")
    bring_parts(page)

    topics = page.locator("#board-topics")
    expect(topics.get_by_role("link", name="glass")).to_be_visible()
    expect(topics.get_by_role("row", name="glass")).to_contain_text("100%")
    signals = page.locator("#board-signals")
    expect(signals.get_by_role("row", name="anger")).to_contain_text("22")
    expect(signals.get_by_role("row", name="complaint").first).to_contain_text("22")
    expect(signals.get_by_role("row", name="Arabic")).to_contain_text("0%")
    assert _problems(page) == []

    topics.get_by_role("link", name="glass").click()

    page.wait_for_url("**/mentions?brand=acme&about=**")
    expect(page.locator(".row")).to_have_count(11)
    expect(page.locator(".row").first).to_contain_text("glass")
    expect(page.get_by_text("what the board shows as one topic")).to_be_visible()


def test_mentions_are_chosen_by_what_people_are_after(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/mentions")

    page.get_by_label("Intent").select_option("purchase")

    page.wait_for_url("**/mentions?**intent=purchase**")
    expect(page.locator(".row")).to_have_count(10)
    expect(page.locator(".row .signal", has_text="purchase")).to_have_count(10)
    assert _problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_new_parts_fit_a_phone(open_page: OpenPage, scene: Scene, scheme: str) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)

    page.goto("/board")
    bring_parts(page)
    expect(page.locator("#board-topics table")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert _problems(page) == []
    page.goto(f"/mentions/{scene.first}")
    page.get_by_role("link", name="Why?").click()
    expect(page.locator("#why .why")).to_be_visible(timeout=LOADING_MS)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert _problems(page) == []


def test_the_boards_parts_are_pages_without_script(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/board")

    page.get_by_role("link", name="What it is about").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("What it is about")
    expect(page.get_by_role("link", name="glass")).to_be_visible()
