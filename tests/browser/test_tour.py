"""The demo's guided tour, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_the_tour_leads_through_five_pages_and_can_be_left(
    open_page: OpenPage, size: tuple[int, int]
) -> None:
    page = open_page(viewport={"width": size[0], "height": size[1]})
    tour = page.get_by_role("complementary", name="Guided tour")
    expect(tour).to_be_hidden()

    page.get_by_role("button", name="Guided tour").click()
    for number, path in enumerate(("/queue", "/incidents", "/links", "/board", "/drills"), 1):
        page.wait_for_url(f"**{path}")
        expect(tour).to_contain_text(f"Step {number} of 5")
        if number == 1:
            assert Axe().run(page).response["violations"] == []
            expect(page.locator("#cards .tour-target")).to_have_count(1)
        # What it speaks of is seen beside it.
        top = page.locator("main .tour-target").evaluate("el => el.getBoundingClientRect().top")
        assert 0 <= top < tour.evaluate("el => el.getBoundingClientRect().top")
        if number < 5:
            tour.get_by_role("link", name="Next").press("Enter")
    expect(tour.get_by_role("link", name="Next")).to_be_hidden()

    tour.press("Escape")
    expect(tour).to_be_hidden()
    page.goto("/queue")
    expect(tour).to_be_hidden()


def test_the_sign_in_begins_the_tour(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("button", name="Take the guided tour").click()

    expect(page.get_by_role("complementary", name="Guided tour")).to_contain_text("Step 1 of 5")
    assert page.url.endswith("/queue")
