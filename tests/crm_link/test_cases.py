"""Cases and notes: opened by the protocol, once, in one CRM, and closed with their reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.enrich import queue_incident_enrichment
from crm_link.escalation.models import Incident, IncidentStatus, ProtocolVersion
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flag
from crm_link.models import CrmCase, WriteBack
from crm_link.outbox.addresses import make_key
from crm_link.review import reject
from crm_link.service import link_mentions, relink_due
from crm_link.triage import triage_mentions
from crm_link.types import RecordKind
from listener.models import Mention
from tests.crm_link.make_linking import CONTEXT, add_mention, brand_of, make_record, sync
from tests.crm_link.making import PROTOCOL, make_protocol
from tests.make import NOW

ASKS = "{priority: [service], label: [negative], case: true}"


@pytest.fixture(autouse=True)
def _two_crms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM", "hubspot:emea,hubspot")
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", "k" * 32)


def complain(
    sessions: sessionmaker[Session], author: dict[str, Any] | int, **changes: Any
) -> tuple[int, int]:
    """Let somebody complain, and take it through linking and triage."""
    values = {"text": "my order is not working", "published_at": NOW}
    mention_id, author_id = add_mention(sessions, author, **(values | changes))
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    with sessions() as session:
        brand_id = brand_of(session).id
    protocol = make_protocol(**{"{priority: [service], label: [negative]}": ASKS})
    triage_mentions(sessions, [mention_id], {brand_id: protocol}, clock=lambda: NOW)
    return mention_id, author_id


def cases(sessions: sessionmaker[Session]) -> list[CrmCase]:
    with sessions() as session:
        return list(session.scalars(select(CrmCase).order_by(CrmCase.id)))


def said(sessions: sessionmaker[Session], crm: str, kind: str = "case") -> list[dict[str, Any]]:
    with sessions() as session:
        rows = session.scalars(
            select(WriteBack)
            .where(WriteBack.crm == crm, WriteBack.external_id.startswith(f"{kind}/"))
            .order_by(WriteBack.id)
        )
        return [row.fields for row in rows]


def open_incident(
    sessions: sessionmaker[Session], rules: str = "{incident_notes: true}"
) -> tuple[int, int]:
    with sessions.begin() as session:
        brand = brand_of(session)
        text = PROTOCOL + f"crm: {rules}\n"
        protocol = ProtocolVersion(brand_id=brand.id, digest="d", content=text, created_at=NOW)
        session.add(protocol)
        session.flush()
        incident = Incident(
            brand_id=brand.id,
            protocol_version_id=protocol.id,
            topic="delivery",
            open_key=f"{brand.id}:delivery",
            title="Delivery",
            status=IncidentStatus.OPEN,
            severity="SEV-2",
            opened_at=NOW + timedelta(minutes=5),
            last_seen_at=NOW,
            facts={},
            peak={},
        )
        session.add(incident)
        session.flush()
        queue(session, brand.id)
        return incident.id, brand.id


def queue(session: Session, brand_id: int) -> None:
    since = NOW - timedelta(hours=1)
    queue_incident_enrichment(session, brand_id, "delivery", since=since, now=NOW)


def test_a_flagged_complaint_of_a_contact_opens_a_case_in_the_first_crm_only(
    sessions: sessionmaker[Session],
) -> None:
    for crm in ("hubspot", "hubspot:emea"):
        sync(sessions, make_record(handles=(("mastodon", "jane"),)), name=crm)

    mention_id, author_id = complain(
        sessions, {"handle": "jane"}, external_id="900", url="https://m.example/900"
    )
    complain(sessions, author_id, external_id="901", text="cancel my order, it is not working")

    (case,) = [one for one in cases(sessions) if one.mention_id == mention_id]
    assert (case.kind, case.key, case.crm, case.is_open) == (
        RecordKind.CASE,
        "mastodon:900",
        "hubspot:emea",
        True,
    )
    assert said(sessions, "hubspot") == []
    assert said(sessions, "hubspot:emea")[0] == {
        "subject": "Acme: service on mastodon",
        "body": f"Why: service: my order, negative\nPost of {NOW:%Y-%m-%d %H:%M} UTC: "
        "https://m.example/900",
        "priority": "medium",
        "state": "open",
        "contact": "c1",
    }


def test_who_is_no_contact_and_what_no_rule_asks_for_has_no_case(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)), name="hubspot")

    complain(sessions, {"handle": "stranger"})
    complain(
        sessions, {"handle": "jane", "external_id": "j"}, text="my order came", label="neutral"
    )

    assert cases(sessions) == []


def test_a_case_is_closed_with_its_flag_and_opened_again_with_it(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)), name="hubspot")
    mention_id, _ = complain(sessions, {"handle": "jane"})

    with sessions.begin() as session:
        change_flag(session, mention_id, Change(Act.DONE), by="ann", clock=lambda: NOW)
    (closed,) = said(sessions, "hubspot")
    (case,) = cases(sessions)
    assert (closed["state"], case.is_open, case.closed_at) == ("closed", False, NOW)
    with sessions.begin() as session:
        change_flag(session, mention_id, Change(Act.REOPEN), by="ann", clock=lambda: NOW)

    assert said(sessions, "hubspot")[0]["state"] == "open"


def test_a_link_that_was_wrong_takes_the_case_away(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)), name="hubspot")
    complain(sessions, {"handle": "jane"})

    with sessions.begin() as session:
        reject(session, 1, by="ann", clock=lambda: NOW)

    assert set(said(sessions, "hubspot")[0].values()) == {None}
    assert not cases(sessions)[0].is_open


def test_the_same_person_in_another_crm_gets_no_second_case_while_one_is_open(
    sessions: sessionmaker[Session],
) -> None:
    mail = ("jane@example.com",)
    sync(sessions, make_record(handles=(("mastodon", "jane"),), emails=mail), name="hubspot")
    sync(
        sessions,
        make_record("e1", handles=(("bluesky", "jane.example"),), emails=mail),
        name="hubspot:emea",
    )
    first, _ = complain(sessions, {"handle": "jane"})
    _, author_id = complain(sessions, {"platform": "bluesky", "handle": "jane.example"})
    assert [case.crm for case in cases(sessions)] == ["hubspot"]

    with sessions.begin() as session:
        change_flag(session, first, Change(Act.DONE), by="ann", clock=lambda: NOW)
    complain(sessions, author_id)

    assert {case.crm for case in cases(sessions)} == {"hubspot", "hubspot:emea"}


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("Ольга Иванова", "Olga Ivanova"),
        ("محمد الأحمد", "Mohammed Al-Ahmad"),
        ("王小明", "Xiaoming Wang"),
        ("Bob Smith", "Smith, Robert"),
    ],
)
def test_the_same_person_is_known_however_the_other_crm_writes_the_name(
    sessions: sessionmaker[Session], here: str, there: str
) -> None:
    add_two(sessions, here, there)

    assert [case.crm for case in cases(sessions)] == ["hubspot"]


def test_a_family_that_shares_an_address_is_two_people(sessions: sessionmaker[Session]) -> None:
    add_two(sessions, "Jane Doe", "John Doe")

    assert [case.crm for case in cases(sessions)] == ["hubspot", "hubspot:emea"]


def add_two(sessions: sessionmaker[Session], here: str, there: str) -> None:
    """Let contacts of two CRMs who share an address complain, each from an account of theirs."""
    for crm, platform, name in (
        ("hubspot", "mastodon", here),
        ("hubspot:emea", "bluesky", there),
    ):
        mail, handles = ("doe@example.com",), ((platform, "doe"),)
        sync(sessions, make_record(name=name, emails=mail, handles=handles), name=crm)
        complain(sessions, {"platform": platform, "handle": "doe"})


def test_who_must_not_be_contacted_has_a_case_that_says_so(
    sessions: sessionmaker[Session],
) -> None:
    jane = make_record(handles=(("mastodon", "jane"),))
    sync(sessions, jane, name="hubspot")
    complain(sessions, {"handle": "jane"})
    assert not said(sessions, "hubspot")[0]["body"].startswith("DO NOT CONTACT")

    sync(sessions, replace(jane, do_not_contact=True), name="hubspot")
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert said(sessions, "hubspot")[0]["body"].startswith("DO NOT CONTACT: so says the CRM")


def test_an_incident_leaves_a_note_on_each_record_and_says_when_it_is_over(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)), name="hubspot")
    _, author_id = complain(sessions, {"handle": "jane", "external_id": "77"})
    complain(sessions, author_id, external_id="later")
    incident_id, brand_id = open_incident(sessions)
    (note,) = said(sessions, "hubspot", "note")
    assert note["subject"] == f"Acme: incident {incident_id}, delivery, SEV-2"
    assert note["body"].startswith(f"Incident {incident_id} (delivery): open")
    assert [case.key for case in cases(sessions) if case.kind is RecordKind.NOTE] == [
        f"incident:{incident_id}:mastodon:77"
    ]

    with sessions.begin() as session:
        incident = session.get_one(Incident, incident_id)
        incident.open_key, incident.resolved_at = None, NOW + timedelta(hours=1)
        session.flush()
        queue(session, brand_id)

    (note,) = said(sessions, "hubspot", "note")
    assert "resolved" in note["body"]


def test_a_complaint_that_is_flagged_and_of_an_incident_is_one_case(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)), name="hubspot")
    mention_id, author_id = complain(sessions, {"handle": "jane"})
    complain(sessions, author_id, external_id="unflagged", text="deliver it at last", priority=None)

    incident_id, brand_id = open_incident(sessions, "{incident_cases: true}")

    (case,) = cases(sessions)
    assert case.mention_id == mention_id
    with sessions.begin() as session:
        session.get_one(Mention, mention_id).label = "neutral"
        incident = session.get_one(Incident, incident_id)
        incident.open_key, incident.resolved_at = None, NOW + timedelta(hours=1)
        session.flush()
        queue(session, brand_id)
    # The flag that opened it is still a person's work.
    assert said(sessions, "hubspot")[0]["state"] == "open"


@pytest.mark.parametrize(
    ("external_id", "key"),
    [
        ("1780000000000000001", "x:1780000000000000001"),
        ("at://did:plc:abc/app.bsky.feed.post/3k", "x:9ae2a4"),
        ("it's", "x:"),
    ],
)
def test_a_key_can_stand_in_a_query_and_a_path(external_id: str, key: str) -> None:
    made = make_key("x", external_id)

    assert made.startswith(key[:2])
    assert not set(made) & set("/'\" ")
    assert len(made) <= 90
