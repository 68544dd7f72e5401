from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.contacts.exports import export_contacts, export_links
from crm_link.enrich import queue_enrichment, queue_incident_enrichment
from crm_link.escalation.models import Incident, IncidentStatus, ProtocolVersion
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.refusals import record_consent, revoke_consent
from crm_link.service import link_mentions, relink_due
from listener.models import Author, Mention
from tests.crm_link.make_linking import CONTEXT, add_mention, brand_of, make_record, sync
from tests.make import NOW


def link(sessions: sessionmaker[Session], *mention_ids: int) -> None:
    link_mentions(sessions, mention_ids, clock=lambda: NOW, context=CONTEXT)


def fields(sessions: sessionmaker[Session]) -> dict[str, Any]:
    with sessions() as session:
        return session.scalars(select(WriteBack)).one().fields


def versions(sessions: sessionmaker[Session]) -> list[int]:
    with sessions() as session:
        return list(session.scalars(select(WriteBack.version)))


def contact_ids(session: Session) -> list[int]:
    return list(session.scalars(select(Contact.id)))


def test_a_confirmed_link_fills_the_record(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    first, author_id = add_mention(sessions, {"handle": "jane"}, label="negative", score=-0.6)
    second, _ = add_mention(
        sessions, author_id, label="positive", score=0.3, published_at=NOW + timedelta(hours=1)
    )
    unknown, _ = add_mention(
        sessions, author_id, label="unknown", score=0.0, published_at=NOW + timedelta(hours=2)
    )

    link(sessions, first, second, unknown)

    assert fields(sessions) == {
        "groundswell_handles": "mastodon:jane",
        "groundswell_mentions": 3,
        "groundswell_last_mention_at": (NOW + timedelta(hours=2)).isoformat(),
        "groundswell_last_sentiment": "positive",
        "groundswell_average_sentiment": -0.15,
        "groundswell_complaints": 0,
        "groundswell_lead_score": None,
        "groundswell_churn_score": None,
        "groundswell_segment": None,
        "groundswell_open_incident": None,
    }
    assert set(fields(sessions)) == {field.name for field in CRM_FIELDS}


def test_a_later_mention_counts_and_the_same_twice_is_no_write(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    first, author_id = add_mention(sessions, {"handle": "jane"})
    link(sessions, first)
    second, _ = add_mention(sessions, author_id)

    link(sessions, second)
    with sessions.begin() as session:
        assert queue_enrichment(session, contact_ids(session), now=NOW) == 0

    assert fields(sessions)["groundswell_mentions"] == 2
    assert versions(sessions) == [2]


def test_nothing_is_written_of_a_suggestion(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("info@example.com",)))
    mention_id, _ = add_mention(sessions, {"bio": "info@example.com"})

    link(sessions, mention_id)

    assert versions(sessions) == []


def test_a_withdrawn_link_clears_the_fields(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {"bio": "jane@example.com"})
    link(sessions, mention_id)

    with sessions.begin() as session:
        author = session.get_one(Author, author_id)
        author.bio, author.link_due_at = None, NOW
    relink_due(sessions, clock=lambda: NOW, context=CONTEXT)

    assert fields(sessions) == dict.fromkeys(field.name for field in CRM_FIELDS)


@pytest.mark.parametrize(
    ("source", "sentiment"), [(None, None), ("prior_relationship", None), ("consent", "negative")]
)
def test_sentiment_found_on_x_is_written_with_consent_only(
    sessions: sessionmaker[Session], source: str | None, sentiment: str | None
) -> None:
    sync(sessions, make_record(handles=(("x", "jane"),), relationship_source=source))
    mention_id, _ = add_mention(sessions, {"platform": "x", "handle": "jane"})

    link(sessions, mention_id)

    assert fields(sessions)["groundswell_mentions"] == 1
    assert fields(sessions)["groundswell_last_sentiment"] == sentiment


def test_a_recorded_consent_lets_sentiment_be_written_until_it_is_taken_back(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(handles=(("x", "jane"),)))
    mention_id, _ = add_mention(sessions, {"platform": "x", "handle": "jane"})
    link(sessions, mention_id)
    with sessions.begin() as session:
        (contact_id,) = contact_ids(session)
        consent_id = record_consent(
            session, contact_id, "x", note="form of May", by="ann", context=CONTEXT
        ).id

    relink_due(sessions, clock=utc_now, context=CONTEXT)
    assert fields(sessions)["groundswell_last_sentiment"] == "negative"
    with sessions.begin() as session:
        revoke_consent(session, contact_id, consent_id, by="ann", context=CONTEXT)
    relink_due(sessions, clock=utc_now, context=CONTEXT)

    assert fields(sessions)["groundswell_last_sentiment"] is None
    assert fields(sessions)["groundswell_average_sentiment"] is None
    assert fields(sessions)["groundswell_mentions"] == 1


def test_the_companys_own_rules_decide_where_sentiment_is_written(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    shipped = Path("config/defaults/link_policy.yaml").read_text("utf-8")
    own = "platforms:\n  mastodon: {rule: allowed, sentiment_needs_consent: true}"
    rules.write_text(shipped.replace("platforms:", own, 1), "utf-8")
    monkeypatch.setenv("GROUNDSWELL_LINK_POLICY", str(rules))
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, _ = add_mention(sessions, {"handle": "jane"})

    link(sessions, mention_id)

    assert fields(sessions)["groundswell_mentions"] == 1
    assert fields(sessions)["groundswell_last_sentiment"] is None
    with sessions.begin() as session:
        rules.write_text(shipped, "utf-8")
        assert queue_enrichment(session, contact_ids(session), now=NOW) == 1
    assert fields(sessions)["groundswell_last_sentiment"] == "negative"


def test_two_accounts_of_one_person_are_one_record(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"), ("bluesky", "jane.example"))))
    one, _ = add_mention(sessions, {"handle": "jane"}, score=-1.0)
    two, _ = add_mention(sessions, {"platform": "bluesky", "handle": "jane.example"}, score=0.5)

    link(sessions, one, two)

    assert fields(sessions)["groundswell_handles"] == "bluesky:jane.example; mastodon:jane"
    assert fields(sessions)["groundswell_average_sentiment"] == -0.25


def test_an_open_incident_is_named_until_it_is_resolved(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, _ = add_mention(sessions, {"handle": "jane"})
    link(sessions, mention_id)
    with sessions.begin() as session:
        brand = brand_of(session)
        session.get_one(Mention, mention_id).topic = "battery"
        protocol = ProtocolVersion(brand_id=brand.id, digest="d", content="", created_at=NOW)
        session.add(protocol)
        session.flush()
        incident = Incident(
            brand_id=brand.id,
            protocol_version_id=protocol.id,
            topic="battery",
            open_key=f"{brand.id}:battery",
            title="Battery",
            status=IncidentStatus.OPEN,
            severity="sev1",
            opened_at=NOW + timedelta(minutes=5),
            last_seen_at=NOW,
            facts={},
            peak={},
        )
        session.add(incident)
        session.flush()
        since = NOW - timedelta(hours=1)
        changed = queue_incident_enrichment(session, brand.id, "battery", since=since, now=NOW)
        assert changed == 1
        incident_id, brand_id = incident.id, brand.id
    assert fields(sessions)["groundswell_open_incident"] == f"incident {incident_id}"

    with sessions.begin() as session:
        session.get_one(Incident, incident_id).open_key = None
        session.flush()
        queue_incident_enrichment(session, brand_id, "battery", since=since, now=NOW)

    assert fields(sessions)["groundswell_open_incident"] is None


def test_a_dead_row_lives_again_when_its_fields_change(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    first, author_id = add_mention(sessions, {"handle": "jane"})
    link(sessions, first)
    with sessions.begin() as session:
        row = session.scalars(select(WriteBack)).one()
        row.status, row.attempts = DeliveryStatus.DEAD, 10

    second, _ = add_mention(sessions, author_id)
    link(sessions, second)

    with sessions() as session:
        row = session.scalars(select(WriteBack)).one()
        assert (row.status, row.attempts, row.version) == (DeliveryStatus.PENDING, 0, 2)


def test_links_and_contacts_are_exported_as_json_lines(
    sessions: sessionmaker[Session], tmp_path: Any
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "Jane"),), name="Жанна Дарк"))
    mention_id, _ = add_mention(sessions, {"handle": "jane", "external_id": "u7"})
    link(sessions, mention_id)

    assert export_links(sessions, tmp_path / "links.jsonl") == 1
    assert export_contacts(sessions, tmp_path / "contacts.jsonl") == 1

    exported = orjson.loads((tmp_path / "links.jsonl").read_bytes())
    assert exported["author_external_id"] == "u7"
    assert exported["contact_external_id"] == "c1"
    assert exported["state"] == "confirmed"
    assert exported["evidence"][0]["kind"] == "crm_handle"
    contact = orjson.loads((tmp_path / "contacts.jsonl").read_bytes())
    assert (contact["name"], contact["handles"]) == ("Жанна Дарк", ["mastodon:Jane"])
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "contacts.jsonl",
        "links.jsonl",
    ]
