"""Consents and opt-outs of one record, and what they mean for the person's others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError
from crm_link.models import IdentityLink
from crm_link.opt_outs import find_opt_out, opt_in, opt_out
from crm_link.refusals import consents_of, record_consent, revoke_consent
from crm_link.service import link_mentions, relink_due
from crm_link.types import ContactRecord, LinkState
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.crm_link.two_records import HERE, MAIL, THERE, THIRD, id_of, make_two, say, tick
from tests.make import NOW


@pytest.fixture(autouse=True)
def _several_crms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM", f"{HERE},{THERE},{THIRD}")
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "churn,lead,segment")
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", "k" * 32)


def test_a_consent_that_is_taken_back_in_one_crm_counts_in_none_but_a_later_one_does(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions)

    def agree(contact_id: int, scope: str, hours: int) -> int:
        with sessions.begin() as session:
            at = NOW + timedelta(hours=hours)
            return record_consent(
                session, contact_id, scope, note="f", by="a", context=CONTEXT, clock=lambda: at
            ).id

    def agreed() -> set[str]:
        with sessions() as session:
            return set(consents_of(session, [other]).get(other, ()))

    agree(other, "x", 0)
    agree(other, "bluesky", 0)
    consent_id = agree(one, "x", 1)
    assert agreed() == {"x", "bluesky"}
    with sessions.begin() as session:
        later = NOW + timedelta(hours=2)
        revoke_consent(session, one, consent_id, by="a", context=CONTEXT, clock=lambda: later)
    assert agreed() == {"bluesky"}

    agree(other, "x", 3)
    assert agreed() == {"x", "bluesky"}
    with sessions.begin() as session:
        everything = record_consent(session, one, "any", note="f", by="a", context=CONTEXT)
        session.flush()
        revoke_consent(session, one, everything.id, by="a", context=CONTEXT)
    assert agreed() == set()
    say(sessions, one, other, is_same=False)
    assert agreed() == {"x", "bluesky"}


def test_a_link_that_rests_on_such_a_consent_is_withdrawn(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record("h", emails=MAIL), name=HERE)
    bought = make_record("t", emails=MAIL, relationship_source="bought")
    sync(sessions, bought, name=THERE)
    one, other = id_of(sessions, "h"), id_of(sessions, "t")
    with sessions.begin() as session:
        record_consent(session, other, "x", note="f", by="a", context=CONTEXT, clock=lambda: NOW)
        first = record_consent(session, one, "x", note="f", by="a", context=CONTEXT)
        consent_id = first.id
    mention_id, _ = add_mention(sessions, {"platform": "x", "bio": MAIL[0]})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    tick(sessions)
    assert link_state(sessions, other) is LinkState.CONFIRMED

    with sessions.begin() as session:
        revoke_consent(session, one, consent_id, by="a", context=CONTEXT)
    relink_due(sessions, context=CONTEXT)

    assert link_state(sessions, other) is LinkState.WITHDRAWN


def link_state(sessions: sessionmaker[Session], contact_id: int) -> LinkState:
    with sessions() as session:
        links = select(IdentityLink.state).where(IdentityLink.contact_id == contact_id)
        return session.scalars(links).one()


def test_who_opts_out_in_one_crm_is_linked_in_none_also_when_that_record_is_gone(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions)
    with sessions.begin() as session:
        opt_out(session, one, context=CONTEXT, clock=lambda: NOW)
    tick(sessions)
    assert link_state(sessions, other) is LinkState.WITHDRAWN
    with sessions() as session:
        found = find_opt_out(session, other, CONTEXT)
        assert found is not None
        assert (found.contact_id, found.crm, found.external_id) == (one, HERE, "h")
        with pytest.raises(ConflictError, match="opted out as hubspot h"):
            opt_in(session, other, context=CONTEXT)

    sync(sessions, ContactRecord("h", is_deleted=True), name=HERE)
    tick(sessions)

    with sessions.begin() as session:
        found = find_opt_out(session, other, CONTEXT)
        assert found is not None
        assert found.contact_id == other
        opt_in(session, other, context=CONTEXT, clock=lambda: NOW)
