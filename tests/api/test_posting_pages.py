"""Replies on the pages: written, approved and followed by people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from config.settings import Settings
from crm_link.replying.models import Reply, ReplyState
from listener.replier import Refusal
from tests.api.conftest import MovableClock, SignIn, email_of
from tests.api.scene import Scene
from tests.listener.accounts import account_settings

TEXT = "We are sorry, please write to us."


API = "/api/v1/posted-replies"


Write = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set accounts up at an address where nobody listens: nothing here posts."""
    for name, value in account_settings("http://127.0.0.1:9", "http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def manager(sign_in: SignIn) -> TestClient:
    return sign_in(Role.COMMUNITY_MANAGER)


@pytest.fixture
def lead(sign_in: SignIn) -> TestClient:
    return sign_in(Role.PR_LEAD)


@pytest.fixture
def write(manager: TestClient, scene: Scene) -> Write:
    def post(client: TestClient = manager, text: str = TEXT, **more: Any) -> dict[str, Any]:
        body = {"text": text, **more}
        answer = client.post(f"/api/v1/mentions/{scene.first}/reply", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return post


def test_the_queue_offers_to_ask_and_shows_what_waits(
    manager: TestClient, lead: TestClient, scene: Scene
) -> None:
    path = f"/queue/{scene.first}/reply"
    assert "Ask for approval" in manager.get(path).text
    answer = manager.post(
        f"/mentions/{scene.first}/replies",
        data={"text": TEXT, "closes": "true", "platform": "x"},
        headers={"HX-Request": "true"},
    )

    assert "somebody else approves it" in answer.text
    assert "waits for approval" in answer.text  # on the card
    shown = manager.get(path).text
    assert TEXT in shown
    assert "You wrote this" not in shown  # who may not approve is not told that they may not
    assert f"/replies/{_only_id(manager)}/approve" not in shown
    assert f"/replies/{_only_id(lead)}/approve" in lead.get(path).text
    assert "waits for approval" in lead.get("/queue").text


def _only_id(client: TestClient) -> int:
    [one] = client.get(API).json()["items"]
    return int(one["id"])


@pytest.mark.parametrize("path", ["/replies", "/mentions/{first}"])
def test_the_pages_lead_through_the_whole_way(
    manager: TestClient, lead: TestClient, scene: Scene, path: str
) -> None:
    path = path.format(first=scene.first)
    sent = manager.post(f"/mentions/{scene.first}/replies", data={"text": TEXT, "next": path})
    assert (sent.status_code, sent.headers["location"]) == (303, path)
    number = _only_id(manager)
    assert TEXT in lead.get(path).text

    back = {"version": "1", "why": "too cold", "next": path}
    assert lead.post(f"/replies/{number}/send-back", data=back).status_code == 303
    assert "Sent back: too cold" in manager.get(path).text
    edited = {"version": "2", "text": "So sorry!", "next": path}
    assert manager.post(f"/replies/{number}/edit", data=edited).status_code == 303
    late = lead.post(f"/replies/{number}/approve", data={"version": "1"})
    assert late.status_code == 409
    assert lead.post(f"/replies/{number}/approve", data={"version": "3"}).status_code == 303
    page = manager.get(path).text
    assert "It goes out in 10 s" in lead.get("/replies").text
    assert "about to go out" in page
    assert manager.post(f"/replies/{number}/cancel", data={"version": "4"}).status_code == 303
    assert "cancelled" in manager.get(path).text


def test_the_menu_counts_what_waits_for_this_person(
    manager: TestClient, lead: TestClient, write: Write
) -> None:
    write()

    def badge(client: TestClient, path: str) -> str:
        return client.get(path).text.partition('id="badge-replies"')[2].partition("</span>")[0]

    for path in ("/replies", "/menu"):
        assert badge(lead, path).endswith(">1")
        assert "hidden" in badge(manager, path)


def test_the_length_is_counted_as_the_platform_does(manager: TestClient) -> None:
    said = manager.post("/replies/length", data={"platform": "x", "text": "語" * 141}).text
    assert "282 of 280" in said
    assert "too long" in said


def test_without_an_account_the_platform_is_opened(
    manager: TestClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROUNDSWELL_X_ACCESS_TOKEN")

    shown = manager.get(f"/queue/{scene.first}/reply").text

    assert "Ask for approval" not in shown
    assert "Copy and open X" in shown


def test_a_viewer_reads_and_does_nothing(write: Write, sign_in: SignIn, scene: Scene) -> None:
    write()
    viewer = sign_in(Role.VIEWER)

    for path in ("/replies", f"/mentions/{scene.first}"):
        page = viewer.get(path).text
        assert TEXT in page
        assert "/cancel" not in page


@pytest.mark.parametrize("state", list(ReplyState))
def test_every_state_has_a_page(
    lead: TestClient,
    write: Write,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    scene: Scene,
    state: ReplyState,
) -> None:
    write()
    with sessions.begin() as session:
        session.execute(
            update(Reply).values(
                state=state,
                why="because" if state is ReplyState.SENT_BACK else None,
                refusal=Refusal.DUPLICATE if state is ReplyState.FAILED else None,
                posted_url="https://x.com/i/1" if state is ReplyState.POSTED else None,
                posted_at=clock() if state is ReplyState.POSTED else None,
            )
        )

    for path in ("/replies", f"/mentions/{scene.first}", f"/queue/{scene.first}/reply"):
        answer = lead.get(path)
        assert answer.status_code == 200
    page = lead.get(f"/mentions/{scene.first}").text
    assert TEXT in page
    if state is ReplyState.FAILED:
        assert "change the words" in page
    if state is ReplyState.IN_DOUBT:
        assert "It is not there: post it" in page


def test_a_trial_shows_it_as_it_would_go(
    sessions: sessionmaker[Session], clock: MovableClock, scene: Scene, monkeypatch: Any
) -> None:
    from api.app import create_app  # noqa: PLC0415
    from tests.api.build import PASSWORD  # noqa: PLC0415
    from tests.api.conftest import ORIGIN  # noqa: PLC0415

    monkeypatch.delenv("GROUNDSWELL_X_ACCESS_TOKEN")
    settings = Settings(secret_key="long enough for a made up session!", posts_replies=False)
    app = create_app(settings, sessions, clock=clock, is_demo=True)
    app.state.groundswell.live.close()
    with TestClient(app, headers={"Origin": ORIGIN}, base_url=ORIGIN) as client:
        for role in (Role.COMMUNITY_MANAGER, Role.PR_LEAD):
            client.post("/sign-in", data={"email": email_of(role), "password": PASSWORD})
            if role is Role.COMMUNITY_MANAGER:
                client.post(f"/mentions/{scene.first}/replies", data={"text": TEXT})
        client.post(f"/replies/{_only_id(client)}/approve", data={"version": "1"})
        shown = client.get(f"/mentions/{scene.first}").text

    assert "this is how it would have gone to X" in shown
