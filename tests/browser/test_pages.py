"""What holds for every page, and the pages of accounts, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def test_markup_in_a_post_does_not_run(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()

    for path in ("/queue", "/mentions", f"/mentions/{scene.xss}"):
        page.goto(path)
        assert page.title().endswith("Groundswell")
        expect(page.get_by_text("<script>document.title").first).to_be_attached()
        assert page.locator("a[href^=javascript]").count() == 0


def test_a_key_is_shown_once(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/account")

    page.get_by_label("What it is for").fill("weekly report")
    page.get_by_role("button", name="Make a key").click()

    expect(page.locator("#secret")).to_contain_text("gsk_")
    page.goto("/account")
    expect(page.locator("#secret")).to_have_count(0)
    expect(page.get_by_role("cell", name="weekly report")).to_be_visible()


def test_a_user_is_made_and_an_error_stands_where_it_happened(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/users")
    new = page.get_by_role("region", name="New user")

    new.get_by_label("E-mail address").fill("demo@example.org")
    new.get_by_label("First password").fill("a long enough one")
    new.get_by_role("button", name="Create").click()
    expect(new.locator(".problem-text")).to_contain_text("already")
    expect(new.get_by_label("First password")).to_have_value("a long enough one")
    new.get_by_label("E-mail address").fill("new@example.org")
    new.get_by_role("button", name="Create").click()

    expect(page.get_by_role("cell", name="new@example.org").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(open_page: OpenPage, scene: Scene, scheme: str) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)

    wide = []
    for path in (
        "/queue",
        "/mentions",
        f"/mentions/{scene.first}",
        f"/mentions/{scene.rtl}",
        "/incidents",
        f"/incidents/{scene.incident}",
        "/board",
        "/people",
        "/reports",
        "/reports/weekly",
        "/people/segments",
        "/people/1",
        "/links",
        f"/links/{scene.link}",
        "/sources",
        "/users",
        "/admin/privacy",
        "/account",
    ):
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert wide == []
    assert (ground == "rgb(16, 20, 24)") is (scheme == "dark")


def test_posts_from_right_to_left_begin_at_the_right(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    page.goto(f"/mentions/{scene.rtl}")

    direction = page.locator(".post.big").evaluate("el => getComputedStyle(el).direction")

    assert direction == "rtl"
