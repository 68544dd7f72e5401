"""Administration, listening, protocol and saved views by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.keyboard import press, tab_to, type_into
from tests.browser.test_room import write_protocol

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def test_users_teams_keys_and_erasures_need_no_mouse(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/users")
    new = page.get_by_role("region", name="New user")
    type_into(page, new.get_by_label("Name"), "Zoe Marín")
    type_into(page, new.get_by_label("E-mail address"), "zoe@example.org")
    tab_to(page, new.get_by_label("Role"))
    page.keyboard.type("pr")
    type_into(page, new.get_by_label("First password"), "a long password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="zoe@example.org")).to_be_visible()
    expect(page.get_by_label("Role of Zoe Marín")).to_have_value("pr_lead")
    expect(new.get_by_label("Name")).to_be_focused()

    page.goto("/admin/teams")
    new = page.get_by_role("region", name="New team")
    type_into(page, new.get_by_label("Name"), "Coffee")
    press(page, new.get_by_label("Acme"), "Space")
    press(page, new.get_by_label("Zoe Marín"), "Space")
    press(page, new.get_by_role("button", name="Create"))
    expect(page.get_by_role("heading", name="Coffee")).to_contain_text("1 member")
    expect(page.locator("main :focus")).to_be_visible()

    page.goto("/account")
    type_into(page, page.get_by_label("What it is for"), "weekly figures")
    page.keyboard.press("Enter")
    expect(page.locator("#secret")).to_contain_text("gsk_")
    expect(page.locator(".callout").get_by_role("button", name="Copy")).to_be_focused()

    page.goto("/admin/privacy")
    tab_to(page, page.get_by_label("Who asks"))
    page.keyboard.press("ArrowDown")
    type_into(page, page.get_by_label("Account as PLATFORM:ID"), "csv_file:C-1001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What is held about")).to_be_visible()
    expect(page.locator("main")).to_be_focused()
    erase = page.get_by_role("region", name="Erase them")
    type_into(page, erase.get_by_label("Where the request is on file"), "letter of 3 March")
    press(page, erase.get_by_label("Nothing of it can be brought back"), "Space")
    press(page, erase.get_by_role("button", name="Erase"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Erasure")


def test_a_view_is_kept_and_removed_and_escape_closes_its_box(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/queue?label=negative")
    box = page.locator(".save-view")
    press(page, box.locator("summary"))
    type_into(page, box.get_by_label("Keep these filters as"), "Bad ones")
    page.keyboard.press("Escape")
    expect(box.get_by_role("button", name="Save the view")).to_be_hidden()
    expect(box.locator("summary")).to_be_focused()

    page.keyboard.press("Enter")
    tab_to(page, box.get_by_label("Keep these filters as"))
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    view = page.get_by_role("navigation", name="Views").get_by_role("link", name="Bad ones")
    expect(view).to_have_attribute("aria-current", "page")
    press(page, view)
    page.wait_for_load_state()
    press(page, box.locator("summary"))
    press(page, box.get_by_role("button", name="Remove"))
    expect(view).to_have_count(0)


def test_a_query_is_tried_by_key(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/listening")
    press(page, page.get_by_role("link", name="Try and cost its query"))
    page.wait_for_url("**/listening/acme")
    type_into(page, page.get_by_role("textbox"), "refund OR glass")
    expect(page.get_by_text("No warnings.")).to_be_visible()
    expect(page.get_by_role("textbox")).to_be_focused()
    press(page, page.get_by_role("button", name="Try it"))
    expect(page.get_by_role("heading", name="What it would have found")).to_be_visible()
    expect(page.locator("main :focus")).to_be_visible()


def test_the_protocol_is_broken_mended_and_saved_by_key(
    open_page: OpenPage, tmp_path: Path
) -> None:
    file = write_protocol(tmp_path)
    page = open_page()
    page.goto("/protocol")
    press(page, page.get_by_role("link", name="Edit"))
    page.wait_for_url("**/protocol/edit**")
    text = page.get_by_label("The protocol's text")
    # Tab leaves the field: who needs one in a YAML file needs spaces there anyway.
    tab_to(page, text)
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.type("x")
    press(page, page.get_by_role("button", name="Check"))
    finding = page.locator("#protocol-findings .error button").first
    expect(finding).to_be_visible()
    tab_to(page, finding, back=True)
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.press("Delete")
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("\n# read again\n")
    type_into(page, page.get_by_label("Why it is changed"), "a remark")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_contain_text("The protocol is saved")
    assert file.read_text("utf-8").endswith("# read again\n")
