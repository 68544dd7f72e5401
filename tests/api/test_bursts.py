"""The burst index in the API and the console."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from crm_link.escalation.models import Incident
from crm_link.escalation.reasons.burst_words import burst_facts
from sentiment.bursts.readings import Burst
from sentiment.bursts.service import step_bursts
from tests.api.conftest import NOW, MovableClock
from tests.api.scene import Scene
from tests.sentiment.burst_series import background
from tests.sentiment.burst_volumes import store_counts

SignIn = Callable[[Role], TestClient]


def test_trends_carry_the_present_burst_of_one_brand(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    store_counts(sessions, scene.brand, NOW - timedelta(days=11), background(10, 11, seed=3))
    store_counts(sessions, scene.brand, NOW, [60])
    clock.now = NOW + timedelta(minutes=1)
    step_bursts(sessions, clock=clock)
    client = sign_in(Role.VIEWER)

    one = client.get("/api/v1/trends", params={"brand": "acme"}).json()
    everything = client.get("/api/v1/trends").json()

    burst = one["bursts"][""]
    assert burst["index"] > 1
    assert burst["seen"] >= 60 > burst["expected"]
    assert burst["is_known"]
    assert everything["bursts"] == {}


def test_an_incidents_page_shows_its_burst(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    client = sign_in(Role.VIEWER)
    before = client.get(f"/incidents/{scene.incident}").text
    with sessions.begin() as session:
        incident = session.get_one(Incident, scene.incident)
        burst = burst_facts(Burst(3.21, 34.0, 5.04, 3600, is_known=True))
        incident.facts = {**incident.facts, "burst": burst}
        incident.peak = {**incident.peak, "burst": {**burst, "index": 4.5}}

    page = client.get(f"/incidents/{scene.incident}").text

    assert "Burst index" not in before
    assert '<strong class="num">3.2</strong>' in page
    assert "34 negative in 1 h, expected 5; 4.5 at the worst" in page


@pytest.mark.parametrize("is_older", [False, True])
def test_in_the_first_week_a_burst_is_provisional_and_nothing_is_expected(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], *, is_older: bool
) -> None:
    client = sign_in(Role.VIEWER)
    with sessions.begin() as session:
        incident = session.get_one(Incident, scene.incident)
        burst = burst_facts(Burst(3.21, 34.0, 0.0, 3600, is_known=True), is_provisional=True)
        if is_older:  # of a version that did not say so
            del burst["is_provisional"]
        incident.facts = {**incident.facts, "burst": burst}

    page = client.get(f"/incidents/{scene.incident}").text
    spanish = client.get(f"/incidents/{scene.incident}", headers={"Accept-Language": "es"}).text

    assert "34 negative in 1 h; provisional until a week is known" in page
    assert "nothing to compare with until a week is known" in page
    assert "expected 0" not in page
    assert "34 negativas en 1 h; provisional hasta que se conozca una semana" in spanish
