from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from crm_link.escalation.acks import Links
from crm_link.escalation.approvals import (
    approve_statement,
    publish_statement,
    reject_statement,
    request_statement,
    withdraw_statement,
)
from crm_link.escalation.assessment import assess
from crm_link.escalation.clocks import clocks_due, list_clocks
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import (
    acknowledge,
    get_incident,
    list_events,
    resolve,
    set_severity,
)
from crm_link.escalation.messages import compose
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.overdue import remind_overdue
from crm_link.escalation.playbook_models import ClockKind, IncidentStatement, StatementState
from crm_link.escalation.playbooks import do_task, list_tasks
from crm_link.escalation.statements import offers
from crm_link.escalation.telling import load_telling
from crm_link.models import DeliveryStatus
from tests.crm_link.making import (
    NOON,
    PROTOCOL,
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)

#: A protocol with everything that this module is about.
FULL = (
    PROTOCOL.replace(
        "ack_expires: 4h", "ack_expires: 4h\n    holding_statement: 1h\n    updates: 2h"
    )
    .replace("ack_expires: 15m", "ack_expires: 15m\n    holding_statement: 15m\n    updates: 30m")
    .replace("{id: dora,", "{id: dora, known_as: [dora@example.org],")
    + """
assessment: {crisis_history: bool}
playbooks:
  unknown:
    strategy: holding
    owner: crisis_lead
    tasks: [verify_facts_15m, publish_holding, brief_service]
    statement: holding_v1
  untrue: {strategy: deny, tasks: [evidence_page_2h, brief_service], statement: correction_v1}
  true_accidental: {strategy: diminish, tasks: [explain], statement: explain_v1}
  true_preventable: {strategy: rebuild, tasks: [apologise_1h], statement: apology_v1}
statements:
  holding_v1:
    approved_by: crisis_lead
    approved_on: 2026-01-01
    expires: 2026-07-01
    text:
      en:
        empathy: We are sorry.
        facts: It is {date}.
        unknown: We do not know yet.
        action: Next by {next_update}.
        commitment: We stay with it.
        more: See our page.
  correction_v1:
    variables: {evidence: where it is shown}
    text: {en: "That is not so: {evidence}."}
  explain_v1: {text: {en: "It happened."}}
  apology_v1: {text: {en: "Our fault."}}
approvals: {SEV-3: [crisis_lead], max_wait: 10m, then: pre_approved_text_may_go}
"""
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


def _tasks(session: Session, incident_id: int) -> dict[str, tuple[str, timedelta | None]]:
    return {
        one.key: (one.owner, None if one.due_at is None else one.due_at - NOON)
        for one in list_tasks(session, incident_id)
    }


def test_acknowledging_begins_the_playbook_of_what_is_not_known(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)

    with sessions() as session:
        assert get_incident(session, incident_id).playbook == "unknown"
        assert _tasks(session, incident_id) == {
            "verify_facts": ("crisis_lead", timedelta(minutes=15)),
            "publish_holding": ("crisis_lead", timedelta(hours=1)),
            "brief_service": ("crisis_lead", None),
        }


@pytest.mark.parametrize(
    ("claim", "cluster", "history", "playbook"),
    [
        ("unknown", None, False, "unknown"),
        ("untrue", None, True, "untrue"),
        ("true_claim", "victim", False, "true_accidental"),  # the next that owns up to more
        ("true_claim", "accidental", False, "true_accidental"),
        ("true_claim", "accidental", True, "true_preventable"),  # one cluster up
        ("partly", "preventable", False, "true_preventable"),
    ],
)
def test_the_assessment_decides_the_playbook(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    incident_id: int,
    claim: str,
    cluster: str | None,
    history: bool,  # noqa: FBT001 - a case
    playbook: str,
) -> None:
    with sessions.begin() as session:
        assess(
            session,
            incident_id,
            claim=claim,
            cluster=cluster,
            crisis_history=history,
            by="dora",
            clock=clock,
        )

    with sessions() as session:
        assert get_incident(session, incident_id).playbook == playbook


def test_an_answer_that_the_protocol_does_not_know_is_refused(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions() as session:
        with pytest.raises(InputError, match="the claim is none of untrue, true_claim"):
            assess(session, incident_id, claim="false", by="dora", clock=clock)
        with pytest.raises(InputError, match="say how responsible people hold the brand"):
            assess(session, incident_id, claim="true_claim", by="dora", clock=clock)


def test_tasks_that_two_playbooks_share_stay_done(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
        do_task(session, incident_id, "brief_service", by="anna", clock=clock)
        assess(session, incident_id, claim="untrue", by="dora", clock=clock)

    with sessions() as session:
        tasks = {one.key: one for one in list_tasks(session, incident_id)}
        assert set(tasks) == {"evidence_page", "brief_service"}
        assert tasks["brief_service"].done_by == "anna"
        with pytest.raises(ConflictError, match="done already, by anna"):
            do_task(session, incident_id, "brief_service", by="ben", clock=clock)
        with pytest.raises(NotFoundError, match="no task 'apologise'"):
            do_task(session, incident_id, "apologise", by="ben", clock=clock)


def test_the_clocks_run_move_with_the_severity_and_stop_at_the_end(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        (clock_row,) = list_clocks(session, incident_id)
        assert (clock_row.kind, clock_row.due_at - NOON) == (
            ClockKind.HOLDING_STATEMENT,
            timedelta(hours=1),
        )
    clock.forward(minutes=12)
    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="dora", clock=clock)
    with sessions.begin() as session:
        (clock_row,) = list_clocks(session, incident_id)
        # 15 minutes from the beginning would be in 3; a third of them is left at least.
        assert clock_row.due_at - NOON == timedelta(minutes=17)
        resolve(session, incident_id, by="dora", reason="over", clock=clock)

    with sessions() as session:
        (clock_row,) = list_clocks(session, incident_id)
        assert (clock_row.stopped_at, clock_row.is_met) == (clock.now, None)


def test_what_is_overdue_is_reminded_of_once_in_a_while(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
    clock.forward(minutes=16)
    assert remind_overdue(sessions, clock=clock) == 1  # verify_facts
    assert remind_overdue(sessions, clock=clock) == 0
    clock.forward(minutes=15)
    assert remind_overdue(sessions, clock=clock) == 1
    clock.forward(minutes=30)
    assert remind_overdue(sessions, clock=clock) == 3  # with the statement and its task

    with sessions() as session:
        rows = session.scalars(
            select(Notification).where(Notification.reason == "overdue").order_by(Notification.id)
        ).all()
        assert {row.contact for row in rows} == {"dora"}
        assert rows[0].payload["about"].startswith("Overdue since 2026-03-10 12:15 UTC: Find out")
        assert clocks_due(session, clock.now) == []
        kinds = [event.kind for event in list_events(session, incident_id)]
        assert kinds.count("overdue") == 5


@pytest.mark.parametrize(("week", "reminded"), [(0, "anna"), (1, "ben")])
def test_who_is_on_call_is_reminded_and_not_the_whole_rotation(
    sessions: sessionmaker[Session], clock: MovableClock, week: int, reminded: str
) -> None:
    first_monday = (NOON - timedelta(days=NOON.weekday() + 7 * week)).date()
    on_call = f"{{tz: UTC, members: [anna, ben], start: {first_monday}}}"
    protocol = make_protocol(
        FULL.replace("    owner: crisis_lead\n", "").replace(
            "notify: [social_manager]", "notify: [on_call(social)]"
        )
        + f"on_call: {{social: {on_call}}}\n"
    )
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (number,) = detect(sessions, {brand_id: protocol}, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, number, by="a pr lead", clock=clock)
    clock.forward(minutes=16)
    remind_overdue(sessions, clock=clock)
    with sessions() as session:
        told = session.scalars(
            select(Notification.contact).where(Notification.reason == "overdue")
        ).all()
        assert told == [reminded]


def test_who_took_it_on_in_the_console_is_reminded(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    protocol = make_protocol(FULL.replace("    owner: crisis_lead\n", ""))
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (number,) = detect(sessions, {brand_id: protocol}, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, number, by="Dora@example.org", clock=clock)
    clock.forward(minutes=16)
    remind_overdue(sessions, clock=clock)
    with sessions() as session:
        told = session.scalars(
            select(Notification.contact).where(Notification.reason == "overdue")
        ).all()
        assert told == ["dora"]


def test_what_is_overdue_in_a_silence_keeps_no_other_reminder_waiting(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
        get_incident(session, incident_id).suppressed_by = "silence:1"
    clock.forward(minutes=16)
    with sessions.begin() as session:
        assert clocks_due(session, clock.now) == []
        get_incident(session, incident_id).suppressed_by = None
    assert remind_overdue(sessions, clock=clock) == 1


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
        with pytest.raises(ConflictError, match=r"waits for the approval of crisis_lead, or 12:10"):
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
        telling = load_telling(session, row, Links("https://groundswell.example"))
        assert telling is not None
        message = compose(telling)

    assert message.title.startswith("PLEASE APPROVE: [SEV-3] Negative mentions of Acme")
    assert "'holding_v1' (en) waits for your approval, asked for by anna:" in message.body
    assert "We do not know yet." in message.body
