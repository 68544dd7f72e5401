"""Names and texts with markup, right-to-left letters and emoji, on every page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from api.models import ApiKey, Role, Team, TeamBrand, User
from api.users import create_api_key
from config.clock import utc_now
from crm_link.escalation.models import Incident, ProtocolVersion
from crm_link.flags.models import QueueView
from crm_link.models import Contact
from listener.models import Author, Brand, Mention, Source
from tests.api.scene import Scene, get_user
from tests.browser.test_every_page import PATHS, WIDTH_LEEWAY
from tests.browser.test_room import write_protocol

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

#: What runs where a page forgets to escape, and letters of another direction.
NAME = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> قهوة 😡"
)

#: Pages beside those that every test walks.
MORE = (
    "/board?period=7d",
    "/links/decided",
    "/listening/acme",
    "/protocol/edit?brand=acme",
    "/queue?text=glass",
    "/queue/link?ids={first}&q=img",
    "/queue/escalate?ids={first}",
    "/reports/weekly?brand=acme",
    "/reports/responses?brand=acme",
    "/people?text=img",
    "/incidents/{incident}/why",
)


def _name_everything(sessions: sessionmaker[Session], scene: Scene, home: Path) -> None:
    """Give everything that has a name the worst one."""
    now = utc_now()
    with sessions.begin() as session:
        session.execute(update(Source).where(Source.platform == "x").values(name=NAME))
        for model in (Brand, Contact, Author, User):
            session.execute(update(model).values(name=NAME))
        session.execute(update(Author).values(bio=NAME, location=NAME))
        session.execute(update(Contact).values(tier=NAME[:40], owner=NAME))
        session.execute(update(Incident).values(title=NAME, acknowledged_by=NAME))
        session.execute(
            update(Mention).where(Mention.id == scene.first).values(text=f"Acme {NAME}")
        )
        version = session.scalars(select(ProtocolVersion)).first()
        assert version is not None
        version.content = _named(version.content)
        team = Team(name=NAME, created_at=now)
        session.add(team)
        session.flush()
        session.add(TeamBrand(team_id=team.id, brand_id=scene.brand))
        create_api_key(session, user=get_user(session, scene, Role.ADMIN), name="k", now=now)
        session.execute(update(ApiKey).values(name=NAME))
        view = {"owner": "x@example.org", "name": NAME[:60], "filters": {"text": NAME}}
        session.add(QueueView(**view, is_shared=True, is_default=False, created_at=now))
    file = write_protocol(home)
    file.write_text(_named(file.read_text("utf-8")), "utf-8")


def _named(protocol: str) -> str:
    """Return a protocol whose people and topics have the name."""
    return re.sub(r"\bname: [^,}\n]+", lambda _: f"name: {json.dumps(NAME)}", protocol)


@pytest.mark.parametrize("width", [1280, 390])
def test_what_people_are_called_is_shown_and_never_run(
    open_page: OpenPage,
    scene: Scene,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    width: int,
) -> None:
    _name_everything(sessions, scene, tmp_path)
    page = open_page(viewport={"width": width, "height": 900})

    problems, shown = [], 0
    for path in (*PATHS, *MORE):
        address = path.format_map(vars(scene))
        answer = page.goto(address)
        assert answer is not None
        page.wait_for_load_state()
        if answer.status >= 500:
            problems.append(f"{address}: {answer.status}")
        if page.title() == "owned" or page.locator("img[src=x]").count():
            problems.append(f"{address}: markup was run")
        if page.evaluate(f"document.documentElement.scrollWidth > innerWidth + {WIDTH_LEEWAY}"):
            problems.append(f"{address}: wider than the screen")
        shown += "<img src=x" in page.locator("body").inner_text()

    assert not problems, "\n".join(problems)
    assert shown >= len(PATHS) - 1
