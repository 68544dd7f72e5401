"""People are told of a CRM that fails, and of records that were given up: once for each cause."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import BudgetExhaustedError, PermanentError, TransientError
from crm_link.calls.budgets import LimitError
from crm_link.calls.crm_health import CrmWork, failing_crms, noted
from crm_link.calls.health_models import CrmHealth
from crm_link.crm_status import crm_status
from crm_link.escalation.detection.crm_watch import watch_crms
from crm_link.escalation.incidents import resolve
from crm_link.escalation.models import OPERATIONS, Incident, IncidentStatus, Notification
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.types import WriteResult
from crm_link.writeback import deliver_write_backs, revive
from tests.crm_link.make_linking import FakeCrm, make_record, sync
from tests.crm_link.making import MovableClock, make_brand, make_protocol

CRM = "hubspot:emea"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


def refuse(sessions: sessionmaker[Session], clock: MovableClock, *records: str, error: str) -> None:
    """Let records be refused for good by the CRM."""
    sync(sessions, *(make_record(one) for one in records), name=CRM)
    with sessions.begin() as session:
        ids = dict(session.execute(select(Contact.external_id, Contact.id)).all())
        session.add_all(
            WriteBack(
                crm=CRM,
                external_id=one,
                contact_id=ids[one],
                fields={"groundswell_mentions": 1},
                status=DeliveryStatus.PENDING,
                next_attempt_at=clock(),
                created_at=clock(),
            )
            for one in records
        )
    crm = FakeCrm()
    crm.results = {one: WriteResult(one, error=error) for one in records}
    deliver_write_backs(sessions, crm, name=CRM, clock=clock)


def alerts(sessions: sessionmaker[Session]) -> list[Incident]:
    with sessions() as session:
        query = select(Incident).where(Incident.kind == OPERATIONS).order_by(Incident.id)
        return list(session.scalars(query))


def look(sessions: sessionmaker[Session], brand_id: int, clock: MovableClock) -> list[int]:
    return watch_crms(sessions, {brand_id: make_protocol()}, [CRM], clock=clock)


def fail(
    sessions: sessionmaker[Session], clock: MovableClock, error: Exception | None = None
) -> None:
    with noted(sessions, CRM, CrmWork.CONTACTS, clock=clock):
        if error is not None:
            raise error


def test_many_records_of_one_cause_are_one_alert(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    refuse(sessions, clock, "c1", "c2", error="Salesforce: DUPLICATES_DETECTED c1")
    refuse(sessions, clock, "c3", error="Salesforce: FIELD_CUSTOM_VALIDATION_EXCEPTION")

    assert len(look(sessions, brand_id, clock)) == 2
    refuse(sessions, clock, "c4", error="Salesforce: DUPLICATES_DETECTED c4")
    assert look(sessions, brand_id, clock) == []

    first, second = alerts(sessions)
    assert first.title == second.title == "Records of hubspot:emea were given up"
    assert "duplicate rule" in first.facts["lines"][0]
    assert "validation rule" in second.facts["lines"][0]
    assert len(first.facts["lines"]) == 1
    with sessions() as session:
        told = session.scalars(select(Notification.incident_id)).all()
        (status,) = crm_status(session, [CRM])
    assert sorted(told) == [first.id, second.id]
    assert [records for _, records in status.given_up] == [3, 1]


def test_an_alert_ends_when_nothing_is_given_up_any_more(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    refuse(sessions, clock, "c1", error="UNABLE_TO_LOCK_ROW")
    (incident_id,) = look(sessions, brand_id, clock)
    with sessions.begin() as session:
        (row_id,) = session.scalars(select(WriteBack.id))
        revive(session, [row_id], now=clock())

    assert look(sessions, brand_id, clock) == [incident_id]

    (alert,) = alerts(sessions)
    assert alert.status is IncidentStatus.RESOLVED


def test_what_a_person_ended_comes_again_only_with_something_new(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    refuse(sessions, clock, "c1", error="UNABLE_TO_LOCK_ROW")
    (incident_id,) = look(sessions, brand_id, clock)
    clock.forward(minutes=5)
    with sessions.begin() as session:
        resolve(session, incident_id, by="ann", reason="known", clock=clock)

    assert look(sessions, brand_id, clock) == []
    clock.forward(minutes=5)
    refuse(sessions, clock, "c2", error="UNABLE_TO_LOCK_ROW")

    assert len(look(sessions, brand_id, clock)) == 1


def test_a_crm_that_fails_for_long_is_an_alert_until_it_answers(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    for _ in range(2):
        with pytest.raises(PermanentError):
            fail(sessions, clock, PermanentError("HubSpot answered 401: the token has ended"))
        assert look(sessions, brand_id, clock) == []
        clock.forward(minutes=20)
    (incident_id,) = look(sessions, brand_id, clock)
    assert look(sessions, brand_id, clock) == []

    (alert,) = alerts(sessions)
    assert alert.title == "hubspot:emea fails"
    (line,) = alert.facts["lines"]
    assert line.startswith("hubspot:emea: its contacts cannot be read since 2026-03-10 12:00 UTC;")
    assert line.endswith("more than 30m. HubSpot answered 401: the token has ended")
    fail(sessions, clock)
    assert look(sessions, brand_id, clock) == [incident_id]
    assert alerts(sessions)[0].status is IncidentStatus.RESOLVED


def test_writing_that_fails_is_noted_and_a_used_up_limit_is_not(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    refuse(sessions, clock, "c1", error="UNABLE_TO_LOCK_ROW")
    with sessions.begin() as session:
        session.execute(update(WriteBack).values(status=DeliveryStatus.PENDING))
    crm = FakeCrm()
    for error, is_failing in (
        (LimitError("429", retry_after_s=1.0), False),
        (BudgetExhaustedError("used up", resume_after_s=1.0), False),
        (TransientError("it did not answer"), True),
    ):
        crm.errors = [error]
        clock.forward(hours=2)
        deliver_write_backs(sessions, crm, name=CRM, clock=clock)
        with sessions() as session:
            found = [one.work for one in failing_crms(session, [CRM])]
        assert found == ([CrmWork.WRITES.value] if is_failing else [])


def test_brands_with_one_protocol_are_told_once(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    refuse(sessions, clock, "c1", error="UNABLE_TO_LOCK_ROW")
    others = {make_brand(sessions, key=f"b{place}"): make_protocol() for place in range(2)}
    own = make_brand(sessions, key="own")
    protocols = {brand_id: make_protocol(), **others, own: make_protocol(ben="bea")}

    assert len(watch_crms(sessions, protocols, [CRM], clock=clock)) == 2

    assert [one.brand_id for one in alerts(sessions)] == [brand_id, own]


def test_success_is_written_down_once_a_minute(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    def last() -> datetime | None:
        with sessions() as session:
            return session.scalar(select(CrmHealth.last_success_at))

    fail(sessions, clock)
    began = clock()
    clock.forward(seconds=30)
    fail(sessions, clock)
    assert last() == began
    clock.forward(seconds=30)
    fail(sessions, clock)

    assert last() == began + timedelta(minutes=1)
