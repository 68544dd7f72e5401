"""A community manager says who somebody is, and what is a crisis, from the queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flag
from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def test_a_contact_is_linked_and_undone_by_keyboard_alone(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    page.goto("/queue?text=owned")
    card = page.locator(f"#card-{scene.xss}")
    expect(card).to_contain_text("not in the CRM")

    page.keyboard.press("j")
    page.keyboard.press("l")
    expect(page.get_by_role("searchbox", name="Look in the CRM")).to_be_focused()
    page.keyboard.type("okafor")
    expect(page.get_by_role("dialog")).to_contain_text("ines@example.org")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("dialog").get_by_role("button", name="Link")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Linked: 1 mention")
    expect(card).to_contain_text("customer · gold")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Undone")
    expect(card).to_contain_text("not in the CRM")


def test_who_comes_late_links_nobody_and_hears_it_in_the_dialog(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto("/queue?text=owned")
    card = page.locator(f"#card-{scene.xss}")
    card.get_by_role("link", name="link").click()
    page.get_by_role("searchbox", name="Look in the CRM").fill("okafor")
    button = page.get_by_role("dialog").get_by_role("button", name="Link")
    page.get_by_label("It would not surprise them").check()
    expect(button).to_be_visible()

    def be_faster(route: Route) -> None:
        with sessions.begin() as session:
            change_flag(session, scene.xss, Change(Act.DONE), by="ana@example.org", clock=utc_now)
        route.continue_()

    page.route("**/queue/changes", be_faster, times=1)
    button.click()

    expect(page.get_by_role("dialog")).to_contain_text("ana@example.org changed this")


def test_several_are_escalated_and_what_was_typed_stays_until_then(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    page.goto("/queue?platform=reddit")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("i")
    why = page.get_by_label("Why? It is the first that the others read.")
    expect(why).to_be_focused()
    page.keyboard.type("A journalist asks")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.reload()
    page.locator(f"#card-{scene.rtl}").get_by_role("link", name="Escalate").click()
    expect(why).to_have_value("A journalist asks")
    page.get_by_role("dialog").get_by_role("button", name="Open as SEV-2").click()

    done = page.get_by_role("status")
    expect(done).to_contain_text("Escalated: 1 mention")
    expect(done.get_by_role("button")).to_have_count(0)
    done.get_by_role("link", name="Incident").click()
    expect(page.locator("#room-timeline")).to_contain_text("A journalist asks")


def test_a_contact_is_linked_without_script(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"/mentions/{scene.xss}")

    page.get_by_role("link", name="Link to a contact").click()
    page.get_by_role("searchbox").fill("okafor")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("It would not surprise them").check()
    page.get_by_role("button", name="Link").click()

    page.wait_for_url(f"**/mentions/{scene.xss}")
    expect(page.get_by_role("status")).to_contain_text("Linked: 1 mention")
    expect(page.locator(".linked")).to_contain_text("Ines Okafor")


def test_what_a_platforms_terms_forbid_is_said_before_and_refused(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    page.goto("/queue?platform=reddit")
    page.locator(f"#card-{scene.rtl}").get_by_role("link", name="link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Reddit's terms allow a link only to who connected the account")

    page.get_by_role("searchbox", name="Look in the CRM").fill("okafor")
    dialog.get_by_role("button", name="Link to Ines Okafor").click()

    expect(dialog).to_contain_text("is not allowed: reddit: deny")
