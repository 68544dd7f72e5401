"""What somebody sees on the first day, before anything was collected."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from tests.api.build import PASSWORD, make_users
from tests.api.conftest import NOW, email_of
from tests.make import make_brand, make_mention


def test_the_queue_says_how_to_begin_until_there_is_something(
    open_client: Callable[[], TestClient], sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_users(session, NOW)
    client = open_client()
    client.post("/sign-in", data={"email": email_of(Role.ADMIN), "password": PASSWORD})

    page = client.get("/queue").text
    assert "Nothing has been collected yet" in page
    assert "groundswell import mentions FILE" in page
    assert "<h1>Protocol</h1>" in client.get("/protocol").text

    with sessions.begin() as session:
        make_mention(session, make_brand(session))
    assert "Every flagged mention has been worked" in client.get("/queue").text
