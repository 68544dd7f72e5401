"""Replies in a real browser: written by keyboard, approved by somebody else, whole for axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from config.clock import utc_now
from crm_link.replying.changes import write_reply
from crm_link.replying.events import add_event
from crm_link.replying.models import Reply, ReplyState
from listener.replier import Refusal
from tests.api.build import PASSWORD
from tests.api.conftest import email_of
from tests.api.scene import Scene
from tests.listener.accounts import account_settings

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account_settings("http://127.0.0.1:9", "http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)


def _sign_in(page: Page, role: Role) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in**")
    page.get_by_label("E-mail").fill(email_of(role))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/queue**")


def test_written_and_approved_by_keyboard(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    writer = open_page()
    _sign_in(writer, Role.COMMUNITY_MANAGER)
    writer.keyboard.press("j")
    writer.keyboard.press("r")
    field = writer.locator("#reply-text")
    expect(field).to_be_focused()
    writer.keyboard.type("語" * 141)
    expect(writer.locator("#reply-text-length")).to_contain_text("282 of 280")
    writer.keyboard.press("Control+Enter")
    expect(writer.locator("#reply-dialog .composer .problem")).to_contain_text("280")
    field.fill("We are sorry, please write to us.")
    expect(writer.locator("#reply-text-length")).to_contain_text("33 of 280")
    writer.keyboard.press("Control+Enter")
    expect(writer.locator("#reply-dialog")).not_to_be_visible()
    expect(writer.locator(".card .reply-state").first).to_contain_text("waits for approval")

    lead = open_page()
    _sign_in(lead, Role.PR_LEAD)
    lead.goto("/replies")
    lead.keyboard.press("j")
    lead.keyboard.press("p")

    expect(lead.get_by_role("status")).to_contain_text("It goes out in")
    with sessions() as session:
        reply = session.scalars(select(Reply)).one()
        assert (reply.state, reply.approved_by) == (ReplyState.APPROVED, email_of(Role.PR_LEAD))


def test_sent_back_by_keyboard(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        writer = email_of(Role.COMMUNITY_MANAGER)
        write_reply(session, scene.first, "We are sorry.", by=writer, clock=utc_now)
    lead = open_page()
    lead.goto("/replies")
    lead.keyboard.press("j")
    lead.keyboard.press("b")
    lead.keyboard.type("too cold")
    lead.keyboard.press("Enter")

    expect(lead.locator(".reply-box")).to_contain_text("Sent back: too cold")


@pytest.mark.parametrize("path", ["/replies", "/mentions/{first}"])
def test_what_becomes_of_a_reply_is_on_the_screen_by_itself(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session], path: str
) -> None:
    with sessions.begin() as session:
        writer = email_of(Role.COMMUNITY_MANAGER)
        write_reply(session, scene.first, "We are sorry.", by=writer, clock=utc_now)
    page = open_page()
    page.goto(path.format(first=scene.first))
    expect(page.locator(".reply-state").first).to_contain_text("waits for approval")

    with sessions.begin() as session:
        reply = session.scalars(select(Reply)).one()
        reply.state, reply.last_error = ReplyState.IN_DOUBT, "no answer"
        add_event(session, reply, "in doubt", by="groundswell", now=utc_now())

    expect(page.locator(".reply-state").first).to_contain_text("in doubt")


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_any_state(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session], width: int
) -> None:
    with sessions.begin() as session:
        writer = email_of(Role.COMMUNITY_MANAGER)
        write_reply(session, scene.first, "We are sorry.", by=writer, clock=utc_now)
    page = open_page(
        viewport={"width": width, "height": 844},
        color_scheme="light" if width > 1000 else "dark",
    )

    problems = []
    for state in ReplyState:
        with sessions.begin() as session:
            refusal = Refusal.TOKEN if state is ReplyState.APPROVED else None
            said = "X refused" if refusal else None
            session.execute(
                update(Reply).values(state=state, refusal=refusal, last_error=said, why="because")
            )
        for path in ("/replies", f"/mentions/{scene.first}"):
            page.goto(path)
            found = Axe().run(page).response["violations"]
            problems += [
                f"{state} {path}: {one['id']}: {node['target']}"
                for one in found
                for node in one["nodes"]
            ]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
                problems.append(f"{state} {path}: wider than the screen")

    assert problems == []
