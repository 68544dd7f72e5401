"""What every CRM that is called over HTTP must do, against a fake with its paths and limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import read_session
from config.errors import InputError, PermanentError, TransientError
from crm_link.contacts import sync_contacts
from crm_link.crm import Crm, make_crm
from crm_link.crm_fields import CRM_FIELDS, is_same
from crm_link.journal import write_with_journal
from crm_link.journal_undo import undo
from crm_link.models import Contact
from crm_link.types import ContactRecord, ContactUpdate
from tests.crm_link.crms.hubspot import FakeHubspot
from tests.crm_link.crms.salesforce import FakeSalesforce
from tests.crm_link.crms.server import Answer, FakeCrm, served
from tests.crm_link.crms.zoho import FakeZoho
from tests.crm_link.make_linking import CONTEXT

_FAKES = {fake.name: fake for fake in (FakeHubspot, FakeSalesforce, FakeZoho)}
_LIMITS: dict[str, Answer] = {
    "hubspot": (429, {"policyName": "TEN_SECONDLY_ROLLING"}, {"Retry-After": "0"}),
    "salesforce": (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]),
    "zoho": (429, {"code": "TOO_MANY_REQUESTS"}, {"Retry-After": "0"}),
}
_PASSING = {
    "hubspot": "RATE_LIMITS",
    "salesforce": "UNABLE_TO_LOCK_ROW",
    "zoho": "RECORD_LOCKED",
}


@pytest.fixture(params=sorted(_FAKES))
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCrm]:
    made: FakeCrm = _FAKES[request.param]()
    with served(made):
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def crm(fake: FakeCrm) -> Iterator[Crm]:
    made = make_crm(fake.name)
    yield made
    made.close()


def number(count: int) -> str:
    # As long as Salesforce's ids, and in order.
    return f"{count:015d}"


def fill(fake: FakeCrm, count: int) -> None:
    for place in range(count):
        fake.add(number(place), first="Ann", last=f"Lee{place}", email=f"ann{place}@example.com")


def read(crm: Crm, cursor: str | None = None) -> tuple[list[ContactRecord], str | None]:
    records: list[ContactRecord] = []
    for page in crm.contacts(cursor):
        records.extend(page.contacts)
        assert page.rejected == ()
        cursor = page.cursor or cursor
    return records, cursor


def update(external_id: str, **changes: Any) -> ContactUpdate:
    fields = dict.fromkeys((field.name for field in CRM_FIELDS), None) | {
        "groundswell_handles": "x:ann",
        "groundswell_mentions": 3,
        "groundswell_last_mention_at": "2026-05-04T08:00:00+00:00",
        "groundswell_average_sentiment": -0.25,
    }
    return ContactUpdate(external_id, fields | changes, f"k:{external_id}")


def test_a_contact_comes_with_what_linking_needs(fake: FakeCrm, crm: Crm) -> None:
    fake.add(
        number(1),
        first="Zoë",
        last="O'Hara",
        email="zoe@example.com",
        phone="+34 600 000 001",
        x="@zoe",
        opt_out=True,
        tier="gold",
    )

    (record,), _ = read(crm)

    assert (record.external_id, record.name) == (number(1), "Zoë O'Hara")
    assert record.emails == ("zoe@example.com",)
    assert record.phones == ("+34 600 000 001",)
    assert record.handles == (("x", "zoe"),)
    assert (record.tier, record.do_not_contact) == ("gold", True)
    assert record.updated_at == fake.changed_at[number(1)]


def test_all_contacts_come_and_then_only_what_changed(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 450)

    first, cursor = read(crm)
    nothing, cursor = read(crm, cursor)
    fake.contacts[number(7)]["last"] = "Renamed"
    fake.touch(number(7))
    fake.add(number(500), first="New", last="One", email="new@example.com")
    later, _ = read(crm, cursor)

    assert sorted(record.external_id for record in first) == [number(n) for n in range(450)]
    # A sync may look back a little, never at all of them again.
    assert len(nothing) < 450 or fake.name == "hubspot"
    assert {number(7), number(500)} <= {record.external_id for record in later}
    assert next(r for r in later if r.external_id == number(7)).name == "Ann Renamed"


def test_a_deleted_and_a_merged_contact_are_said_to_be_gone(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 3)
    _, cursor = read(crm)

    fake.delete(number(0))
    fake.merge(number(1), into=number(2))
    later, _ = read(crm, cursor)

    gone = {record.external_id for record in later if record.is_deleted}
    assert gone == {number(0), number(1)}
    assert number(2) not in gone


def test_a_sync_that_was_stopped_goes_on_where_it_was(
    fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    fill(fake, 450)
    word = {"hubspot": "/objects/contacts", "salesforce": "queryAll", "zoho": "/Contacts"}
    path = word[fake.name]
    stopped = False
    # The second page cannot be had, however often it is tried.
    first = next(crm.contacts(None))
    fake.calls.clear()

    def resumed() -> Iterator[Any]:
        yield first
        nonlocal stopped
        stopped = True
        raise TransientError("gone")

    class Stopping(Crm):
        def contacts(self, cursor: str | None) -> Iterator[Any]:
            return resumed() if cursor is None and not stopped else crm.contacts(cursor)

        def write(self, updates: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(TransientError):
        sync_contacts(sessions, Stopping(), name=fake.name, context=CONTEXT)
    sync_contacts(sessions, Stopping(), name=fake.name, context=CONTEXT)

    with read_session(sessions) as session:
        stored = set(session.scalars(select(Contact.external_id)))
    assert stored == {number(n) for n in range(450)}
    assert any(path in call.path for call in fake.calls)


def test_our_fields_are_created_once(fake: FakeCrm, crm: Crm) -> None:
    created = crm.setup()
    again = crm.setup()

    assert len(created) == len(CRM_FIELDS)
    assert again == []
    assert fake.our_fields == {field.name for field in CRM_FIELDS}


def test_without_our_fields_a_person_is_told_what_to_run(fake: FakeCrm, crm: Crm) -> None:
    if fake.name == "zoho":
        pytest.skip("Zoho ignores fields that it does not know")
    fill(fake, 1)

    with pytest.raises(PermanentError, match="groundswell crm setup"):
        crm.write([update(number(0))])


def test_what_was_written_is_read_as_the_same(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 3)
    crm.setup()
    wanted = update(number(0))

    results = crm.write([wanted, update(number(1))])
    there = crm.read([number(0), number(2), number(99)])
    assert there is not None

    assert [result.error for result in results] == [None, None]
    assert len(fake.writes()) == 1
    assert set(there) == {number(0), number(2)}
    assert all(is_same(there[number(0)][name], value) for name, value in wanted.fields.items())
    assert all(is_same(value, None) for value in there[number(2)].values())


def test_the_same_enrichment_makes_no_second_call(
    fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    fill(fake, 3)
    crm.setup()
    updates = [update(number(n)) for n in range(3)]

    for _ in range(2):
        results = write_with_journal(sessions, crm, fake.name, updates, clock=utc_now)
    fake.contacts[number(1)]["groundswell_handles"] = "a person's own"
    later = [update(number(n), groundswell_handles="x:new") for n in range(3)]
    write_with_journal(sessions, crm, fake.name, later, clock=utc_now)
    found = undo(sessions, crm, name=fake.name, since=utc_now() - timedelta(hours=1))

    assert [result.error for result in results] == [None] * 3
    assert len(fake.writes()) == 3
    assert fake.contacts[number(1)]["groundswell_handles"] == "a person's own"
    assert (found.restored, found.kept, found.failed) == (3, 1, 0)
    assert not fake.contacts[number(0)]["groundswell_handles"]


def test_nothing_but_our_fields_is_written_and_none_clears(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)
    crm.setup()
    before = dict(fake.contacts[number(0)])
    crm.write([update(number(0))])

    crm.write([update(number(0), groundswell_handles=None)])

    after = fake.contacts[number(0)]
    assert {name: after[name] for name in before} == before
    assert after["groundswell_handles"] is None


def test_one_refused_record_does_not_hold_up_the_others(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 3)
    crm.setup()
    fake.refused = {number(1): "VALIDATION_ERROR", number(2): _PASSING[fake.name]}

    results = crm.write([update(number(n)) for n in range(3)])

    assert [bool(result.error) for result in results] == [False, True, True]
    assert [result.is_transient for result in results] == [False, False, True]


def test_a_contact_that_is_gone_is_said_so(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 2)
    crm.setup()
    fake.delete(number(0))

    gone, there = crm.write([update(number(0)), update(number(1))])

    assert gone.error is not None
    assert not gone.is_transient
    assert there.error is None


def test_a_limit_is_waited_for_when_reading_and_said_when_writing(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)
    crm.setup()
    fake.faults = [("", _LIMITS[fake.name])]
    if fake.name == "salesforce":
        # A rolling day cannot be waited for: it is said at once.
        with pytest.raises(TransientError, match="used up") as caught:
            read(crm)
        assert caught.value.retry_after_s == 900
    else:
        assert len(read(crm)[0]) == 1
    path = {"hubspot": "batch/update", "salesforce": "/composite/sobjects", "zoho": "/Contacts"}
    crm.read([number(0)])
    if fake.name == "hubspot":
        fake.faults = [(path[fake.name], _LIMITS[fake.name])]
        with pytest.raises(TransientError, match="used up"):
            crm.write([update(number(0))])


def test_a_server_that_fails_is_tried_again_when_reading(
    fake: FakeCrm, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_link.rest.DEFAULT_WAIT_S", 0.01)
    fill(fake, 1)
    crm.check()
    fake.faults = [("", (503, None)), ("", (502, {"a": 1}))]

    assert len(read(crm)[0]) == 1


def test_an_expired_token_is_renewed_once(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)
    crm.check()
    fake.expire()
    if fake.name == "hubspot":
        # A private app's token does not change by itself.
        with pytest.raises(PermanentError, match="token"):
            crm.check()
        return

    assert len(read(crm)[0]) == 1


def test_what_is_not_there_is_a_failure_that_may_pass(
    fake: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_link.rest.DEFAULT_WAIT_S", 0.01)
    monkeypatch.setenv(f"GROUNDSWELL_{fake.name.upper()}_BASE_URL", "http://127.0.0.1:9")

    crm = make_crm(fake.name)
    with pytest.raises(TransientError, match="did not answer"):
        crm.check()
    crm.close()


def test_a_missing_setting_is_named(fake: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in fake.environment():
        monkeypatch.delenv(name)

    with pytest.raises(InputError, match=f"GROUNDSWELL_{fake.name.upper()}_"):
        make_crm(fake.name)
