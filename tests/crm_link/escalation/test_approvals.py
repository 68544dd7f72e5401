"""The way of a statement: asked for, approved by those who must, published or not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from crm_link.escalation.delivery.acks import Links
from crm_link.escalation.delivery.messages import compose
from crm_link.escalation.delivery.telling import load_telling
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import (
    acknowledge,
    get_incident,
    resolve,
)
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.playbook.approvals import (
    approve_statement,
    publish_statement,
    reject_statement,
    withdraw_statement,
)
from crm_link.escalation.playbook.assessment import assess
from crm_link.escalation.playbook.clocks import list_clocks
from crm_link.escalation.playbook.playbook_models import (
    ClockKind,
    IncidentStatement,
    StatementState,
)
from crm_link.escalation.playbook.playbooks import list_tasks
from crm_link.escalation.playbook.statement_requests import request_statement
from crm_link.escalation.playbook.statements import offers
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.making import (
    NOON,
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, {brand_id: make_protocol(FULL)}, clock=clock)
    return incident_id


def test_a_statement_goes_its_way_and_stops_the_clock(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
        statement = request_statement(
            session, incident_id, "holding_v1", lang="en", by="anna@example.org", clock=clock
        )
        number = statement.id
        assert statement.text.splitlines()[2] == "It is 2026-03-10."
        assert "Next by 14:00 UTC." in statement.text
    with sessions() as session:
        asked = session.scalars(
            select(Notification.contact).where(Notification.reason == "approval")
        ).all()
        assert asked == ["dora"]
        with pytest.raises(PermissionDeniedError, match="crisis_lead: dora@example.org"):
            approve_statement(session, number, by="ben@example.org", clock=clock)
        with pytest.raises(
            ConflictError, match=r"approval of crisis_lead, or until 2026-03-10 12:10"
        ):
            publish_statement(session, number, by="anna@example.org", clock=clock)
    clock.forward(minutes=5)
    with sessions.begin() as session:
        approve_statement(session, number, by="Dora@example.org", clock=clock)
        publish_statement(
            session, number, url="https://acme.example/news", by="anna@example.org", clock=clock
        )

    with sessions() as session:
        holding, update = list_clocks(session, incident_id)
        assert (holding.is_met, holding.stopped_by) == (True, "anna@example.org")
        assert (update.kind, update.due_at) == (
            ClockKind.UPDATE,
            clock.now + timedelta(hours=2),
        )
        tasks = {one.key: one.done_by for one in list_tasks(session, incident_id)}
        assert tasks["publish_holding"] == "anna@example.org"


def test_a_pre_approved_text_may_go_when_nobody_answers_and_no_other_may(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        ready = request_statement(
            session, incident_id, "holding_v1", lang="en", by="anna", clock=clock
        ).id
        own = request_statement(
            session, incident_id, "holding_v1", lang="en", text="Mine.", by="anna", clock=clock
        ).id
    clock.forward(minutes=10)

    with sessions.begin() as session:
        assert publish_statement(session, ready, by="anna", clock=clock).closed_by == "anna"
        with pytest.raises(ConflictError, match="waits for the approval of crisis_lead$"):
            publish_statement(session, own, by="anna", clock=clock)


def test_an_approval_that_has_ended_is_none(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    clock.now = NOON.replace(month=8)
    with sessions.begin() as session:
        late = request_statement(
            session, incident_id, "holding_v1", lang="en", by="anna", clock=clock
        )
        assert late.may_go_at is None
        incident = get_incident(session, incident_id)
        offer = next(iter(offers(incident, "Acme", make_protocol(FULL), clock.now)))
        assert not offer.is_approved


def test_what_contradicts_the_verdict_or_another_statement_is_refused_in_words(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    def ask(session: Session, key: str, **values: str) -> IncidentStatement:
        return request_statement(
            session, incident_id, key, lang="en", values=values, by="anna", clock=clock
        )

    with sessions.begin() as session:
        with pytest.raises(ConflictError, match="says what nobody has verified"):
            ask(session, "correction_v1", evidence="https://x.example")
        assess(session, incident_id, claim="untrue", by="dora", clock=clock)
        with pytest.raises(ConflictError, match="who apologises for it confirms it"):
            ask(session, "apology_v1")
        denial = ask(session, "correction_v1", evidence="https://x.example")
        assess(
            session,
            incident_id,
            claim="true_claim",
            cluster="accidental",
            crisis_history=True,
            by="dora",
            clock=clock,
        )
        session.refresh(denial)
        assert denial.state is StatementState.WITHDRAWN
        assert "the claim is true" in denial.reason
        with pytest.raises(ConflictError, match="with its history, counts as preventable"):
            ask(session, "explain_v1")
        apology = ask(session, "apology_v1")
        with pytest.raises(ConflictError, match="contradicts the verdict: the claim is true"):
            ask(session, "correction_v1", evidence="https://x.example")
        reject_statement(session, apology.id, reason="too short", by="dora", clock=clock)
        with pytest.raises(ConflictError, match="already rejected by dora"):
            withdraw_statement(session, apology.id, by="anna", clock=clock)


def test_a_statement_is_filled_in_whole_or_not_at_all(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    def ask(key: str, lang: str = "en", **values: str) -> None:
        with sessions.begin() as session:
            request_statement(
                session, incident_id, key, lang=lang, values=values, by="anna", clock=clock
            )

    with sessions.begin() as session:
        assess(session, incident_id, claim="untrue", by="dora", clock=clock)

    with pytest.raises(InputError, match="'correction_v1' cannot be filled in: say what evidence"):
        ask("correction_v1")
    with pytest.raises(InputError, match="has no variable colour"):
        ask("correction_v1", evidence="x", colour="red")
    with pytest.raises(NotFoundError, match="is not there in 'es', only in en"):
        ask("correction_v1", "es", evidence="x")
    with pytest.raises(NotFoundError, match="no statement 'nothing'"):
        ask("nothing")


def test_resolving_withdraws_what_was_not_said(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        statement = request_statement(
            session, incident_id, "holding_v1", lang="en", by="anna", clock=clock
        )
        resolve(session, incident_id, by="dora", reason="over", clock=clock)
        session.refresh(statement)

        assert statement.state is StatementState.WITHDRAWN
        assert session.get_one(Incident, incident_id).resolved_at == clock.now


def test_an_acknowledgement_does_not_take_the_approvers_message_back(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        request_statement(session, incident_id, "holding_v1", lang="en", by="anna", clock=clock)
        acknowledge(session, incident_id, by="anna", clock=clock)

    with sessions() as session:
        rows = session.execute(select(Notification.reason, Notification.status))
        assert {row.reason: row.status for row in rows} == {
            "step": DeliveryStatus.CANCELLED,
            "approval": DeliveryStatus.PENDING,
        }


def test_who_must_approve_reads_the_text_in_the_message(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        request_statement(session, incident_id, "holding_v1", lang="en", by="anna", clock=clock)

    with sessions() as session:
        row = session.scalars(select(Notification).where(Notification.reason == "approval")).one()
        telling = load_telling(session, row, Links("https://groundswell.example"), now=clock())
        assert telling is not None
        message = compose(telling)

    assert message.title.startswith("PLEASE APPROVE: [SEV-3] Negative mentions of Acme")
    assert "'holding_v1' (en) waits for your approval, asked for by anna:" in message.body
    assert "We do not know yet." in message.body
