"""What every CRM that can open cases and notes must do with them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.errors import PermanentError
from crm_link.crm import Crm
from crm_link.outbox.journal import write_with_journal
from crm_link.outbox.journal_undo import undo
from crm_link.types import ContactUpdate, RecordKind
from tests.crm_link.crms.records import fill, number
from tests.crm_link.crms.server import FakeCrm

KEY = "x:1780000000000000001"


def case(key: str = KEY, contact: str = number(0), **changes: str | None) -> ContactUpdate:
    fields: dict[str, str | None] = {
        "subject": "Acme: service on x",
        "body": "Why: service: refund\nPost of 2026-05-04 08:00 UTC: https://x.com/i/1",
        "priority": "medium",
        "state": "open",
        "contact": contact,
    }
    return ContactUpdate(f"case/{key}", fields | changes, f"k:{key}")


def note(key: str = f"incident:7:{KEY}", **changes: str | None) -> ContactUpdate:
    fields: dict[str, str | None] = {
        "subject": "Acme: incident 7",
        "body": "Incident 7 (billing): open\nPost of 2026-05-04 08:00 UTC: https://x.com/i/1",
        "contact": number(0),
    }
    return ContactUpdate(f"note/{key}", fields | changes, f"k:{key}")


@pytest.fixture
def ready(fake: FakeCrm, crm: Crm) -> FakeCrm:
    fill(fake, 2)
    crm.setup_records()
    return fake


def write(
    sessions: sessionmaker[Session], crm: Crm, name: str, *updates: ContactUpdate
) -> list[str | None]:
    results = write_with_journal(sessions, crm, name, updates, clock=utc_now)
    return [result.error for result in results]


def test_what_cases_need_is_created_once(fake: FakeCrm, crm: Crm) -> None:
    assert crm.kinds == frozenset(RecordKind)
    created = crm.setup_records()

    assert len(created) >= 2
    assert len(fake.ready) == 2
    assert crm.setup_records() == []


def test_a_case_is_opened_once_followed_and_closed(
    ready: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    for _ in range(2):
        assert write(sessions, crm, ready.name, case(), note()) == [None, None]
    (opened,) = ready.cases()
    write(sessions, crm, ready.name, case(state="closed"), note(body="Incident 7: resolved"))
    (closed,) = ready.cases()
    (noted,) = ready.notes()

    fields = {name: value for name, value in case().fields.items() if name != "state"}
    assert opened == {**fields, "key": KEY, "state": "open", "owner": "service"}
    assert closed == opened | {"state": "closed"}
    assert noted == {
        "key": f"incident:7:{KEY}",
        "subject": "Acme: incident 7",
        "body": "Incident 7: resolved",
        "contact": number(0),
    }


def test_a_call_whose_answer_was_lost_opens_no_second_case(ready: FakeCrm, crm: Crm) -> None:
    update = ContactUpdate(KEY, case().fields, "k")
    for _ in range(2):
        # As after a kill: nobody knows that the first one arrived.
        (result,) = crm.write_records(RecordKind.CASE, [update])
        assert result.error is None

    assert len(ready.cases()) == 1


def test_a_case_that_a_person_works_on_is_theirs(
    ready: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    write(sessions, crm, ready.name, case(), case("x:2", number(1)), note())
    ready.work_on(KEY)

    write(sessions, crm, ready.name, case(state="closed"))
    assert next(one for one in ready.cases() if one["key"] == KEY)["state"] == "other"
    found = undo(sessions, crm, name=ready.name, since=utc_now() - timedelta(hours=1))

    assert (found.restored, found.kept, found.failed) == (2, 1, 0)
    assert [one["key"] for one in ready.cases()] == [KEY]
    assert ready.cases()[0]["subject"] == "Acme: service on x"
    assert ready.notes() == []


def test_one_of_a_contact_that_is_gone_holds_up_no_other(ready: FakeCrm, crm: Crm) -> None:
    gone = ContactUpdate("x:9", case(contact=number(77)).fields, "k9")
    good = ContactUpdate(KEY, case().fields, "k")

    first, second = crm.write_records(RecordKind.CASE, [gone, good])

    assert first.error is not None
    assert second.error is None
    assert [one["key"] for one in ready.cases()] == [KEY]


def test_without_what_they_need_a_person_is_told_what_to_run(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)

    with pytest.raises(PermanentError, match="crm setup --cases"):
        crm.read_records(RecordKind.CASE, [KEY])
