"""What a person wrote into a CRM stays; what we wrote can be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import TransientError
from crm_link.crm import Crm
from crm_link.models import CrmJournalEntry
from crm_link.outbox.journal import write_with_journal
from crm_link.outbox.journal_undo import undo
from crm_link.types import ContactUpdate, WriteResult
from tests.make import NOW

NAME = "made_up"


class Records(Crm):
    """A CRM in memory, with what a crash or a person can do to it."""

    batch_size = 2

    def __init__(self, **records: dict[str, Any]) -> None:
        self.records = records
        self.sent: list[ContactUpdate] = []
        self.dies_before = self.dies_after = False
        self.refused: set[str] = set()

    def contacts(self, cursor: str | None) -> Any:
        raise NotImplementedError

    def read(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return {one: dict(self.records[one]) for one in external_ids if one in self.records}

    def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        if self.dies_before:
            raise TransientError("no answer")
        self.sent.extend(updates)
        results = []
        for update in updates:
            refused = update.external_id in self.refused
            if not refused:
                self.records[update.external_id] |= {
                    name: None if value is None else str(value)
                    for name, value in update.fields.items()
                }
            results.append(WriteResult(update.external_id, error="no" if refused else None))
        if self.dies_after:
            raise TransientError("no answer")
        return results


def write(
    sessions: sessionmaker[Session], crm: Crm, minute: int = 0, **records: dict[str, Any]
) -> list[WriteResult]:
    updates = [ContactUpdate(one, fields, f"k:{one}") for one, fields in records.items()]
    clock = lambda: NOW + timedelta(minutes=minute)  # noqa: E731
    return write_with_journal(sessions, crm, NAME, updates, clock=clock)


def take_back(sessions: sessionmaker[Session], crm: Crm, minute: int = 0) -> tuple[int, int, int]:
    since = NOW + timedelta(minutes=minute)
    found = undo(sessions, crm, name=NAME, since=since, clock=lambda: NOW + timedelta(hours=1))
    return found.restored, found.kept, found.failed


def entries(sessions: sessionmaker[Session]) -> list[CrmJournalEntry]:
    with sessions() as session:
        return list(session.scalars(select(CrmJournalEntry).order_by(CrmJournalEntry.id)))


def test_what_differs_is_written_and_what_stood_there_is_kept(
    sessions: sessionmaker[Session],
) -> None:
    crm = Records(c1={"handles": "", "mentions": None})

    write(sessions, crm, c1={"handles": "x:ann", "mentions": 3})
    write(sessions, crm, 1, c1={"handles": "x:ann", "mentions": 3})
    write(sessions, crm, 2, c1={"handles": "x:ann", "mentions": 4})

    assert [dict(one.fields) for one in crm.sent] == [
        {"handles": "x:ann", "mentions": 3},
        {"mentions": 4},
    ]
    first, second = entries(sessions)
    assert first.before == {"handles": "", "mentions": None}
    assert second.before == {"mentions": "3"}
    assert second.after == {"handles": "x:ann", "mentions": 4}
    assert first.done_at == NOW


def test_a_field_that_a_person_changed_is_never_overwritten(
    sessions: sessionmaker[Session],
) -> None:
    crm = Records(c1={"handles": None, "mentions": None}, c2={"handles": "by hand"})
    write(sessions, crm, c1={"handles": "x:ann", "mentions": 1}, c2={"handles": "x:bob"})
    crm.records["c1"]["handles"] = "x:anna (asked her)"

    results = write(sessions, crm, 1, c1={"handles": None, "mentions": 2})
    write(sessions, crm, 2, c1={"handles": "x:other", "mentions": 3})

    assert results[0].error is None
    assert crm.records["c1"] == {"handles": "x:anna (asked her)", "mentions": "3"}
    assert crm.records["c2"] == {"handles": "by hand"}
    assert entries(sessions)[-1].kept == ["handles"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_around_the_write_makes_no_change_look_like_a_persons(
    sessions: sessionmaker[Session], when: str
) -> None:
    crm = Records(c1={"mentions": None})
    write(sessions, crm, c1={"mentions": 1})
    setattr(crm, f"dies_{when}", True)
    with pytest.raises(TransientError):
        write(sessions, crm, 1, c1={"mentions": 2})
    setattr(crm, f"dies_{when}", False)

    write(sessions, crm, 2, c1={"mentions": 3})

    assert crm.records["c1"] == {"mentions": "3"}
    assert take_back(sessions, crm) == (1, 0, 0)
    assert crm.records["c1"] == {"mentions": None}


def test_undo_restores_what_stood_there_before_the_first_write(
    sessions: sessionmaker[Session],
) -> None:
    before = {name: {"handles": "", "mentions": str(n)} for n, name in enumerate("abcde")}
    crm = Records(**{name: {"handles": "", "mentions": None} for name in before})
    for name, fields in before.items():
        write(sessions, crm, 0, **{name: fields})
    stood = {name: dict(fields) for name, fields in crm.records.items()}
    for minute in (10, 20):
        for name in before:
            write(sessions, crm, minute, **{name: {"handles": f"x:{minute}", "mentions": minute}})
    crm.records["c"]["handles"] = "a person's"
    crm.refused = {"d"}

    first = take_back(sessions, crm, 5)
    crm.refused = set()
    again = take_back(sessions, crm, 5)
    nothing = take_back(sessions, crm, 5)

    assert (first, again, nothing) == ((4, 1, 1), (1, 0, 0), (0, 0, 0))
    assert crm.records["c"]["handles"] == "a person's"
    crm.records["c"]["handles"] = stood["c"]["handles"]
    # Empty and nothing are the same to a CRM.
    assert {n: {k: v or "" for k, v in f.items()} for n, f in crm.records.items()} == {
        n: {k: v or "" for k, v in f.items()} for n, f in stood.items()
    }


def test_what_was_undone_may_be_written_again(sessions: sessionmaker[Session]) -> None:
    crm = Records(c1={"mentions": None})
    write(sessions, crm, c1={"mentions": 1})
    take_back(sessions, crm)

    write(sessions, crm, 120, c1={"mentions": 2})

    assert crm.records["c1"] == {"mentions": "2"}


def test_a_record_that_is_gone_is_said_so(sessions: sessionmaker[Session]) -> None:
    crm = Records(c1={"mentions": None})

    gone, there = write(sessions, crm, c9={"mentions": 1}, c1={"mentions": 1})

    assert "no such contact" in (gone.error or "")
    assert there.error is None


def test_a_field_that_a_person_cleared_stays_empty_after_a_crash(
    sessions: sessionmaker[Session],
) -> None:
    crm = Records(c1={"handles": None, "mentions": None})
    write(sessions, crm, c1={"handles": "x:ann", "mentions": 1})
    crm.dies_before = True
    with pytest.raises(TransientError):
        write(sessions, crm, 1, c1={"handles": "x:ann", "mentions": 2})
    crm.dies_before = False
    crm.records["c1"]["handles"] = None

    write(sessions, crm, 2, c1={"handles": "x:ann", "mentions": 3})

    assert crm.records["c1"] == {"handles": None, "mentions": "3"}


def test_what_never_arrived_is_not_taken_for_ours_later(sessions: sessionmaker[Session]) -> None:
    crm = Records(c1={"handles": None, "mentions": None})
    write(sessions, crm, c1={"handles": "x:ann", "mentions": 1})
    crm.dies_before = True
    with pytest.raises(TransientError):
        write(sessions, crm, 1, c1={"handles": "x:ann", "mentions": 2})
    crm.dies_before = False
    # The second mention was erased meanwhile: its field is as it was, another one differs.
    write(sessions, crm, 2, c1={"handles": "x:anna", "mentions": 1})

    write(sessions, crm, 3, c1={"handles": "x:anna", "mentions": 4})

    assert crm.records["c1"] == {"handles": "x:anna", "mentions": "4"}
    assert entries(sessions)[-1].kept == []


def test_records_that_are_all_gone_are_not_written(sessions: sessionmaker[Session]) -> None:
    crm = Records()

    (result,) = write(sessions, crm, c9={"mentions": 1})

    assert "no such contact" in (result.error or "")
    assert crm.sent == []
    assert entries(sessions) == []


def test_a_record_without_an_answer_is_sent_again(sessions: sessionmaker[Session]) -> None:
    class Silent(Records):
        def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
            return super().write(updates)[1:]

    crm = Silent(c1={"mentions": None}, c2={"mentions": None})

    first, second = write(sessions, crm, c1={"mentions": 1}, c2={"mentions": 1})

    assert first.is_transient
    assert "did not say" in (first.error or "")
    assert second.error is None
    assert [entry.done_at for entry in entries(sessions)] == [None, NOW]


def test_after_its_time_a_worker_begins_no_write(sessions: sessionmaker[Session]) -> None:
    crm = Records(c1={"mentions": None})
    updates = [ContactUpdate("c1", {"mentions": 1}, "k:c1")]

    with pytest.raises(TransientError, match="too long"):
        write_with_journal(
            sessions, crm, NAME, updates, clock=lambda: NOW, write_until=NOW - timedelta(seconds=1)
        )

    assert crm.sent == []
    assert entries(sessions) == []


def test_a_write_that_arrived_before_a_crash_is_confirmed_though_a_person_changed_it_since(
    sessions: sessionmaker[Session],
) -> None:
    crm = Records(c1={"handles": None, "mentions": None})
    crm.dies_after = True
    with pytest.raises(TransientError):
        write(sessions, crm, c1={"handles": "x:ann", "mentions": 1})
    crm.dies_after = False
    crm.records["c1"]["handles"] = None

    write(sessions, crm, 1, c1={"handles": "x:ann", "mentions": 2})

    # Cleared by a person, who wants it so; not taken for a write that never arrived.
    assert crm.records["c1"] == {"handles": None, "mentions": "2"}
    assert [entry.done_at is not None for entry in entries(sessions)] == [True, True]


def test_an_undo_says_first_what_became_of_a_write_without_an_answer(
    sessions: sessionmaker[Session],
) -> None:
    crm = Records(c1={"mentions": None})
    crm.dies_after = True
    with pytest.raises(TransientError):
        write(sessions, crm, c1={"mentions": 1})
    crm.dies_after = False

    assert take_back(sessions, crm) == (1, 0, 0)

    assert crm.records["c1"] == {"mentions": None}
    assert [entry.done_at is not None for entry in entries(sessions)] == [True, True]
