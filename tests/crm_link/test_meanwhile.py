"""What a person decides while a worker is at the same row: the person's word stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.enrich import queue_enrichment
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flag
from crm_link.models import CrmCase, Flag, FlagStatus, IdentityLink
from crm_link.review import reject
from crm_link.service import link_mentions, relink_due
from crm_link.triage import triage_mentions
from crm_link.types import LinkState
from listener.models import Author, Mention, Step
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.crm_link.making import MovableClock, make_brand, make_mentions, make_protocol
from tests.make import NOW
from tests.meanwhile import meanwhile


def test_a_link_that_is_rejected_while_authors_are_judged_stays_rejected(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(emails=("jane@example.com",)))
    mention_id, author_id = add_mention(sessions, {"bio": "jane@example.com"})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    with sessions.begin() as session:
        link_id = session.scalars(select(IdentityLink.id)).one()
        # Its evidence is gone: the machine is about to withdraw the link.
        session.execute(
            update(Author).where(Author.id == author_id).values(bio="gone", link_due_at=NOW)
        )

    def judge() -> None:
        later = NOW + timedelta(hours=1)
        relink_due(sessions, clock=lambda: later, context=CONTEXT)

    with meanwhile(sessions, judge) as session:
        reject(session, link_id, by="ann@example.com", clock=lambda: NOW)

    with sessions() as session:
        link = session.get_one(IdentityLink, link_id)
        assert (link.state, link.decided_by) == (LinkState.REJECTED, "ann@example.com")


def test_a_flag_that_is_closed_while_its_mention_is_triaged_stays_closed(
    sessions: sessionmaker[Session],
) -> None:
    brand_id = make_brand(sessions)
    (mention_id,) = make_mentions(sessions, brand_id, "They lost my order")

    def triage() -> int:
        return triage_mentions(
            sessions, [mention_id], {brand_id: make_protocol()}, clock=MovableClock()
        )

    triage()
    with sessions.begin() as session:
        session.execute(update(Mention).values(pending=Step.TRIAGE))

    with meanwhile(sessions, triage) as session:
        change_flag(
            session,
            mention_id,
            Change(Act.DONE),
            by="ann@example.com",
            clock=lambda: NOW,
        )

    with sessions() as session:
        flag = session.scalars(select(Flag)).one()
        assert (flag.status, flag.closed_by) == (FlagStatus.DONE, "ann@example.com")


def test_two_workers_open_one_case_for_one_person_in_two_crms(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM", "csv_file")  # which opens no cases
    brand_id = make_brand(sessions)
    asks = "{priority: [service], label: [negative], case: true}"
    protocol = make_protocol(**{"{priority: [service], label: [negative]}": asks})
    contact_ids = []
    for crm, platform in (("hubspot", "mastodon"), ("hubspot:emea", "bluesky")):
        handles = ((platform, "jane"),)
        sync(sessions, make_record(emails=("jane@example.com",), handles=handles), name=crm)
        text = "my order is not working"
        author = {"platform": platform, "handle": "jane"}
        mention_id, author_id = add_mention(sessions, author, text=text, published_at=NOW)
        link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
        triage_mentions(sessions, [mention_id], {brand_id: protocol}, clock=lambda: NOW)
        with sessions() as session:
            found = select(IdentityLink.contact_id).where(IdentityLink.author_id == author_id)
            contact_ids.append(session.scalars(found).one())
    monkeypatch.setenv("GROUNDSWELL_CRM", "hubspot,hubspot:emea")

    def other_worker() -> None:
        with sessions.begin() as session:
            queue_enrichment(session, contact_ids[1:], now=NOW)

    with meanwhile(sessions, other_worker) as session:
        queue_enrichment(session, contact_ids[:1], now=NOW)

    with sessions() as session:
        assert [case.crm for case in session.scalars(select(CrmCase))] == ["hubspot"]
