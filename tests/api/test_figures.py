"""Figures of people of a large window: asked for, waited for, shown with their time."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from crm_link.figures.models import FigureWindow
from listener.models import Brand
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene
from tests.crm_link.crowd import add_crowd, count_all
from tests.make import NOW


@pytest.fixture
def crowd(scene: Scene, sessions: sessionmaker[Session], clock: MovableClock) -> int:
    assert clock.now == NOW
    with sessions.begin() as session:
        brand = session.get_one(Brand, scene.brand)
        add_crowd(session, brand)
        return brand.id


def test_a_large_window_is_shown_when_it_is_counted(
    sign_in: SignIn, crowd: int, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    client = sign_in(Role.PR_LEAD)
    page = client.get("/people/segments?brand=acme").text
    assert "Windows of more than 2,000 mentions are counted in the background." in page
    assert "every 5s" in page
    assert "groundswell worker" not in page
    clock.now += timedelta(minutes=6)
    assert "groundswell worker" in client.get("/people/segments?brand=acme").text
    assert client.get("/people/segments/leads.csv?brand=acme").status_code == 503
    assert "The people behind it" in client.get("/people/segments?brand=acme&days=7").text
    clock.now = NOW

    assert count_all(sessions) == 2

    page = client.get("/people/segments?brand=acme&group=promoter").text
    assert "As of" in page
    assert "groundswell worker" not in page
    assert len(client.get("/people/segments/leads.csv?brand=acme").text.splitlines()) > 40
    form = {"brand": "acme", "languages": "", "places": "leeds", "interests": ""}
    assert client.post("/people/segments/persona", data=form).status_code == HTTPStatus.SEE_OTHER
    assert "is being counted" in client.get("/people/segments?brand=acme").text
    clock.now += timedelta(hours=4)
    assert "older than it should be" in client.get("/people/segments?brand=acme").text
    with sessions() as session:
        assert set(session.scalars(select(FigureWindow.brand_id))) == {crowd}


def test_the_api_says_when_to_ask_again(
    sign_in: SignIn, crowd: int, sessions: sessionmaker[Session]
) -> None:
    assert crowd
    client = sign_in(Role.VIEWER)
    since = (NOW - timedelta(days=18)).isoformat()
    asked = {"brand": "acme", "since": since, "until": NOW.isoformat()}
    for path in ("", "/people", "/audience"):
        answer = client.get(f"/api/v1/figures{path}", params=asked)
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert int(answer.headers["Retry-After"]) > 0
        assert "is counted in the background" in answer.json()["error"]["message"]

    assert count_all(sessions) == 3

    figures = client.get("/api/v1/figures", params=asked).json()
    assert figures["counted_at"].startswith("2026-03-04T12:00")
    assert figures["since"][:10] == since[:10]
    people = client.get("/api/v1/figures/people", params=asked | {"most": 1000}).json()
    assert 30 < len(people) <= figures["segments"]["detractor"]["authors"]
    days = client.get("/api/v1/figures?brand=acme&days=90").json()
    assert days["until"] == figures["until"]
    assert client.get("/api/v1/figures/audience?brand=acme").json()["people"] > 200
