"""A community manager works the review queue, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flag
from crm_link.flags.queue_presence import be_present
from crm_link.models import Flag, FlagStatus
from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def _status(sessions: sessionmaker[Session], mention_id: int) -> FlagStatus:
    with sessions() as session:
        flag = session.scalar(select(Flag).where(Flag.mention_id == mention_id))
        assert flag is not None
        return flag.status


def test_the_queue_is_worked_by_keyboard_alone(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    card = page.locator(f"#card-{scene.first}")
    expect(card.locator("mark").first).to_have_text("Acme coffee")

    page.keyboard.press("j")
    expect(card).to_be_focused()
    page.keyboard.press("e")
    expect(page.get_by_role("status")).to_contain_text("Done: 1 mention")
    assert _status(sessions, scene.first) is FlagStatus.DONE
    expect(page.locator(".card.chosen")).not_to_have_id(f"card-{scene.first}")

    page.keyboard.press("u")
    expect(card.get_by_role("button", name="Dismiss")).to_be_visible()
    assert _status(sessions, scene.first) is FlagStatus.OPEN

    page.keyboard.press("d")
    expect(page.get_by_role("status")).to_contain_text("Dismissed: 1 mention")
    assert _status(sessions, scene.first) is FlagStatus.DISMISSED

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("refund")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue?text=refund")
    expect(page.locator("[data-card]").first).to_contain_text("refund")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/mentions/*")


def test_filters_live_in_the_address(open_page: OpenPage) -> None:
    page = open_page()

    page.get_by_label("Priority").select_option("purchase")

    page.wait_for_url("**/queue?priority=purchase")
    chips = page.locator(".card .chip").all_text_contents()
    assert set(chips) == {"purchase"}
    page.get_by_label("Platform").select_option("reddit")
    page.wait_for_url("**/queue?platform=reddit&priority=purchase")
    expect(page.get_by_role("heading", name="Nothing in the queue matches")).to_be_visible()


def test_more_of_the_queue_comes_while_scrolling(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".card")).to_have_count(25)

    page.locator("#next").scroll_into_view_if_needed()

    expect(page.locator(".card")).to_have_count(33)


def test_somebody_else_was_faster(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()

    def be_faster(route: Route) -> None:
        with sessions.begin() as session:
            change_flag(session, scene.first, Change(Act.DONE), by="ana@example.org", clock=utc_now)
        route.continue_()

    page.route("**/queue/changes", be_faster, times=1)
    page.locator(f"#card-{scene.first}").get_by_role("button", name="Done").click()

    problem = page.locator(f"#card-{scene.first} .problem-text")
    expect(problem).to_contain_text("ana@example.org changed this")
    page.get_by_role("button", name="Show it as it is now").click()
    expect(page.locator(f"#card-{scene.first}")).to_contain_text("by ana@example.org")


def test_the_queue_works_without_script(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page(java_script_enabled=False)

    page.locator(f"#card-{scene.first}").get_by_role("button", name="Done").click()

    expect(page.get_by_role("status")).to_contain_text("Done: 1 mention")
    assert _status(sessions, scene.first) is FlagStatus.DONE
    expect(page.locator("time").first).to_contain_text("ago")


def test_several_are_worked_at_once_and_what_is_typed_stays(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    expect(page.locator(f"#card-{scene.first}")).to_contain_text("customer · gold")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Chosen mentions")).to_contain_text("2 chosen")
    expect(page.locator("#aloud")).to_have_text("2 chosen")

    page.keyboard.press("a")
    page.get_by_role("dialog").get_by_role("button", name="Me", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Assigned: 2 mentions")
    expect(page.locator("#aloud")).to_contain_text("Assigned: 2 mentions")
    expect(page.locator(".owner")).to_have_count(2)
    page.keyboard.press("u")
    expect(page.locator(".owner")).to_have_count(0)

    card = page.locator(f"#card-{scene.first}")
    card.get_by_role("link", name="Reply").click()
    answer = page.get_by_role("dialog").get_by_role("textbox")
    answer.fill("We are sorry; please tell us the shop.")
    with sessions.begin() as session:
        be_present(session, scene.first, who="ana@x", name="Ana", is_working=True, clock=utc_now)
    page.keyboard.press("Escape")
    expect(card).to_contain_text("Ana works on it")
    page.reload()
    page.locator(f"#card-{scene.first}").get_by_role("link", name="Reply").click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value(
        "We are sorry; please tell us the shop."
    )
    expect(page.get_by_role("dialog")).to_contain_text("Ana works on this now")
    page.get_by_role("button", name="Answered and done").click()
    expect(page.get_by_role("status")).to_contain_text("Answered: 1 mention")
    assert _status(sessions, scene.first) is FlagStatus.DONE
