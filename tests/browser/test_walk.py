"""A community manager's and a PR lead's way through the console, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


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
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Done: 1 mention")


def test_a_link_is_confirmed_and_that_is_taken_back(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/links")

    page.get_by_label("It would not surprise them").check()
    page.get_by_role("button", name="Same person").click()
    expect(page.get_by_text("Confirmed:")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("button", name="Same person")).to_be_visible()


def test_an_incident_is_taken_on_noted_and_resolved(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    page.get_by_role("link", name="Incidents").click()
    page.get_by_role("link", name="Glass in the cup").click()
    expect(page.locator("#chain").get_by_text("Ben Roth")).to_be_visible()

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

    expect(mine.locator("html[data-line=on]")).to_be_attached()
    theirs.get_by_role("button", name="Acknowledge").click()
    expect(theirs.locator(".tile .state")).to_have_text("acknowledged")

    expect(mine.locator(".tile .state")).to_have_text("acknowledged")
    expect(mine.get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_sources_say_what_is_wrong_and_what_is_missing(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="Listening").click()
    page.get_by_role("link", name="Sources", exact=True).click()

    expect(page.get_by_text("1 of 2 needs somebody")).to_be_visible()
    expect(page.get_by_text("GROUNDSWELL_REDDIT_CLIENT_SECRET")).to_be_visible()
    expect(page.get_by_text("the listing ended after 1,000 posts")).to_be_visible()
