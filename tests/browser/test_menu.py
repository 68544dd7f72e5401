"""The menu on a phone: a strip that shows where one is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]


@pytest.mark.parametrize("path", ["/queue", "/on-call", "/users"])
def test_where_one_is_can_be_seen_in_the_menu(open_page: OpenPage, path: str) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(path)

    here = page.locator(".side nav [aria-current=page]")

    expect(here).to_have_attribute("href", path)
    # All of it, but for the fraction of a pixel that a scrolled strip cuts.
    expect(here).to_be_in_viewport(ratio=0.95)
    assert page.evaluate("scrollY") == 0
