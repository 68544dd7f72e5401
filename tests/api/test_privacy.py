"""Consent, opt-outs and erasures through the console and the API."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from crm_link.models import Contact, IdentityLink
from crm_link.privacy.erasure import run_open_erasures
from crm_link.service import relink_due
from crm_link.types import LinkState
from listener.models import Author
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene


def contact_of(sessions: sessionmaker[Session]) -> tuple[int, str, int]:
    """Return the linked contact, its name in the CRM, and its author."""
    with sessions() as session:
        row = session.execute(
            select(Contact.id, Contact.crm, Contact.external_id, IdentityLink.author_id)
            .join(IdentityLink, IdentityLink.contact_id == Contact.id)
            .where(IdentityLink.state == LinkState.CONFIRMED)
        ).one()
    return row.id, f"{row.crm}:{row.external_id}", row.author_id


def test_consent_is_recorded_taken_back_and_opted_out_of(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    assert scene.brand
    client = sign_in(Role.COMMUNITY_MANAGER)
    contact_id, _, author_id = contact_of(sessions)
    page = f"/people/{contact_id}"
    given = {"scope": "reddit", "note": "form of 3 March"}

    assert client.post(f"{page}/consents", data={"scope": "x", "note": " "}).status_code == 422
    answer = client.post(f"{page}/consents", data=given)
    assert answer.headers["location"] == f"{page}#consent"
    assert "form of 3 March" in client.get(page).text
    api = f"/api/v1/contacts/{contact_id}"
    second = client.post(f"{api}/consents", json={"scope": "any", "note": "call"}).json()
    held = client.get(f"{api}/consents").json()
    assert [one["scope"] for one in held["consents"]] == ["reddit", "any"]
    assert held["opted_out"] is False
    revoke = f"{api}/consents/{second['id']}/revoke"
    assert client.post(revoke).json()["revoked_by"]
    assert client.post(revoke).status_code == 409
    first = held["consents"][0]["id"]
    assert client.post(f"{page}/consents/{first}/revoke").status_code == 303
    assert "taken back" in client.get(page).text

    assert client.post(f"{page}/opt-out").status_code == 303
    assert "Opted out: linked to nobody" in client.get(page).text
    assert client.post(f"{api}/opt-in").status_code == 204
    assert client.post(f"{api}/opt-in").status_code == 404
    with sessions() as session:
        author = session.get_one(Author, author_id)
    account = {"platform": author.platform, "account": author.external_id}
    assert client.post(f"{page}/opt-out-account", data=account).status_code == 303
    unseen = client.post("/api/v1/opt-outs", json={"platform": "x", "account": "77"})
    assert unseen.json() == {"author_id": None, "contact_id": None}
    relink_due(sessions, clock=clock)
    with sessions() as session:
        link = session.scalars(
            select(IdentityLink).where(IdentityLink.contact_id == contact_id)
        ).one()
        assert link.state is LinkState.WITHDRAWN
        done = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert done[-6:] == [
        "consent for any taken back",
        "consent for reddit taken back",
        "opted out of linking",
        "opt-out taken back",
        "opted out of linking",
        "opted out of linking",
    ]


def test_a_person_is_looked_at_told_and_erased(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    assert scene.brand
    client = sign_in(Role.ADMIN)
    contact_id, name, author_id = contact_of(sessions)
    whom = {"kind": "contact", "whom": name, "whole_person": "true"}

    assert "Nobody was erased" in client.get("/admin/privacy").text
    shown = client.post("/admin/privacy/look", data=whom)
    assert "Erase them" in shown.text
    assert f"contact {contact_id}, whole person" in shown.text
    told = client.post("/admin/privacy/export", data=whom)
    assert told.headers["content-disposition"].startswith("attachment")
    assert json.loads(told.text)["records"][0]["name"] == "Ines Okafor"
    same = client.post("/api/v1/privacy/export", json={"contact": name})
    assert same.json()["records"][0]["name"] == "Ines Okafor"
    preview = client.post("/api/v1/privacy/erasures/preview", json={"contact": name})
    assert preview.json()["rows"]["contact"] == 1
    reason = {"reason": "ticket 881"}
    assert client.post("/admin/privacy/erase", data=whom | reason).status_code == 422
    answer = client.post("/admin/privacy/erase", data=whom | reason | {"sure": "true"})
    page = answer.headers["location"]
    assert "No receipt yet" in client.get(page).text
    again = client.post("/api/v1/privacy/erasures", json={"contact": name, **reason})
    assert again.status_code == 202

    assert run_open_erasures(sessions, clock=clock) == 2

    text = client.get(page).text
    assert "nothing left" in text
    assert "ticket 881" in client.get("/admin/privacy").text
    (second, first) = client.get("/api/v1/privacy/erasures").json()
    assert (first["state"], second["state"]) == ("done", "done")
    one = client.get(f"/api/v1/privacy/erasures/{first['id']}").json()
    assert {"database", "logs", "files"} <= {line["system"] for line in one["receipts"]}
    with sessions() as session:
        assert session.get_one(Author, author_id).handle is None
    assert client.get(f"/people/{contact_id}").status_code == 404
