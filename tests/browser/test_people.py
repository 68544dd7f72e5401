"""Who somebody is: links decided by keyboard, two people at once, a contact found and split."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.contacts.joining import join_due
from crm_link.models import Contact
from tests.api.scene import Scene
from tests.crm_link.make_linking import CONTEXT, make_record, sync

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


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_two_records_are_held_apart_where_their_page_warns(
    open_page: OpenPage, sessions: sessionmaker[Session], size: tuple[int, int]
) -> None:
    mail = ("pat@example.com",)
    for crm, forbids in (("hubspot", True), ("salesforce", False)):
        record = make_record(name="Pat Kim", emails=mail, do_not_contact=forbids)
        sync(sessions, record, name=crm)
    sync(sessions, make_record(name="Robin Kim", emails=mail), name="zoho")
    join_due(sessions, context=CONTEXT)
    with sessions() as session:
        other = session.scalars(select(Contact.id).where(Contact.crm == "salesforce")).one()
    page = open_page(viewport={"width": size[0], "height": size[1]}, color_scheme="dark")
    page.goto(f"/people/{other}")
    warning = page.get_by_text("Do not contact: so says their record in another CRM,")
    expect(warning).to_be_visible()
    assert Axe().run(page).response["violations"] == []

    twins = page.locator("section", has=page.locator("#twins"))
    twins.get_by_role("button", name=re.compile("Somebody else ?: hubspot")).click()

    expect(page.get_by_role("status")).to_have_text("The two records are held apart now.")
    expect(warning).not_to_be_visible()
    twins.get_by_role("button", name="Take it back").click()
    expect(warning).to_be_visible()
