"""People who look after some brands see nothing of the others."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.brand_limits import limited_sessions
from api.models import Role, TeamBrand, TeamMember
from config.settings import Settings
from crm_link.mentions import list_platforms
from crm_link.models import Flag, FlagStatus
from crm_link.types import Priority
from listener.models import Brand, Mention
from tests.api.build import judged, make_flag, make_incident
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene
from tests.api.walking import Extras, add_extras, addresses, read, write_files
from tests.make import make_author, make_brand, make_mention

#: What only the scene's first brand says.
TELLTALES = ("acme", "Acme", "shrugged")


@dataclass(frozen=True)
class Tea:
    """A second brand, looked after by the PR lead alone."""

    brand: int
    mention: int
    incident: int


@pytest.fixture
def tea(sessions: sessionmaker[Session], scene: Scene, clock: MovableClock) -> Tea:
    with sessions.begin() as session:
        brand = make_brand(session, key="tea", name="Leaf", query="leaf", names=["Leaf"])
        mention = make_mention(
            session,
            brand,
            text="Leaf tea is late again",
            author_id=make_author(session).id,
            published_at=clock.now,
            **judged("negative", Priority.SERVICE),
        )
        make_flag(session, mention, Priority.SERVICE)
        incident = make_incident(session, brand, clock.now)
        return Tea(brand.id, mention.id, incident.id)


@pytest.fixture
def lead(sign_in: SignIn, tea: Tea, scene: Scene) -> TestClient:
    body = {"name": "Tea", "brands": ["tea"], "members": [scene.users[Role.PR_LEAD]]}
    answer = sign_in(Role.ADMIN).post("/api/v1/teams", json=body)
    assert answer.status_code == 201, answer.text
    assert tea.brand
    return sign_in(Role.PR_LEAD)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    write_files(tmp_path)
    return settings.model_copy(update={"home": tmp_path})


@pytest.fixture
def extras(sessions: sessionmaker[Session], scene: Scene, clock: MovableClock) -> Extras:
    return add_extras(sessions, scene, clock.now, "shrugged")


def test_the_walk_comes_everywhere(sign_in: SignIn, scene: Scene, extras: Extras) -> None:
    admin = sign_in(Role.ADMIN)
    closed = []
    telling = set()
    for route, path, query in addresses(scene, extras):
        answer = read(admin, path, query)
        if answer.status_code != HTTPStatus.OK:
            closed.append((path, answer.status_code))
        elif any(word in answer.text for word in TELLTALES):
            telling.add(route)

    assert closed == [], closed
    # What the next test looks for is there to be found, also where an address asks for much.
    assert len(telling) > 45
    assert {
        "/api/v1/on-call/overrides",
        "/api/v1/queue/presence",
        "/api/v1/drills/{drill_id}",
        "/protocol/edit",
        "/protocol/versions/{edit_id}",
        "/reports/{kind}.{form}",
        "/reports/files/{file_id}.pdf",
        "/api/v1/report-mails",
        "/replies",
        "/api/v1/posted-replies/failing-accounts",
        "/api/v1/posted-replies/{reply_id}/events",
    } <= telling


def test_no_page_and_no_answer_shows_anything_of_another_brand(
    lead: TestClient, scene: Scene, extras: Extras
) -> None:
    leaks = []
    for route, path, query in addresses(scene, extras):
        answer = read(lead, path, query)
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, route
        found = [word for word in TELLTALES if word in answer.text]
        if answer.status_code == HTTPStatus.OK and found:
            leaks.append((path, found))

    assert leaks == []


def test_what_belongs_to_another_brand_does_not_exist(lead: TestClient, scene: Scene) -> None:
    paths = (f"/mentions/{scene.first}", f"/incidents/{scene.incident}")
    for path in paths:
        assert lead.get(path).status_code == 404
        assert lead.get(f"/api/v1{path}").status_code == 404
    assert lead.get("/api/v1/mentions", params={"brand": "acme"}).json()["items"] == []
    assert lead.get("/api/v1/trends", params={"brand": "acme"}).status_code == 404
    assert lead.get(f"/mentions/{scene.first}/why").status_code == 404


def test_ones_own_brand_is_all_there(lead: TestClient, tea: Tea) -> None:
    items = lead.get("/api/v1/mentions").json()["items"]

    assert [item["id"] for item in items] == [tea.mention]
    assert lead.get(f"/incidents/{tea.incident}").status_code == 200
    queue = lead.get("/queue").text
    assert "tea is late again" in queue
    assert 'id="badge-queue" class="badge ">1</span>' in queue


def test_another_brands_mentions_cannot_be_worked(
    lead: TestClient, scene: Scene, tea: Tea, sessions: sessionmaker[Session]
) -> None:
    form = {"act": "done", "ids": str(scene.first)}
    assert lead.post("/queue/changes", data=form).status_code == 404
    everything = {"act": "done", "all_of": "state=open"}
    assert lead.post("/queue/changes", data=everything).status_code == 303
    change = {"act": "done", "mention_ids": [scene.first]}
    assert lead.post("/api/v1/queue/changes", json=change).status_code == 404
    body = {"status": "done"}
    assert lead.post(f"/api/v1/queue/{scene.first}/close", json=body).status_code == 404
    assert lead.post(f"/incidents/{scene.incident}/acknowledge").status_code == 404
    assert lead.post(f"/mentions/{scene.first}/correct", data={"label": "neutral"}).status_code == (
        404
    )
    with sessions() as session:
        flag = session.scalar(select(Flag).where(Flag.mention_id == scene.first))
        assert flag is not None
        assert flag.status is FlagStatus.OPEN
        own = session.scalar(select(Flag).where(Flag.mention_id == tea.mention))
        assert own is not None
        assert own.status is FlagStatus.DONE


def test_links_to_another_brands_incident_are_not_ones_own(
    sign_in: SignIn, lead: TestClient, scene: Scene
) -> None:
    path = f"/incidents/{scene.incident}/shares"
    admin = sign_in(Role.ADMIN)
    assert admin.post(path, data={"name": "the board"}).status_code == 200

    assert lead.post(path, data={"name": "me"}).status_code == 404
    assert lead.post(f"{path}/1/revoke").status_code == 404
    assert admin.post(f"{path}/1/revoke").status_code == 303


def test_an_api_key_sees_what_its_user_sees(lead: TestClient, scene: Scene) -> None:
    secret = lead.post("/api/v1/keys", json={"name": "report"}).json()["secret"]
    lead.cookies.clear()
    bearer = {"Authorization": f"Bearer {secret}"}

    assert lead.get(f"/api/v1/mentions/{scene.first}", headers=bearer).status_code == 404
    assert len(lead.get("/api/v1/mentions", headers=bearer).json()["items"]) == 1


def test_a_silence_of_every_brand_is_not_for_those_who_see_some(lead: TestClient) -> None:
    form = {"severities": ["SEV-3"], "hours": "1", "comment": "works"}

    assert lead.post("/silences", data=form).status_code == 403
    assert lead.post("/silences", data=form | {"brand": "tea"}).status_code == 303


def test_drills_of_ones_own_brand_are_seen(
    lead: TestClient, tea: Tea, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        copy = Brand(
            key="tea~drill",
            name="Leaf",
            query="leaf",
            names=[],
            drill_of_id=tea.brand,
            created_at=clock.now,
        )
        session.add(copy)
        session.flush()
        incident_id = make_incident(session, copy, clock.now).id

    assert lead.get(f"/incidents/{incident_id}").status_code == 200


def test_readers_of_different_brands_do_not_share_their_limits(
    sessions: sessionmaker[Session], tea: Tea, scene: Scene
) -> None:
    for brands in ({tea.brand}, {scene.brand}, {tea.brand, scene.brand}, {tea.brand}, {0}) * 2:
        with limited_sessions(sessions, frozenset(brands))() as session:
            own = set(session.scalars(select(Brand.id)))
            mentioned = set(session.scalars(select(Mention.brand_id)))
            flagged = set(session.scalars(select(Flag.brand_id)))

        assert own == mentioned == flagged == brands - {0}


def test_who_is_in_no_team_and_every_admin_sees_all(
    sign_in: SignIn, lead: TestClient, scene: Scene
) -> None:
    for role in (Role.VIEWER, Role.ADMIN):
        assert sign_in(role).get(f"/mentions/{scene.first}").status_code == 200
    assert lead.get(f"/mentions/{scene.first}").status_code == 404


def test_a_team_is_changed_and_dissolved(
    sign_in: SignIn, lead: TestClient, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    admin = sign_in(Role.ADMIN)
    team = admin.get("/api/v1/teams").json()[0]
    form = {"name": "Hot drinks", "brands": ["tea", "acme"], "members": team["members"]}

    assert admin.post(f"/admin/teams/{team['id']}", data=form).status_code == 303
    assert "Hot drinks" in admin.get("/admin/teams").text
    assert "Hot drinks" in admin.get("/users").text
    assert lead.get(f"/mentions/{scene.first}").status_code == 200

    assert admin.post(f"/admin/teams/{team['id']}/delete").status_code == 303
    with sessions() as session:
        assert session.scalars(select(TeamBrand)).all() == []
        assert session.scalars(select(TeamMember)).all() == []


def test_a_team_needs_a_name_of_its_own_and_brands_that_exist(
    sign_in: SignIn, lead: TestClient
) -> None:
    admin = sign_in(Role.ADMIN)

    assert admin.post("/api/v1/teams", json={"name": "Tea"}).status_code == 409
    assert admin.post("/admin/teams", data={"name": " "}).status_code == 422
    assert admin.post("/api/v1/teams", json={"name": "A", "brands": ["none"]}).status_code == 404
    assert admin.post("/api/v1/teams", json={"name": "A", "members": [99999]}).status_code == 404
    assert lead.get("/admin/teams").status_code == 403


def test_filters_offer_the_platforms_of_ones_brands_once_each(
    sessions: sessionmaker[Session], tea: Tea
) -> None:
    with sessions.begin() as session:
        leaf = session.get_one(Brand, tea.brand)
        author = make_author(session)
        for platform in ("x", "rss", "bluesky", "x", "rss"):
            make_mention(session, leaf, platform=platform, author_id=author.id)
        other = make_brand(session, key="mate", name="Mate", query="mate", names=["Mate"])
        make_mention(session, other, platform="mastodon", author_id=author.id)
        drill = make_brand(session, key="tea-drill", drill_of_id=tea.brand)
        make_mention(session, drill, platform="youtube", author_id=author.id)

    with limited_sessions(sessions, frozenset({tea.brand}))() as session:
        assert list_platforms(session) == ["bluesky", "rss", "x"]
    with sessions() as session:
        everything = list_platforms(session)
        in_rows = session.scalars(select(Mention.platform).join(Brand).where(Brand.is_own()))
        assert everything == sorted(set(in_rows))
        assert {"mastodon"} < set(everything)
