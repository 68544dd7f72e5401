"""Who somebody is: links decided by keyboard, two people at once, a contact found and split."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def test_a_link_is_decided_by_keyboard_and_who_is_late_hears_it(
    open_page: OpenPage, scene: Scene
) -> None:
    mine, theirs = open_page(), open_page()
    for page in (mine, theirs):
        page.goto("/links")
    card = mine.locator(f"#link-{scene.link}")
    expect(card.get_by_role("row", name="Name")).to_contain_text("Jo Lind")

    mine.keyboard.press("j")
    mine.keyboard.press("y")
    expect(card.get_by_label("It would not surprise them")).to_be_focused()
    mine.keyboard.press("Space")
    mine.keyboard.press("y")
    expect(mine.get_by_text("Confirmed:")).to_be_visible()

    theirs.keyboard.press("j")
    theirs.get_by_label("It would not surprise them").check()
    theirs.keyboard.press("y")
    expect(theirs.locator(".problem-text")).to_contain_text("is confirmed by")
    mine.keyboard.press("u")
    expect(card).to_contain_text("suggested")
    mine.keyboard.press("n")
    expect(mine.get_by_text("Rejected:")).to_be_visible()


def test_a_contact_is_found_split_and_put_together_again(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="People").click()
    page.get_by_label("Name, e-mail").fill("okaf")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Ines Okafor").click()

    accounts = page.get_by_role("region", name="Accounts")
    accounts.get_by_text("Some are another person's").click()
    accounts.get_by_role("checkbox").check()
    accounts.get_by_role("button", name="Split off").click()
    expect(page.get_by_role("status")).to_contain_text("split off")
    accounts.get_by_text("Not theirs, or no longer").click()
    expect(accounts).to_contain_text("the CRM record gets this account")
    accounts.get_by_role("button", name="Undo: confirmed again").click()

    expect(page.get_by_role("status")).to_contain_text("taken back")
    expect(accounts.locator(".state").first).to_have_text("confirmed")


def test_pages_of_people_have_no_violations_of_accessibility(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    found = []
    for path in ("/people", "/people/1", "/people/segments", "/links", "/links/decided"):
        page.goto(path)
        found += [one["id"] for one in Axe().run(page, context="main").response["violations"]]

    assert found == []
    assert scene.link
