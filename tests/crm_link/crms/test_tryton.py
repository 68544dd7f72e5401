"""A real Tryton server: its parties are synced, enriched, and everything is taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.errors import InputError, PermanentError
from crm_link.calls.budget_meter import BudgetMeter
from crm_link.calls.crm_fields import is_same
from crm_link.contacts.mirror import sync_contacts
from crm_link.crm import Crm, make_crm
from crm_link.models import Contact, CrmBudget
from crm_link.outbox.journal import write_with_journal
from crm_link.outbox.journal_undo import undo
from crm_link.types import ContactUpdate
from tests.crm_link.crms.records import read, update
from tests.crm_link.crms.tryton_server import TrytonServer, tryton_server
from tests.crm_link.make_linking import CONTEXT
from tests.crm_link.making import MovableClock


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    environment = os.environ.get("GROUNDSWELL_TEST_TRYTON")
    if not environment:
        pytest.skip("set GROUNDSWELL_TEST_TRYTON to a virtual environment that has Tryton")
    with tryton_server(Path(environment), tmp_path_factory.mktemp("tryton")) as started:
        yield started


@pytest.fixture
def tryton(server: TrytonServer, monkeypatch: pytest.MonkeyPatch) -> TrytonServer:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def crm(tryton: TrytonServer) -> Iterator[Crm]:
    made = make_crm("tryton")
    yield made
    made.close()


def test_a_party_comes_with_what_linking_needs(
    tryton: TrytonServer, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_TRYTON_DO_NOT_CONTACT_CATEGORY", "No contact")
    party = tryton.add(
        "Zoë O'Hara",
        email="zoe@example.com",
        phone="+34 600 000 001",
        website="https://zoe.example.com",
        x="zoe",
    )
    tryton.write(party, addresses=[["create", [{"city": "Madrid"}]]])
    tryton.write(party, categories=[["create", [{"name": "Gold"}, {"name": "No contact"}]]])

    careful = make_crm("tryton")
    record = next(one for one in read(careful)[0] if one.external_id == party)
    careful.close()

    assert (record.name, record.tier, record.do_not_contact) == ("Zoë O'Hara", "Gold", True)
    assert record.emails == ("zoe@example.com",)
    assert len(record.phones) == 1
    assert ("x", "zoe") in record.handles
    assert record.links == ("https://zoe.example.com",)
    assert record.fields["city"] == "Madrid"
    assert record.updated_at is not None


def test_later_only_what_changed_comes_and_who_is_gone(tryton: TrytonServer, crm: Crm) -> None:
    changed, archived, erased, merged, old = (
        tryton.add(name, email="ann@example.com")
        for name in ("Ann Changed", "Ann Archived", "Ann Erased", "Ann Twice", "Ann Twice")
    )
    first, cursor = read(crm)
    assert {old, changed, archived, erased, merged} <= {one.external_id for one in first}
    assert not any(one.is_deleted for one in first if one.external_id == erased)

    tryton.change(changed, "email", "new@example.com")
    tryton.write(archived, active=False)
    tryton.delete(erased)
    tryton.merge(merged, into=old)
    later, cursor = read(crm, cursor)
    again, _ = read(crm, cursor)

    found = {one.external_id: one for one in later}
    assert found[changed].emails == ("new@example.com",)
    assert {one for one in found if found[one].is_deleted} >= {archived, erased, merged}
    assert erased not in {one.external_id for one in again}


def test_a_sync_that_was_stopped_goes_on_where_it_was(
    tryton: TrytonServer,
    crm: Crm,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crm_link.crms.tryton.PAGE_SIZE", 2)
    made = [tryton.add(f"Page {number}", x=f"page{number}") for number in range(5)]
    first = next(crm.contacts(None))

    rest, _ = read(crm, first.cursor)
    sync_contacts(sessions, crm, name="tryton", context=CONTEXT)

    seen = [one.external_id for one in (*first.contacts, *rest) if not one.is_deleted]
    assert len(seen) == len(set(seen))
    assert set(made) <= set(seen)
    with sessions() as session:
        assert set(made) <= set(session.scalars(select(Contact.external_id)))


def test_enrichment_is_written_once_leaves_a_persons_change_and_is_undone(
    tryton: TrytonServer, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    one, other, gone = (tryton.add(f"Rosa {number}", x=f"rosa{number}") for number in range(3))
    updates = [update(one), update(other), update(gone)]
    assert crm.setup() == []
    _, cursor = read(crm)

    written = write_with_journal(sessions, crm, "tryton", updates, clock=utc_now)
    there = crm.read([one, other])
    tryton.change(one, "groundswell_handles", "a person's own")
    tryton.write(gone, active=False)
    later = [
        update(party, groundswell_handles="x:new", groundswell_mentions=4)
        for party in (one, other, gone)
    ]
    results = write_with_journal(sessions, crm, "tryton", later, clock=utc_now)
    seen_again, _ = read(crm, cursor)
    said = tryton.mechanisms(one)
    found = undo(sessions, crm, name="tryton", since=utc_now() - timedelta(hours=1))

    assert [result.error for result in written] == [None] * 3
    assert there is not None
    assert all(is_same(there[one].get(name), value) for name, value in updates[0].fields.items())
    assert [bool(result.error) for result in results] == [False, False, True]
    assert said["groundswell_handles"] == "a person's own"
    assert (said["groundswell_mentions"], said["x"]) == ("4", "rosa0")
    assert (found.restored, found.kept) == (2, 1)
    assert tryton.mechanisms(one) == {"x": "rosa0", "groundswell_handles": "a person's own"}
    assert tryton.mechanisms(other) == {"x": "rosa1"}
    # Our own fields are no accounts of the person.
    assert all("groundswell" not in str(record.handles) for record in seen_again)


def test_a_case_is_a_note_of_the_party_and_one_that_a_person_deleted_stays_so(
    tryton: TrytonServer, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    one, other = tryton.add("Case One"), tryton.add("Case Other")
    fields = {
        "subject": "Acme: service on x",
        "body": "Why: refund\nPost: https://x.com/i/1",
        "priority": "medium",
        "state": "open",
    }
    first = ContactUpdate("case/x:1_1", fields | {"contact": one}, "1")
    second = ContactUpdate("case/x:1_2", fields | {"contact": other}, "2")
    lost = ContactUpdate("case/x:3", fields | {"contact": "999999"}, "3")

    for _ in range(2):
        results = write_with_journal(sessions, crm, "tryton", [first, second, lost], clock=utc_now)
    closed = replace(first, fields={**first.fields, "state": "closed"})
    write_with_journal(sessions, crm, "tryton", [closed], clock=utc_now)
    (note,) = tryton.notes(one)
    tryton.delete_notes(other)
    again = replace(second, fields={**second.fields, "state": "closed"})
    write_with_journal(sessions, crm, "tryton", [again], clock=utc_now)
    assert tryton.notes(other) == []
    found = undo(sessions, crm, name="tryton", since=utc_now() - timedelta(hours=1))

    assert [bool(result.error) for result in results] == [False, False, True]
    assert note == (
        "Groundswell case x:1_1\nAcme: service on x\nPriority: medium\nState: closed\n\n"
        "Why: refund\nPost: https://x.com/i/1"
    )
    assert (found.restored, found.failed) == (1, 0)
    assert tryton.notes(one) == []


def test_one_that_is_gone_does_not_hold_up_the_others(tryton: TrytonServer, crm: Crm) -> None:
    party = tryton.add("Here", x="here")

    there, gone = crm.write([update(party), update("999999")])

    assert (there.error, bool(gone.error), gone.is_transient) == (None, True, False)


def test_a_session_that_ended_is_begun_anew(tryton: TrytonServer, crm: Crm) -> None:
    crm.check()
    tryton.end_all_sessions()

    crm.check()


def test_calls_keep_to_the_budget_that_is_set(
    tryton: TrytonServer, crm: Crm, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crm.limits == ()  # Tryton has none by itself
    monkeypatch.setenv("GROUNDSWELL_TRYTON_CALLS_A_MINUTE", "20")
    monkeypatch.setenv("GROUNDSWELL_TRYTON_CALLS_AT_ONCE", "1")
    made = make_crm("tryton")
    clock = MovableClock()
    began = clock.now
    meter = BudgetMeter(
        sessions, "tryton", made.limits, clock=clock, sleep=lambda s: clock.forward(seconds=s)
    )
    made.use_meter(meter)

    for _ in range(20):
        made.check()
    with sessions() as session:
        rows = {row.name: row for row in session.scalars(select(CrmBudget))}
    made.close()

    # 2 of them at once, and 18 come back in each minute.
    assert (clock.now - began).total_seconds() == pytest.approx(60, abs=1)
    assert rows["minute"].size == 20
    assert rows["at once"].running == []


def test_wrong_settings_are_named(tryton: TrytonServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_TRYTON_PASSWORD", "wrong")
    refused = make_crm("tryton")
    with pytest.raises(PermanentError, match="GROUNDSWELL_TRYTON_USER"):
        refused.check()
    refused.close()
    monkeypatch.setenv("GROUNDSWELL_TRYTON_MAPPING", '{"tier": "level"}')
    with pytest.raises(InputError, match="level"):
        make_crm("tryton")
    monkeypatch.delenv("GROUNDSWELL_TRYTON_DATABASE")
    with pytest.raises(InputError, match="GROUNDSWELL_TRYTON_DATABASE"):
        make_crm("tryton")
