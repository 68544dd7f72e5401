"""Forms: sent once however often somebody presses, and what was typed is lost to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from api.models import ApiKey, Role
from config.clock import utc_now
from crm_link.escalation.incidents import resolve
from crm_link.escalation.models import IncidentEvent
from crm_link.flags.models import QueueView
from tests.api.build import PASSWORD
from tests.api.conftest import email_of
from tests.api.scene import Scene
from tests.browser.test_room import write_protocol

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

#: Milliseconds of a network that makes people press again.
LATENCY_MS = 1500

#: What the protocol asks after an incident, first.
ASKED = "lessons"

#: The forms in which people type most: page, form, and what they type into which field.
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "/incidents/{incident}": ("note", {"text": "The plant found nothing"}),
    "/incidents/{incident}/report": ("review", {ASKED: "The lids came from a new supplier"}),
    "/silences": ("preview", {"topics": "glass, lids", "comment": "A tasting"}),
    "/reports": ("schedules", {"recipients": "ana@example.org, ben@example.org"}),
    "/people/segments": ("persona", {"places": "ES, PT"}),
    "/listening/acme": ("try", {"query": 'acme OR "acme tea"'}),
    "/protocol/edit?brand=acme": ("protocol", {"why": "A new shift"}),
    "/users": ("users", {"name": "Ana Roth", "email": "ana@example.org"}),
    "/admin/teams": ("teams", {"name": "Night shift"}),
    "/account": ("keys", {"name": "weekly report"}),
    "/mentions/{first}": ("changes", {"note": "By phone"}),
}

#: Sends a field's form; one that is not complete cannot be sent, and its page is loaded again.
SENDS = """one => {
  const button = one.form.querySelector("button:not([type=button])");
  if (one.form.checkValidity()) one.form.requestSubmit(button); else location.reload();
}"""


#: Presses a button as somebody does for whom nothing happens.
PRESSES = "button => setTimeout(() => { for (let at = 0; at < 3; at += 1) button.click(); })"


def slow(page: Page) -> None:
    """Make the network as slow as in a train."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1}
    session.send("Network.emulateNetworkConditions", conditions | {"uploadThroughput": -1})


def end_session(page: Page) -> None:
    page.context.clear_cookies()


def field(page: Page, path: str, name: str) -> Locator:
    form = f"main form[method=post][action$='{FORMS[path][0]}']"
    return page.locator(f"{form} [name={name}]:not([type=hidden])").last


def test_an_impatient_person_does_it_once_in_place(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto(f"/incidents/{scene.incident}")
    page.get_by_label("Text of the note").fill("Only once")
    slow(page)

    page.get_by_role("button", name="Add to the timeline").evaluate(PRESSES)
    expect(page.get_by_text("Working…")).to_be_visible()
    expect(page.locator("#room-timeline")).to_contain_text("Only once")
    expect(page.get_by_text("Working…")).to_have_count(0)

    with sessions() as session:
        notes = select(func.count()).where(IncidentEvent.kind == "note")
        assert session.scalar(notes) == 1


def test_an_impatient_person_does_it_once_on_the_next_page(
    open_page: OpenPage, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.get_by_text("Views…").click()
    page.get_by_label("Keep these filters as").fill("Once")
    slow(page)

    sent.clear()
    # Playwright asks a page that is being left nothing; the page itself writes down what it says.
    page.evaluate(
        """new MutationObserver(() => sessionStorage.setItem("said", working.textContent))
        .observe(working, { childList: true })"""
    )
    page.get_by_role("button", name="Save the view").evaluate(PRESSES)
    page.wait_for_url("**/queue?state=open")
    assert page.evaluate("sessionStorage.getItem('said')") == "Working…"

    assert len([one for one in sent if one.endswith("/queue/views")]) == 1
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(QueueView)) == 1


@pytest.mark.parametrize("path", list(FORMS))
def test_what_was_typed_outlives_the_session(
    open_page: OpenPage,
    scene: Scene,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    path: str,
) -> None:
    write_protocol(tmp_path)
    if path.endswith("/report"):
        with sessions.begin() as session:
            resolve(session, scene.incident, by="ana@x.org", reason="over", clock=utc_now)
    page = open_page()
    address = path.format_map(vars(scene))
    page.goto(address)
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    for name, text in FORMS[path][1].items():
        field(page, path, name).fill(text)

    end_session(page)
    field(page, path, name).evaluate(SENDS)
    page.get_by_role("button", name="Look around the demo").click()
    page.wait_for_url(f"**{address.partition('?')[0]}*")

    for name, text in FORMS[path][1].items():
        expect(field(page, path, name)).to_have_value(text)


def test_nothing_typed_is_kept_for_after_the_sign_out_or_for_somebody_else(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    address = f"/incidents/{scene.incident}"
    page.goto(address)
    note = page.get_by_label("Text of the note")
    note.fill("A secret of mine")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Look around the demo").click()
    page.wait_for_url("**/queue")
    page.goto(address)
    expect(note).to_have_value("")

    note.fill("Another secret of mine")
    end_session(page)
    page.reload()
    page.get_by_label("E-mail").fill(email_of(Role.PR_LEAD))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**{address}")
    expect(note).to_have_value("")
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    assert "secret" not in kept


def test_a_page_that_asks_by_itself_stays_when_the_session_has_ended(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page()
    page.goto(f"/incidents/{scene.incident}")
    page.get_by_label("Text of the note").fill("half a tho")
    end_session(page)

    page.evaluate("document.body.dispatchEvent(new CustomEvent('live:queue'))")

    expect(page.get_by_role("alert").filter(has_text="Your session has ended")).to_be_visible()
    expect(page.get_by_label("Text of the note")).to_have_value("half a tho")


def test_what_was_sent_is_not_there_again(
    open_page: OpenPage, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.goto("/account")
    name = page.get_by_label("What it is for")
    name.fill("weekly report")
    page.get_by_role("button", name="Make a key").click()
    expect(page.locator("#secret")).to_contain_text("gsk_")
    page.reload()
    expect(name).to_have_value("")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ApiKey)) == 1
