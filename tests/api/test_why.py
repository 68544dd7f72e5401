"""Why an incident was raised, in the API and on its page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from crm_link.escalation.models import Incident
from listener.models import Author
from tests.api.conftest import NOW
from tests.api.scene import Scene
from tests.crm_link.escalation.test_why import make_author, make_post

SignIn = Callable[[Role], TestClient]


def make_campaign(sessions: sessionmaker[Session], scene: Scene, now: datetime = NOW) -> list[int]:
    """Let twelve accounts say the same two things within half a minute, each time."""
    with sessions.begin() as session:
        incident = session.get_one(Incident, scene.incident)
        topic = next(iter(incident.facts.get("topics") or [incident.topic]))
        authors = [make_author(session, number, now) for number in range(12)]
        for wave, text in enumerate(("Shame </script> on them", "They have lied to us all")):
            for number, author_id in enumerate(authors):
                at = incident.opened_at - timedelta(minutes=20 - 9 * wave)
                at += number * timedelta(seconds=2)
                make_post(session, incident.brand_id, text, at, author_id=author_id, topic=topic)
        session.get_one(Author, authors[0]).handle = "</script><b>loud"
        return authors


def test_the_api_tells_why_with_the_accounts_names(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    authors = make_campaign(sessions, scene)

    answer = sign_in(Role.VIEWER).get(f"/api/v1/incidents/{scene.incident}/why").json()

    assert answer["now"]["coordination"]["accounts"] == 12
    assert answer["authors"][str(authors[1])] == "h1"
    assert "12 accounts post the same" in answer["summary"]
    assert sign_in(Role.VIEWER).get("/api/v1/incidents/999999/why").status_code == 404


def test_the_page_draws_the_network_and_says_it_in_a_table(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    make_campaign(sessions, scene)
    client = sign_in(Role.VIEWER)

    page = client.get(f"/incidents/{scene.incident}").text
    part = client.get(f"/incidents/{scene.incident}/why").text

    assert f'hx-get="/incidents/{scene.incident}/why"' in page
    assert 'id="why-network"' in part
    assert "<td><bdi>h1</bdi></td>" in part
    assert "</script><b>" not in part
    assert "\\u003c/script>\\u003cb>loud" in part
