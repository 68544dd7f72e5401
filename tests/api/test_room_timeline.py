"""A war room shows the newest of a long day, and all of it on request."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from api.console.incidents import LATEST
from api.models import Role
from config.clock import utc_now
from crm_link.escalation.delivery.outbox import add_event
from crm_link.escalation.incidents import count_events, list_events
from tests.api.conftest import SignIn
from tests.api.scene import Scene

_NOTES = re.compile(r"note number (\d+)\.")


def test_a_long_timeline_begins_with_the_newest_and_is_whole_on_request(
    sign_in: SignIn, sessions: sessionmaker[Session], scene: Scene
) -> None:
    client = sign_in(Role.VIEWER)
    page = f"/incidents/{scene.incident}"
    assert "timeline=all" not in client.get(page).text
    with sessions.begin() as session:
        for number in range(200):
            at = utc_now() + timedelta(seconds=number)
            text = {"text": f"note number {number}."}
            add_event(session, scene.incident, "note", "ana@example.org", at, text)

    newest = [int(one) for one in _NOTES.findall(client.get(page).text)]
    assert newest == list(range(199, 199 - LATEST, -1))
    with sessions() as session:
        entries = count_events(session, scene.incident)
        assert entries == len(list_events(session, scene.incident)) > 200
        latest = list_events(session, scene.incident, latest=LATEST)
        assert latest == list_events(session, scene.incident)[-LATEST:]
    assert f"All {entries} entries" in client.get(page).text
    whole = client.get(page, params={"timeline": "all"}).text
    assert [int(one) for one in _NOTES.findall(whole)] == list(range(199, -1, -1))
    assert "timeline=all" not in whole
