"""What moves, what is in the way and what is too small, on the pages that people work in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.types import Priority
from listener.models import Brand
from tests.api.build import judged, make_flag
from tests.api.scene import Scene
from tests.make import make_author, make_mention

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

#: Pixels that a finger needs (WCAG 2.5.8).
FINGER = 24

#: Adds up what moved without somebody's doing.
SHIFTS = """() => {
  window.moved = 0;
  new PerformanceObserver(list => { for (const one of list.getEntries()) moved += one.value; })
    .observe({ type: "layout-shift" });
}"""

#: What can be tapped and is lower than that, its enlarged area included; not links in sentences.
LOW = """least => [...document.querySelectorAll("main a, main button, main summary, .side a")]
  .filter(one => one.checkVisibility() && !one.closest("p, li, .meta, .post, .scroll, .scrolled"))
  .filter(one => {
    const around = getComputedStyle(one, "::after");
    const more = around.position === "absolute" ? -2 * parseFloat(around.top) : 0;
    return one.getBoundingClientRect().height + (more || 0) < least;
  })
  .map(one => one.outerHTML.slice(0, 100))"""


def test_nothing_moves_when_new_mentions_come(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    first = page.locator(".card.flag").first
    before = first.bounding_box()
    page.evaluate(SHIFTS)

    with sessions.begin() as session:
        mention = make_mention(
            session,
            session.get_one(Brand, scene.brand),
            author_id=make_author(session).id,
            **judged("negative", Priority.RISK),
        )
        make_flag(session, mention, Priority.RISK, created_at=utc_now())
    page.evaluate("document.body.dispatchEvent(new CustomEvent('live:queue'))")

    expect(page.get_by_role("link", name="1 new mention: show")).to_be_visible()
    assert first.bounding_box() == before
    assert page.evaluate("moved") == 0
    page.get_by_role("link", name="1 new mention: show").click()
    expect(page.locator(f"#card-{mention.id}")).to_be_visible()


def test_a_mention_is_escalated_and_linked_from_the_pages_of_their_own(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    page.goto(f"/mentions/{scene.first}")
    page.get_by_role("link", name="Escalate").click()
    page.get_by_label("Why? It is the first that the others read.").fill("A journalist asks")

    page.get_by_role("button", name="Add").first.click()

    page.wait_for_url(f"**/mentions/{scene.first}")
    expect(page.get_by_role("status").first).to_contain_text("Escalated")


def test_the_tour_steps_aside_where_it_has_nothing_to_say(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Guided tour").click()
    tour = page.get_by_role("complementary", name="Guided tour")
    expect(tour.get_by_role("heading", name="What people must look at")).to_be_visible()

    page.goto("/people")
    expect(tour.get_by_role("heading")).to_have_count(0)
    expect(tour).to_contain_text("Step 1 of 5")
    tour.get_by_role("link", name="Go on").click()

    page.wait_for_url("**/queue")
    expect(tour.get_by_role("heading", name="What people must look at")).to_be_visible()


def test_the_tab_key_stops_at_a_box_only_while_there_is_more_in_it(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/board")
    box = page.get_by_role("group", name="By platform")
    expect(box).to_have_attribute("tabindex", "-1")

    page.set_viewport_size({"width": 390, "height": 844})

    expect(box).to_have_attribute("tabindex", "0")


@pytest.mark.parametrize("path", ["/queue", "/incidents/{incident}", "/links", "/people/1"])
def test_a_finger_hits_what_it_means(open_page: OpenPage, scene: Scene, path: str) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(path.format_map(vars(scene)))

    assert page.evaluate(LOW, FINGER) == []
