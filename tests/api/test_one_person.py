"""What one CRM's record forbids, on the page and in the API of the same person's other record."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from crm_link.contacts.joining import join_due
from crm_link.models import Contact
from tests.api.conftest import SignIn
from tests.api.scene import Scene
from tests.crm_link.make_linking import CONTEXT, make_record, sync

MAIL = ("pat@example.com",)


@pytest.fixture
def records(scene: Scene, sessions: sessionmaker[Session]) -> tuple[int, int]:
    """Give two records of one person, of which the first one says: do not contact."""
    assert scene.brand
    first = make_record("p1", name="Pat Kim", emails=MAIL, do_not_contact=True)
    sync(sessions, first, name="hubspot")
    sync(sessions, make_record("p2", name="Pat Kim", emails=MAIL), name="salesforce")
    join_due(sessions, context=CONTEXT)
    with sessions() as session:
        query = select(Contact.id).where(Contact.name == "Pat Kim").order_by(Contact.id)
        one, other = session.scalars(query).all()
    return one, other


def test_the_page_and_the_api_say_which_record_forbids_to_contact(
    sign_in: SignIn, records: tuple[int, int]
) -> None:
    one, other = records
    client = sign_in(Role.VIEWER)

    page = client.get(f"/people/{other}").text
    found = client.get(f"/api/v1/people/{other}").json()

    assert "Do not contact: so says their record in another CRM," in page
    assert f'<a href="/people/{one}">hubspot p1</a>' in page
    assert found["contact"]["do_not_contact"]
    assert found["do_not_contact_by"] == [{"id": one, "crm": "hubspot", "external_id": "p1"}]
    assert [(twin["is_same"], twin["decided_by"]) for twin in found["same_person"]] == [
        (True, None)
    ]
    assert client.get(f"/api/v1/contacts/{other}").json()["do_not_contact"]
    assert client.post(f"/people/{other}/same/{one}", data={"said": "other"}).status_code == 403


def test_the_two_are_held_apart_and_that_is_taken_back(
    sign_in: SignIn, records: tuple[int, int], sessions: sessionmaker[Session]
) -> None:
    one, other = records
    client = sign_in(Role.COMMUNITY_MANAGER)
    api = f"/api/v1/people/{other}"

    answer = client.post(f"/people/{other}/same/{one}", data={"said": "other"})

    assert answer.headers["location"] == f"/people/{other}"
    page = client.get(f"/people/{other}").text
    assert "The two records are held apart now." in page
    assert "somebody else" in page
    assert "not to be contacted" not in page
    assert not client.get(api).json()["contact"]["do_not_contact"]
    assert client.delete(f"{api}/same/{one}").status_code == 204
    assert client.get(api).json()["contact"]["do_not_contact"]
    assert client.delete(f"{api}/same/{one}").status_code == 404
    assert client.put(f"{api}/same/{one}", json={"is_same": True}).status_code == 204
    assert client.get(api).json()["same_person"][0]["decided_by"]
    assert client.put(f"{api}/same/{other}", json={"is_same": True}).status_code == 422
    assert client.put(f"{api}/same/999999", json={"is_same": True}).status_code == 404
    with sessions() as session:
        said = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert said[-3:] == [
        f"said to be somebody else than contact {one}",
        f"taken back what was said of contact {one}",
        f"said to be one person with contact {one}",
    ]


def test_another_name_at_the_same_address_is_a_warning_only(
    sign_in: SignIn, records: tuple[int, int], sessions: sessionmaker[Session]
) -> None:
    assert records
    sync(sessions, make_record("p3", name="Robin Kim", emails=MAIL), name="zoho")
    join_due(sessions, context=CONTEXT)
    with sessions() as session:
        robin = session.scalars(select(Contact.id).where(Contact.name == "Robin Kim")).one()
    client = sign_in(Role.VIEWER)

    page = client.get(f"/people/{robin}").text

    assert "Perhaps not to be contacted: so says a record that may be the same person" in page
    assert not client.get(f"/api/v1/people/{robin}").json()["contact"]["do_not_contact"]


def test_a_consent_and_an_opt_out_of_the_other_record_are_shown(
    sign_in: SignIn, records: tuple[int, int]
) -> None:
    one, other = records
    client = sign_in(Role.COMMUNITY_MANAGER)
    consents = [
        client.post(f"/api/v1/contacts/{contact_id}/consents", json={"scope": "x", "note": "f"})
        for contact_id in (other, one)
    ]
    consent_id = consents[1].json()["id"]
    client.post(f"/api/v1/contacts/{one}/consents/{consent_id}/revoke")
    client.post(f"/api/v1/contacts/{one}/opt-out")

    page = client.get(f"/people/{other}").text

    assert "taken back in hubspot p1" in page
    assert "It was said in their record in another CRM," in page
    assert client.get(f"/api/v1/people/{other}").json()["consents"] == []
    assert client.get(f"/api/v1/contacts/{other}/consents").json()["opted_out"]
    answer = client.post(f"/api/v1/contacts/{other}/opt-in")
    assert answer.status_code == 409
    assert "opted out as hubspot p1" in answer.json()["error"]["message"]
