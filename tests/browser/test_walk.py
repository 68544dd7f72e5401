"""A community manager's and a PR lead's way through the console, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.models import Flag, FlagStatus
from crm_link.queue import close_flag
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
    expect(page.get_by_text("Done:")).to_be_visible()
    assert _status(sessions, scene.first) is FlagStatus.DONE
    expect(page.locator(".card.chosen")).not_to_have_id(f"card-{scene.first}")

    page.keyboard.press("u")
    expect(card.get_by_role("button", name="Dismiss")).to_be_visible()
    assert _status(sessions, scene.first) is FlagStatus.OPEN

    page.keyboard.press("d")
    expect(page.get_by_text("Dismissed:")).to_be_visible()
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
    with sessions.begin() as session:
        close_flag(
            session, scene.first, status=FlagStatus.DONE, by="ana@example.org", clock=utc_now
        )

    page.locator(f"#card-{scene.first}").get_by_role("button", name="Done").click()

    problem = page.locator(f"#card-{scene.first} .problem-text")
    expect(problem).to_contain_text("already done by ana@example.org")


def test_a_mention_shows_thread_versions_contact_and_judgement(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    page.locator(f"#card-{scene.first} a.when").click()

    page.wait_for_url(f"**/mentions/{scene.first}")
    expect(page.get_by_role("region", name="Thread")).to_contain_text("Same here")
    expect(page.get_by_role("region", name="Before it was edited")).to_contain_text("coffee!!!")
    crm = page.get_by_role("region", name="In the CRM")
    expect(crm).to_contain_text("Ines Okafor")
    expect(crm).to_contain_text("the CRM has this account")
    expect(page.get_by_role("region", name="Judgement")).to_contain_text("vader-3.3.2/1")
    expect(page.get_by_role("region", name="Author")).to_contain_text("Best Acme flat white")
    page.get_by_role("button", name="neutral").click()
    expect(page.locator(".main-post .feel")).to_contain_text("neutral by a person")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".main-post .feel")).to_contain_text("negative 86%")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("status")).to_contain_text("is done")


def test_a_link_is_confirmed_and_that_is_taken_back(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/links")

    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Confirmed:")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("button", name="Confirm")).to_be_visible()


def test_an_incident_is_taken_on_noted_and_resolved(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    page.get_by_role("link", name="Incidents").click()
    page.get_by_role("link", name="Glass in the cup").click()
    expect(page.get_by_text("Ben Roth")).to_be_visible()

    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".tile .state")).to_have_text("acknowledged")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)

    page.get_by_label("Text of the note").fill("Called the plant: no recall. <b>x</b>")
    page.get_by_role("button", name="Add to the timeline").click()
    expect(page.locator(".timeline .note")).to_contain_text("no recall. <b>x</b>")

    page.get_by_label("Resolve: how it ended").fill("   ")
    page.get_by_role("button", name="Resolve", exact=True).click()
    resolve = page.locator("form", has=page.get_by_role("button", name="Resolve", exact=True))
    expect(resolve.locator(".problem-text")).to_contain_text("say why")
    page.get_by_label("Resolve: how it ended").fill("Answered and corrected")
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator(".tile .state")).to_have_text("resolved")
    expect(page.locator(".timeline .resolved")).to_contain_text("Answered and corrected")
    assert page.url.endswith(f"/incidents/{scene.incident}")


def test_a_note_survives_the_page_that_it_was_typed_on(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    page.goto(f"/incidents/{scene.incident}")
    page.get_by_label("Text of the note").fill("half a thought")

    page.goto("/queue")
    page.goto(f"/incidents/{scene.incident}")

    expect(page.get_by_label("Text of the note")).to_have_value("half a thought")


def test_an_incident_page_follows_what_others_do(open_page: OpenPage, scene: Scene) -> None:
    mine, theirs = open_page(), open_page()
    for page in (mine, theirs):
        page.goto(f"/incidents/{scene.incident}")

    theirs.get_by_role("button", name="Acknowledge").click()

    expect(mine.locator(".tile .state")).to_have_text("acknowledged", timeout=10_000)
    expect(mine.get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_the_board_is_drawn_and_a_bar_leads_to_its_mentions(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="Board").click()

    expect(page.locator("html[data-drawn]")).to_be_attached()
    red = page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--negative').trim()"
    )
    bars = page.locator(f"#volume-chart svg path[fill='{red}']")
    assert bars.count() > 20
    assert page.locator("#net-chart svg path").count() > 5
    page.get_by_text("The numbers behind the charts").click()
    expect(page.get_by_role("row").nth(6)).to_be_visible()
    expect(page.locator("#board-signals")).to_be_visible()
    page.locator("#volume-chart").scroll_into_view_if_needed()
    tallest = max(
        (box for box in (bar.bounding_box() for bar in bars.all()) if box),
        key=lambda box: box["height"],
    )
    page.mouse.click(tallest["x"] + tallest["width"] / 2, tallest["y"] + tallest["height"] / 2)
    page.wait_for_url("**/mentions?since=**label=negative")
    page.goto("/board")
    page.get_by_role("link", name="7d").click()
    page.wait_for_url("**/board?period=7d")


def test_sources_say_what_is_wrong_and_what_is_missing(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="Sources").click()

    expect(page.get_by_text("1 of 2 needs somebody")).to_be_visible()
    expect(page.get_by_text("GROUNDSWELL_REDDIT_CLIENT_SECRET")).to_be_visible()
    expect(page.get_by_text("the listing ended after 1,000 posts")).to_be_visible()


def test_markup_in_a_post_does_not_run(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()

    for path in ("/queue", "/mentions", f"/mentions/{scene.xss}"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
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
        "/links",
        "/sources",
        "/users",
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


def test_the_queue_works_without_script(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page(java_script_enabled=False)

    page.locator(f"#card-{scene.first}").get_by_role("button", name="Done").click()

    expect(page.get_by_role("status")).to_contain_text("is done")
    assert _status(sessions, scene.first) is FlagStatus.DONE
    expect(page.locator("time").first).to_contain_text("ago")
