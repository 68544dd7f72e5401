"""Limits of the CRMs' accounts: counted before a call, heard from answers, waited for."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import BudgetExhaustedError, PermanentError
from crm_link.calls.budget_meter import BudgetMeter
from crm_link.calls.budget_models import CrmBudget
from crm_link.calls.budgets import LimitError
from crm_link.calls.rest import READ_TRIES
from crm_link.crm import Crm
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.outbox.dead_letters import dead_letters
from crm_link.writeback import MAX_ATTEMPTS, deliver_write_backs
from tests.crm_link.crms.records import fill, number, read, update
from tests.crm_link.crms.server import Answer, FakeCrm
from tests.crm_link.make_linking import make_record, sync
from tests.crm_link.making import MovableClock

#: A used-up limit that does not say how long to wait, what it is called, and how long it rests.
_LIMITS: dict[str, tuple[Answer, str, float]] = {
    "hubspot": ((429, {"policyName": "DAILY"}), "daily", 3600),
    "salesforce": ((403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]), "daily", 900),
    "zoho": ((429, {"code": "TOO_MANY_REQUESTS"}), "credits", 900),
}
_LITTLE_LEFT = {
    "hubspot": {
        "X-HubSpot-RateLimit-Daily": "250000",
        "X-HubSpot-RateLimit-Daily-Remaining": "100",
    },
    "salesforce": {"Sforce-Limit-Info": "api-usage=14900/15000"},
    "zoho": {"X-API-CREDITS-LIMIT": "50000", "X-API-CREDITS-REMAINING": "12"},
}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def metered(crm: Crm, fake: FakeCrm, sessions: sessionmaker[Session], clock: MovableClock) -> Crm:
    meter = BudgetMeter(
        sessions,
        fake.name,
        crm.limits,
        clock=clock,
        sleep=lambda seconds: clock.forward(seconds=seconds),
    )
    crm.use_meter(meter)
    return crm


def queue(sessions: sessionmaker[Session], clock: MovableClock, crm: str, place: int = 0) -> None:
    sync(sessions, make_record(number(place)), name=crm)
    with sessions.begin() as session:
        contact_id = session.scalars(
            select(Contact.id).where(Contact.external_id == number(place))
        ).one()
        session.add(
            WriteBack(
                crm=crm,
                external_id=number(place),
                contact_id=contact_id,
                fields=dict(update(number(place)).fields),
                status=DeliveryStatus.PENDING,
                next_attempt_at=clock.now,
                created_at=clock.now,
            )
        )


def test_a_limit_without_an_end_stops_every_worker_and_kills_no_record(
    fake: FakeCrm, metered: Crm, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    answer, name, rest_s = _LIMITS[fake.name]
    fill(fake, 1)
    metered.setup()
    queue(sessions, clock, fake.name)
    for _ in range(MAX_ATTEMPTS + 1):
        fake.faults = [("", answer)] * READ_TRIES
        assert deliver_write_backs(sessions, metered, name=fake.name, clock=clock) == 0
        calls = len(fake.calls)
        with pytest.raises(BudgetExhaustedError):
            metered.write([update(number(0))])
        assert len(fake.calls) == calls, "nothing is sent while the limit rests"
        clock.forward(hours=1)
    with sessions() as session:
        row = session.scalars(select(WriteBack)).one()
        budget = session.get_one(CrmBudget, (fake.name, name))
    assert (row.status, row.attempts) == (DeliveryStatus.PENDING, 0)
    assert budget.paused_until is not None
    assert budget.paused_until >= clock.now - timedelta(hours=1) + timedelta(seconds=rest_s - 60)
    fake.faults = []
    assert deliver_write_backs(sessions, metered, name=fake.name, clock=clock) == 1


def test_the_time_that_a_limit_says_is_waited_for(
    fake: FakeCrm, metered: Crm, clock: MovableClock
) -> None:
    if fake.name == "salesforce":
        pytest.skip("Salesforce's limit says no time")
    fill(fake, 1)
    metered.check()
    began = clock.now
    fake.faults = [("", (429, {}, {"Retry-After": "7"}))]
    with pytest.raises(LimitError):
        metered.write([update(number(0))])

    metered.read([number(0)])

    assert (clock.now - began).total_seconds() == pytest.approx(7, abs=0.1)


def test_what_the_crm_says_is_left_holds_calls_back(
    fake: FakeCrm, metered: Crm, sessions: sessionmaker[Session]
) -> None:
    fill(fake, 1)
    metered.check()
    fake.said = _LITTLE_LEFT[fake.name]
    with suppress(BudgetExhaustedError):  # the first of its calls is told, a later one held back
        metered.check()

    with pytest.raises(BudgetExhaustedError, match="other programs"):
        read(metered)
    with sessions() as session:
        left = session.scalars(
            select(CrmBudget.said_left).where(CrmBudget.said_left.is_not(None))
        ).one()
    assert left in {100, 12}


def test_every_call_is_counted_and_searches_on_their_own(
    fake: FakeCrm, metered: Crm, sessions: sessionmaker[Session]
) -> None:
    fill(fake, 1)
    _, cursor = read(metered)
    read(metered, cursor)
    with sessions() as session:
        rows = {row.name: row for row in session.scalars(select(CrmBudget))}
    taken = {name: round(row.size * 0.1 - row.tokens) for name, row in rows.items()}
    signed_in = [call for call in fake.calls if "oauth" not in call.path]
    if fake.name == "hubspot":
        assert taken["daily"] == len(signed_in)
        assert "search" in taken
    elif fake.name == "salesforce":
        assert taken["daily"] == len(signed_in)
    else:
        assert taken["credits"] == len(signed_in)
        assert rows["at once"].running == []


def test_several_records_of_one_external_id_are_said_so(fake: FakeCrm, crm: Crm) -> None:
    if fake.name != "salesforce":
        pytest.skip("only Salesforce answers so")
    crm.check()
    fake.faults = [("composite", (300, ["/services/data/v64.0/sobjects/Contact/1"]))]

    with pytest.raises(PermanentError, match="several records with one external id"):
        crm.write([update(number(0))])


def test_a_token_is_renewed_once_and_not_again(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)
    crm.setup()
    before = len(fake.calls)
    word = "composite" if fake.name == "salesforce" else "ontacts"
    fake.faults = [(word, (401, {})), (word, (401, {}))]

    with pytest.raises(PermanentError, match="token"):
        crm.write([update(number(0))])

    made = [call.path for call in fake.calls[before:]]
    assert len(made) == (1 if fake.name == "hubspot" else 3), made
    assert len(fake.writes()) == len([path for path in made if "oauth" not in path])


@pytest.mark.parametrize("fake", ["salesforce"], indirect=True)
def test_records_fail_one_by_one_and_only_what_will_pass_is_tried_again(
    fake: FakeCrm, metered: Crm, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    fill(fake, 3)
    metered.setup()
    for place in range(3):
        queue(sessions, clock, fake.name, place)
    fake.refused = {number(1): "UNABLE_TO_LOCK_ROW", number(2): "DUPLICATES_DETECTED"}

    written = deliver_write_backs(sessions, metered, name=fake.name, clock=clock)
    with sessions() as session:
        rows = {row.external_id: row for row in session.scalars(select(WriteBack))}
        (letter,) = dead_letters(session, [fake.name]).letters
    fake.refused = {}
    clock.forward(hours=1)
    later = deliver_write_backs(sessions, metered, name=fake.name, clock=clock)

    assert (written, later) == (1, 1)
    assert [rows[number(place)].status for place in range(3)] == [
        DeliveryStatus.SENT,
        DeliveryStatus.PENDING,
        DeliveryStatus.DEAD,
    ]
    assert letter.external_id == number(2)
    assert "duplicate rule" in letter.reason
