"""A crisis worked on an incident's page: by keyboard, and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.escalation.detect import detect
from crm_link.escalation.playbook.claims import gather_claims
from tests.api.scene import Scene
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.making import make_brand, make_mentions, make_protocol

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

CUPS = ("latte", "mocha", "iced", "oat", "filter", "flat", "small", "large", "cold", "hot")


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], scene: Scene) -> int:
    assert scene.users
    brand_id, now = make_brand(sessions, "leaf"), utc_now()
    posts = [f"There was glass in my {cup} from Leaf, the grinder broke" for cup in CUPS]
    at = now - timedelta(minutes=2)
    make_mentions(sessions, brand_id, *posts, pending=None, topic="general", published_at=at)
    text = FULL.replace("SEV-3: [crisis_lead], ", "").replace("2026-07-01", "2099-01-01")
    (incident_id,) = detect(sessions, {brand_id: make_protocol(text)}, clock=utc_now)
    gather_claims(sessions, clock=utc_now)
    return incident_id


def test_a_crisis_is_worked_by_keyboard_alone(open_page: OpenPage, incident_id: int) -> None:
    page = open_page()
    page.goto(f"/incidents/{incident_id}")
    page.get_by_role("button", name="Acknowledge: I am on it").focus()
    page.keyboard.press("Enter")
    # It is said aloud too, in a place of its own.
    expect(page.get_by_role("status")).to_have_text("You are on it; the chain has stopped.")

    page.get_by_role("checkbox", name="Find out what is true").focus()
    page.keyboard.press("Space")
    tick = page.get_by_role("checkbox", name="Find out what is true")
    expect(tick).to_have_attribute("aria-checked", "true")

    page.get_by_role("button", name="Ask for approval").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("It may be published.")
    page.get_by_role("button", name="It is published").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".statement .state.published")).to_be_visible()
    expect(page.locator(".tile.clock")).to_contain_text("Next update")

    claim = page.locator(".claim").first
    claim.locator("summary").focus()
    page.keyboard.press("Enter")
    claim.get_by_label("untrue").focus()
    page.keyboard.press("Space")
    claim.get_by_role("button", name="Save the verdict").focus()
    page.keyboard.press("Enter")
    expect(claim.get_by_text("say what the evidence is")).to_be_visible()
    claim.get_by_label("Evidence: a link or words").fill("https://leaf.example/lab")
    claim.get_by_role("button", name="Save the verdict").press("Enter")
    expect(page.get_by_role("heading", name="Playbook")).to_contain_text("untrue: deny")
    expect(page.get_by_role("checkbox", name="Put the evidence on a page")).to_be_visible()


def test_the_desk_fits_a_phone(open_page: OpenPage, incident_id: int) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page.goto(f"/incidents/{incident_id}")

    button = page.get_by_role("button", name="Acknowledge: I am on it")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 740  # seen without scrolling
    page.get_by_text("I know already whether it is true").tap()
    chain = page.locator("#chain")
    chain.get_by_label("true", exact=True).tap()
    chain.get_by_label("at fault: preventable").tap()
    # The page follows by itself, and what is chosen stays.
    page.evaluate(f"document.body.dispatchEvent(new Event('live:incident:{incident_id}'))")
    page.wait_for_timeout(1_000)
    expect(chain.get_by_label("at fault: preventable")).to_be_checked()
    button.tap()

    expect(page.get_by_role("checkbox", name="Apologise, without ifs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    size = page.get_by_role("checkbox", name="Apologise, without ifs").bounding_box()
    assert size is not None
    assert min(size["width"], size["height"]) >= 24  # WCAG 2.5.8
