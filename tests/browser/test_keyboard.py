"""What people decide in a bad week, by keyboard alone: where it is is seen, and never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.escalation import incidents
from crm_link.escalation.playbook import playbooks
from tests.api.build import make_contact, make_link
from tests.api.scene import Scene
from tests.browser.keyboard import press, tab_to, type_into
from tests.browser.test_desk import incident_id
from tests.make import make_author

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

__all__ = ["incident_id"]


def test_a_crisis_goes_from_acknowledgement_to_report_by_key(
    open_page: OpenPage, incident_id: int
) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/incidents/{incident_id}")

    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Acknowledge: I am on it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You are on it")
    expect(page.locator("#assess > summary")).to_be_focused()

    # What was ticked off keeps the keyboard, so that the next is one stop away.
    page.keyboard.press("t")
    page.keyboard.press("Space")
    first = page.get_by_role("checkbox", name="Find out what is true")
    expect(first).to_have_attribute("aria-checked", "true")
    expect(first).to_be_focused()
    page.keyboard.press("t")
    second = page.get_by_role("checkbox", name="Publish the holding statement")
    expect(second).to_be_focused()

    press(page, page.get_by_role("button", name="Copy Holding").first)
    assert page.evaluate("navigator.clipboard.readText()").startswith("We are sorry.")
    expect(page.locator("#aloud")).to_have_text("Copied")
    press(page, page.get_by_role("button", name="Ask for approval").first)
    expect(page.get_by_role("status")).to_contain_text("It may be published")
    expect(page.get_by_role("button", name="Copy the text")).to_be_focused()
    press(page, page.get_by_role("button", name="It is published"))
    expect(page.locator(".statement .state.published")).to_be_visible()
    expect(page.locator("#statements :focus")).to_be_visible()

    page.keyboard.press("n")
    page.keyboard.type("The grinder stops today")
    press(page, page.get_by_label("It is a decision"), "Space")
    press(page, page.get_by_role("button", name="Add to the timeline"))
    expect(page.locator(".timeline .decision")).to_contain_text("The grinder stops today")
    expect(page.get_by_label("Text of the note")).to_be_focused()

    type_into(page, page.get_by_label("Whom it is for"), "the board")
    page.keyboard.press("Enter")
    share = page.get_by_role("region", name="Share")
    expect(share.get_by_role("button", name="Copy")).to_be_focused()
    press(page, share.get_by_role("button", name="Revoke the link for the board"))
    expect(share.get_by_text("revoked")).to_be_visible()
    expect(share.locator(":focus")).to_be_visible()

    page.keyboard.press("c")
    page.keyboard.type("The supplier took the lids back")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The incident is resolved")
    expect(page.get_by_role("navigation", name="Report").get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/report")


def test_the_keyboard_stays_while_colleagues_work(
    open_page: OpenPage, incident_id: int, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto(f"/incidents/{incident_id}")
    expect(page.locator("html[data-line=on]")).to_be_attached()
    page.keyboard.press("a")

    with sessions.begin() as session:
        incidents.acknowledge(session, incident_id, by="cara@example.org", clock=utc_now)

    # The button that the keyboard was at is gone: it is at what stands next.
    expect(page.get_by_role("button", name="Acknowledge: I am on it")).to_have_count(0)
    expect(page.locator("main :focus")).to_be_visible()
    page.goto("/incidents")
    link = page.locator(f"main a[href='/incidents/{incident_id}']").first
    tab_to(page, link)
    with sessions.begin() as session:
        incidents.add_note(
            session, incident_id, text="Nothing new", by="cara@example.org", clock=utc_now
        )
    page.evaluate("document.body.dispatchEvent(new Event('live:incidents'))")
    page.wait_for_timeout(1_500)
    expect(link).to_be_focused()


def test_what_did_not_change_stays_the_same_while_one_presses_it(
    open_page: OpenPage, incident_id: int, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto(f"/incidents/{incident_id}")
    expect(page.locator("html[data-line=on]")).to_be_attached()
    page.evaluate(
        "() => document.querySelectorAll('[data-part]').forEach((part) => { part.before = true; })"
    )

    with sessions.begin() as session:
        incidents.add_note(
            session, incident_id, text="Nothing new", by="cara@example.org", clock=utc_now
        )

    expect(page.locator(".timeline .note")).to_contain_text("Nothing new")
    anew = page.evaluate(
        """() => [...document.querySelectorAll("[data-part]")]
          .filter((part) => !part.before).map((part) => part.id)"""
    )
    assert set(anew) <= {"room-timeline", "room-tiles", "room-size", "room-lines"}


def test_what_is_pressed_while_a_colleague_works_still_acts_when_it_is_let_go(
    open_page: OpenPage, incident_id: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        incidents.acknowledge(session, incident_id, by="cara@example.org", clock=utc_now)
    page = open_page()
    page.goto(f"/incidents/{incident_id}")
    expect(page.locator("html[data-line=on]")).to_be_attached()
    first = page.get_by_role("checkbox", name="Find out what is true")
    second = page.get_by_role("checkbox", name="Publish the holding statement")
    page.keyboard.press("t")
    expect(first).to_be_focused()

    page.keyboard.down("Space")
    with sessions.begin() as session:
        playbooks.do_task(
            session, incident_id, "publish_holding", by="cara@example.org", clock=utc_now
        )
    # Longer than what she did takes to come here.
    page.wait_for_timeout(2_500)
    expect(second).to_have_attribute("aria-checked", "false")
    page.keyboard.up("Space")

    expect(first).to_have_attribute("aria-checked", "true")
    expect(second).to_have_attribute("aria-checked", "true")


def test_the_sheet_of_keys_opens_on_every_page_and_escape_closes_it(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    sheet = page.get_by_role("dialog", name="Keyboard")
    for path, says in (
        ("/queue", "snooze"),
        ("/links", "same person"),
        (f"/incidents/{scene.incident}", "go to: the next task"),
        ("/replies", "send back"),
        ("/board", "leave a field"),
    ):
        page.goto(path)
        page.keyboard.press("?")
        expect(sheet).to_contain_text(says)
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()


def test_links_are_confirmed_rejected_and_taken_back_without_a_mouse(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_author(session, platform="mastodon")
        contact = make_contact(session, utc_now() - timedelta(days=9), external_id="second")
        second = make_link(session, other.id, contact, weight_bits=1.0).id
    page = open_page()
    page.goto("/links")
    first_card, second_card = page.locator(f"#link-{scene.link}"), page.locator(f"#link-{second}")

    page.keyboard.press("j")
    page.keyboard.press("y")
    page.keyboard.press("Space")
    page.keyboard.press("y")
    expect(first_card).to_contain_text("Confirmed:")
    expect(second_card).to_be_focused()
    page.keyboard.press("n")
    expect(second_card).to_contain_text("Rejected:")
    expect(second_card.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("u")

    expect(second_card).to_contain_text("suggested")
    expect(second_card).to_be_focused()
    press(page, second_card.get_by_role("button", name="Not them"))
    expect(second_card.get_by_role("button", name="Undo")).to_be_focused()
