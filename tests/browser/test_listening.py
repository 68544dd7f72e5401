"""Queries in a real browser: the mistake as one types, what a query finds, what it costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def _problems(page: Page) -> list[str]:
    found = Axe().run(page, context="main")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def test_a_query_is_mended_as_it_is_typed_and_tried(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    page.get_by_role("link", name="Listening").click()
    assert _problems(page) == []
    page.get_by_role("link", name="Try and cost its query").click()
    page.wait_for_url("**/listening/acme")
    box = page.get_by_role("textbox")

    box.press_sequentially(" (")
    expect(page.locator(".query-problem")).to_contain_text("^")
    expect(page.locator(".query-problem")).to_contain_text("column ")
    box.fill("refund or glass")
    expect(page.locator(".query-warning")).to_contain_text("write OR to join terms")
    box.fill("refund OR glass")
    expect(page.get_by_text("No warnings.")).to_be_visible()
    page.get_by_text("What platforms are asked").click()
    expect(page.locator("code.search").first).to_have_text("refund OR glass")
    page.get_by_role("button", name="Try it").click()

    expect(page.get_by_role("heading", name="What it would have found")).to_be_visible()
    expect(page.get_by_role("heading", name="No longer found")).to_be_visible()
    expect(page.get_by_role("row", name="x-search")).to_contain_text("never read")
    expect(box).to_have_value("refund OR glass")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert _problems(page) == []
