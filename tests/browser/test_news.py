"""The menu and the list of incidents follow what happens, on whatever page somebody is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from api.users import audit
from config.clock import utc_now
from crm_link.escalation import incidents
from crm_link.escalation.by_hand import raise_by_hand
from crm_link.escalation.models import Incident
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flag
from listener.models import Mention
from tests.api.build import PASSWORD
from tests.api.conftest import email_of
from tests.api.scene import Scene

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def _open_incident(sessions: sessionmaker[Session], scene: Scene) -> int:
    with sessions.begin() as session:
        mention = session.get_one(Mention, scene.rtl)
        number = raise_by_hand(
            session,
            scene.brand,
            [mention],
            level="SEV-2",
            reason="A journalist asks",
            by="ana@example.org",
            clock=utc_now,
        )
        session.get_one(Incident, number).title = "Negative mentions of <b>Acme</b>: lids"
        return number


def _follows(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("html[data-line=on]")).to_be_attached()


def test_a_new_incident_is_told_on_any_page_until_it_is_read_or_taken_on(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page, other = open_page(), open_page()
    _follows(page, "/board")
    _follows(other, "/account")
    badge = page.locator("#badge-incidents")
    expect(badge).to_have_text("1")

    number = _open_incident(sessions, scene)

    news = page.locator(".news")
    expect(news).to_contain_text("Negative mentions of <b>Acme</b>: lids")
    expect(badge).to_have_text("2")
    expect(other.locator(".news")).to_be_visible()
    # It goes along to the next page, until it is read.
    page.goto("/people")
    expect(news).to_be_visible()
    page.get_by_role("button", name="Hide this notice").click()
    page.goto("/mentions")
    expect(page.locator("html[data-line=on]")).to_be_attached()
    expect(news).to_have_count(0)

    with sessions.begin() as session:
        incidents.acknowledge(session, number, by="ana@example.org", clock=utc_now)
    expect(other.locator(".news")).to_have_count(0)


def test_who_only_reads_sees_the_badge(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill(email_of(Role.VIEWER))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/queue")
    _follows(page, "/people")

    _open_incident(sessions, scene)

    expect(page.locator("#badge-incidents")).to_have_text("2")
    expect(page.locator(".news")).to_have_count(0)


def test_the_list_of_incidents_and_the_queues_badge_follow(
    open_page: OpenPage, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    page = open_page()
    _follows(page, "/incidents")
    waiting = page.locator("#badge-queue")
    before = int(waiting.inner_text())
    page.keyboard.press("j")
    expect(page.locator(f"#incident-{scene.incident}")).to_be_focused()

    number = _open_incident(sessions, scene)
    expect(page.locator(f"#incident-{number}")).to_contain_text("open")
    expect(page.locator(f"#incident-{scene.incident}")).to_be_focused()
    with sessions.begin() as session:
        incidents.acknowledge(session, number, by="ana@example.org", clock=utc_now)
        change_flag(session, scene.first, Change(Act.DONE), by="ana@example.org", clock=utc_now)
        # Who changes a flag says so in the audit log, in the same transaction.
        audit(
            session,
            actor="ana@example.org",
            action="flag done",
            subject=f"mention {scene.first}",
            now=utc_now(),
        )

    expect(page.locator(f"#incident-{number}")).to_contain_text("acknowledged")
    expect(waiting).to_have_text(str(before - 1))
