"""Webhooks from CRMs, over real HTTP: signed, recent, once; what they name is read again."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from config.clock import utc_now
from config.settings import Settings
from crm_link.contacts.mirror import sync_contacts
from crm_link.crm import Crm
from crm_link.hook_models import CrmRecheck
from crm_link.hook_notices import recheck_contacts
from crm_link.models import Contact
from crm_link.refusals import consents_of, record_consent
from tests.crm_link.crms.hook_requests import SECRET, SETTING, Console, sign
from tests.crm_link.crms.records import fill, number
from tests.crm_link.crms.server import FakeCrm
from tests.crm_link.make_linking import CONTEXT


@pytest.fixture
def console(
    fake: FakeCrm, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Console]:
    monkeypatch.setenv(SETTING[fake.name], SECRET)
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", "made up, and long enough for a session")
    place = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{place.getsockname()[1]}"
    settings = Settings(
        secret_key=SecretStr("made up, and long enough for a session"),
        crm=fake.name,
        public_url=url,
    )
    app = create_app(settings, sessions)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    yield Console(url, fake.name)
    server.should_exit = True
    thread.join()


@pytest.fixture
def known(fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]) -> None:
    """Bring three contacts into our mirror."""
    fill(fake, 3)
    sync_contacts(sessions, crm, name=fake.name, context=CONTEXT)


def contact(sessions: sessionmaker[Session], external_id: str) -> Contact:
    with sessions() as session:
        return session.scalars(select(Contact).where(Contact.external_id == external_id)).one()


def waiting(sessions: sessionmaker[Session]) -> set[str]:
    with sessions() as session:
        return set(session.scalars(select(CrmRecheck.external_id)))


@pytest.mark.usefixtures("known")
def test_a_change_is_read_from_the_crm_and_not_from_the_webhook(
    console: Console, fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    fake.contacts[number(1)]["last"] = "Renamed"

    answer = console.send([(number(1), "changed")])

    assert (answer.status_code, answer.json()) == (200, {"contacts": 1})
    assert contact(sessions, number(1)).name == "Ann Lee1"
    found = recheck_contacts(sessions, crm, name=fake.name, context=CONTEXT)
    assert (found.seen, found.changed) == (1, 1)
    assert contact(sessions, number(1)).name == "Ann Renamed"
    assert waiting(sessions) == set()


@pytest.mark.usefixtures("known")
def test_a_deletion_holds_at_once_and_a_wrong_one_is_mended_by_the_next_look(
    console: Console, fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    fake.delete(number(0))
    assert console.send([(number(0), "deleted")]).status_code == 200
    assert console.send([(number(2), "deleted")]).status_code == 200

    assert contact(sessions, number(0)).deleted_at is not None
    assert contact(sessions, number(2)).deleted_at is not None
    recheck_contacts(sessions, crm, name=fake.name, context=CONTEXT)
    assert contact(sessions, number(0)).deleted_at is not None
    assert contact(sessions, number(2)).deleted_at is None


@pytest.mark.usefixtures("known")
def test_a_contact_that_is_gone_is_found_to_be(
    console: Console, fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    fake.delete(number(0))
    console.send([(number(0), "changed")])

    found = recheck_contacts(sessions, crm, name=fake.name, context=CONTEXT)

    assert found.deleted == 1
    assert contact(sessions, number(0)).deleted_at is not None


@pytest.mark.usefixtures("known")
def test_a_withdrawn_consent_holds_at_once(
    console: Console, fake: FakeCrm, sessions: sessionmaker[Session]
) -> None:
    if fake.name == "zoho":
        pytest.skip("Zoho does not say which field changed")
    one = contact(sessions, number(1)).id
    with sessions.begin() as session:
        record_consent(session, one, "any", note="form 7", by="ann", context=CONTEXT)

    assert console.send([(number(1), "opted_out")]).status_code == 200

    assert contact(sessions, number(1)).do_not_contact
    with sessions() as session:
        assert consents_of(session, [one]) == {}


@pytest.mark.usefixtures("known")
def test_what_is_unsigned_late_or_repeated_changes_nothing(
    console: Console, sessions: sessionmaker[Session]
) -> None:
    body, headers = console.make([(number(0), "deleted")])

    forged = body.replace(number(0).encode(), number(1).encode())
    if console.crm == "zoho":
        forged = forged.replace(SECRET.encode(), b"a guess")
    assert console.post(forged, headers).status_code == 401
    assert console.post(body.replace(SECRET.encode(), b"no"), {}).status_code == 401
    assert console.send([(number(0), "deleted")], late_s=310).status_code == 401
    assert console.send([(number(0), "deleted")], late_s=-400).status_code == 401
    assert contact(sessions, number(0)).deleted_at is None
    assert waiting(sessions) == set()

    assert console.post(body, headers).status_code == 200
    assert console.post(body, headers).status_code == 409
    assert waiting(sessions) == {number(0)}


def test_bad_input_gets_a_clear_answer(console: Console) -> None:
    long = httpx.post(console.address, content=b"x" * 1_000_001, timeout=30, trust_env=False)
    unknown = httpx.post(
        f"{console.url}/api/v1/hooks/pipedrive", content=b"{}", timeout=30, trust_env=False
    )

    assert (long.status_code, unknown.status_code) == (422, 404)
    assert "1,000,000 bytes" in long.json()["error"]["message"]
    if console.crm == "zoho":
        body = json.dumps({"token": SECRET, "module": "Contacts"}).encode()
        answer = console.post(body, {})
    elif console.crm == "hubspot":
        stamp = str(int(time.time() * 1000))
        signed = sign(b"POST" + console.address.encode() + b"{}" + stamp.encode())
        headers = {"X-HubSpot-Signature-v3": signed, "X-HubSpot-Request-Timestamp": stamp}
        answer = console.post(b"{}", headers)
    else:
        stamp = str(int(time.time()))
        headers = {
            "X-Groundswell-Signature": sign(stamp.encode() + b".{}"),
            "X-Groundswell-Timestamp": stamp,
        }
        answer = console.post(b"{}", headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.usefixtures("known")
def test_events_of_other_things_are_taken_and_ignored(
    console: Console, sessions: sessionmaker[Session]
) -> None:
    answer = console.send([(number(0), "other")])

    assert (answer.status_code, answer.json()) == (200, {"contacts": 0})
    assert waiting(sessions) == set()


def test_without_a_secret_nobody_is_listened_to(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SETTING[console.crm])

    answer = console.send([(number(0), "deleted")])

    assert answer.status_code == 404
    assert "not set up" in answer.json()["error"]["message"]


def test_a_hubspot_merge_deletes_the_merged_and_looks_at_the_kept(
    console: Console, known: None, sessions: sessionmaker[Session]
) -> None:
    del known
    if console.crm != "hubspot":
        pytest.skip("HubSpot's own event")
    event = {
        "subscriptionType": "contact.merge",
        "objectId": number(1),
        "primaryObjectId": number(1),
        "mergedObjectIds": [number(0)],
    }
    body = json.dumps([event]).encode()
    stamp = str(int(utc_now().timestamp() * 1000))
    signature = sign(b"POST" + console.address.encode() + body + stamp.encode())

    answer = console.post(
        body, {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    )

    assert answer.json() == {"contacts": 2}
    assert contact(sessions, number(0)).deleted_at is not None
    assert contact(sessions, number(1)).deleted_at is None
