"""What every CRM that is called over HTTP must do when enrichment is written."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.errors import InputError, PermanentError
from crm_link.calls.crm_fields import CRM_FIELDS, is_same
from crm_link.crm import Crm, make_crm
from crm_link.outbox.journal import write_with_journal
from crm_link.outbox.journal_undo import undo
from tests.crm_link.crms.records import fill, number, update
from tests.crm_link.crms.server import FakeCrm

_PASSING = {
    "hubspot": "RATE_LIMITS",
    "salesforce": "UNABLE_TO_LOCK_ROW",
    "zoho": "RECORD_LOCKED",
}


def test_our_fields_are_created_once(fake: FakeCrm, crm: Crm) -> None:
    created = crm.setup()
    again = crm.setup()

    assert len(created) == len(CRM_FIELDS)
    assert again == []
    assert fake.our_fields == {field.name for field in CRM_FIELDS}


def test_a_mapping_to_a_field_that_is_not_there_is_refused_by_the_check(
    fake: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = f"GROUNDSWELL_{fake.name.upper()}_MAPPING"
    monkeypatch.setenv(setting, '{"do_not_contact": "Opted_Owt"}')

    with closing(make_crm(fake.name)) as crm, pytest.raises(InputError, match="Opted_Owt"):
        crm.check()

    monkeypatch.setenv(setting, '{"do_not_contact": ')
    with pytest.raises(InputError, match=f"{setting}: is no JSON"):
        make_crm(fake.name)


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
