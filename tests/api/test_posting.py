"""Replies over the JSON API: who may do what, and what is answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from api.checks import run_checks
from api.engine import Engine
from api.models import AuditEvent, Role
from api.status import read_status
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from crm_link.replying.models import Reply, ReplyEvent, ReplyState
from listener.models import Mention
from listener.replier import Refusal
from sentiment.scorer import make_scorer
from tests.api.conftest import MovableClock, SignIn, email_of
from tests.api.scene import Scene
from tests.listener.accounts import account_settings, set_up_accounts
from tests.networks import running_networks

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


def _do(client: TestClient, reply: dict[str, Any], what: str, **more: Any) -> Any:
    body = {"version": reply["version"], **more}
    return client.post(f"{API}/{reply['id']}/{what}", json=body)


def test_written_approved_and_on_record(
    manager: TestClient, lead: TestClient, write: Write, sessions: sessionmaker[Session]
) -> None:
    reply = write(closes=True)

    assert (reply["state"], reply["written_by"]) == ("waiting", email_of(Role.COMMUNITY_MANAGER))
    assert _do(manager, reply, "approve").status_code == 403
    waiting = lead.get(API, params={"state": "waiting"}).json()["items"]
    assert [one["id"] for one in waiting] == [reply["id"]]
    approved = _do(lead, reply, "approve").json()
    assert (approved["state"], approved["approved_by"]) == ("approved", email_of(Role.PR_LEAD))
    assert _do(lead, reply, "approve").status_code == 409
    events = lead.get(f"{API}/{reply['id']}/events").json()
    assert [one["action"] for one in events] == ["written", "approved"]
    with sessions() as session:
        audit = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.startswith("reply"))
        ).all()
    assert audit == [f"reply {reply['id']} written", f"reply {reply['id']} approved"]
    assert _do(manager, approved, "cancel").json()["state"] == "cancelled"


def test_a_lead_does_not_approve_what_they_wrote(
    lead: TestClient, write: Write, sign_in: SignIn
) -> None:
    reply = write(lead)

    refused = _do(lead, reply, "approve")

    assert refused.status_code == 403
    assert "somebody else" in refused.json()["error"]["message"]
    assert _do(sign_in(Role.ADMIN), reply, "approve").status_code == 200


def test_sent_back_and_written_anew(manager: TestClient, lead: TestClient, write: Write) -> None:
    reply = write()

    assert _do(lead, reply, "send-back", why="").status_code == 422
    back = _do(lead, reply, "send-back", why="too cold").json()
    assert (back["state"], back["why"]) == ("sent_back", "too cold")
    again = _do(manager, back, "edit", text="So sorry!").json()
    assert (again["state"], again["text"], again["why"]) == ("waiting", "So sorry!", None)


def test_what_does_not_fit_is_said(manager: TestClient, scene: Scene) -> None:
    path = f"/api/v1/mentions/{scene.first}/reply"

    assert manager.post(path, json={"text": "語" * 141}).status_code == 422
    measured = manager.post(f"{API}/length", json={"platform": "x", "text": "語" * 141}).json()
    assert measured == {"length": 282, "most": 280, "fits": False}
    assert manager.post(f"{API}/length", json={"platform": "rss", "text": "x"}).status_code == 422
    assert manager.post("/api/v1/mentions/999999/reply", json={"text": "x"}).status_code == 404
    assert manager.get(f"{API}/999999").status_code == 404


def test_an_account_without_settings_is_said(
    manager: TestClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROUNDSWELL_X_ACCESS_TOKEN")

    answer = manager.post(f"/api/v1/mentions/{scene.first}/reply", json={"text": TEXT})

    assert answer.status_code == 409
    assert "GROUNDSWELL_X_" in answer.json()["error"]["message"]


def test_settled_and_tried_again(
    manager: TestClient, write: Write, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    reply = write()
    with sessions.begin() as session:
        session.execute(update(Reply).values(state=ReplyState.IN_DOUBT, approved_at=clock()))
    assert _do(manager, reply, "settle", is_there=True, url="ftp://x").status_code == 422
    settled = _do(manager, reply, "settle", is_there=False).json()
    assert settled["state"] == "approved"
    with sessions.begin() as session:
        session.execute(update(Reply).values(state=ReplyState.FAILED))
    assert _do(manager, settled, "retry").json()["state"] == "approved"


def test_failing_accounts_are_told_everywhere(
    manager: TestClient,
    write: Write,
    sign_in: SignIn,
    sessions: sessionmaker[Session],
    clock: MovableClock,
) -> None:
    write()
    with sessions.begin() as session:
        session.execute(
            update(Reply).values(
                state=ReplyState.APPROVED,
                approved_at=clock(),
                refusal=Refusal.TOKEN,
                last_error="X refused with 401: set new ones",
            )
        )

    [failing] = manager.get(f"{API}/failing-accounts").json()

    assert (failing["platform"], failing["refusal"], failing["replies"]) == ("x", "token", 1)
    with sessions() as session:
        counts = read_status(session, clock()).counts
    assert counts["accounts that cannot reply"] == 1
    assert "set new ones" in sign_in(Role.ADMIN).get("/admin/system").text


def test_check_asks_the_accounts(settings: Settings) -> None:
    found = {one.what: one for one in run_checks(settings, offline=True)}
    assert found["replies on x"].message.startswith("settings are there")

    asked = {one.what: one for one in run_checks(settings)}
    assert not asked["replies on x"].is_ok
    assert not asked["replies on reddit"].is_ok


def test_other_brands_replies_are_not_seen(
    write: Write, sessions: sessionmaker[Session], client: TestClient
) -> None:
    reply = write()

    assert client.get(f"{API}/{reply['id']}").status_code == 401
    with sessions() as session:
        assert session.scalars(select(ReplyEvent.action)).all() == ["written"]


@pytest.mark.parametrize("posts", [True, False])
def test_the_worker_carries_the_outbox_unless_nothing_is_posted(
    manager: TestClient,
    lead: TestClient,
    scene: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    posts: bool,
) -> None:
    with running_networks() as networks:
        set_up_accounts(networks, monkeypatch)
        [asked] = networks.control.add("x", [{"text": "glass in my coffee"}])
        with sessions.begin() as session:
            session.get_one(Mention, scene.first).external_id = asked
        reply = manager.post(f"/api/v1/mentions/{scene.first}/reply", json={"text": TEXT}).json()
        assert _do(lead, reply, "approve").status_code == 200
        clock.now += timedelta(seconds=10)
        settings = Settings(posts_replies=posts)
        engine = Engine(
            settings, sessions, make_scorer("vader"), Protocols(sessions, {}), clock=clock
        )

        assert engine.post_replies() == posts

        texts = [one["text"] for one in networks.control.posts("x")]
    assert (TEXT in texts) is posts
    assert _only(manager)["state"] == ("posted" if posts else "approved")


def _only(client: TestClient) -> dict[str, Any]:
    [one] = client.get(API).json()["items"]
    found: dict[str, Any] = one
    return found
