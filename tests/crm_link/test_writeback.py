from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import PermanentError, TransientError
from crm_link.crms.csv_file import CsvFileCrm
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.service import link_mentions
from crm_link.types import ContactUpdate, WriteResult
from crm_link.writeback import (
    LEASE_S,
    MAX_ATTEMPTS,
    RETRY_MAX_S,
    deliver_write_backs,
    retry_wait_s,
    revive,
)
from tests.crm_link.make_linking import CONTEXT, FakeCrm, add_mention, make_record, sync
from tests.make import NOW


def add_row(sessions: sessionmaker[Session], external_id: str = "c1", mentions: int = 1) -> int:
    """Queue a row for a contact of its own."""
    sync(sessions, make_record(external_id))
    with sessions.begin() as session:
        contact_id = session.scalars(
            select(Contact.id).where(Contact.external_id == external_id)
        ).one()
        row = WriteBack(
            crm="csv_file",
            external_id=external_id,
            contact_id=contact_id,
            fields={"groundswell_mentions": mentions},
            status=DeliveryStatus.PENDING,
            next_attempt_at=NOW,
            created_at=NOW,
        )
        session.add(row)
        session.flush()
        return row.id


def get(sessions: sessionmaker[Session], row_id: int) -> WriteBack:
    with sessions() as session:
        return session.get_one(WriteBack, row_id)


def deliver(sessions: sessionmaker[Session], crm: FakeCrm, after_s: float = 0.0) -> int:
    return deliver_write_backs(sessions, crm, clock=lambda: NOW + timedelta(seconds=after_s))


def test_a_due_row_is_written_once(sessions: sessionmaker[Session]) -> None:
    row_id = add_row(sessions)
    crm = FakeCrm()

    assert deliver(sessions, crm) == 1
    assert deliver(sessions, crm) == 0

    row = get(sessions, row_id)
    assert crm.written == {"c1": {"groundswell_mentions": 1}}
    assert (row.status, row.sent_version, row.sent_at) == (DeliveryStatus.SENT, 1, NOW)


def test_a_failure_is_retried_later_and_dies_in_the_end(sessions: sessionmaker[Session]) -> None:
    row_id = add_row(sessions)
    crm = FakeCrm()
    later = 0.0
    for attempt in range(1, MAX_ATTEMPTS + 1):
        crm.errors = [TransientError("503 from the CRM", retry_after_s=30.0)]
        assert deliver(sessions, crm, later) == 0
        row = get(sessions, row_id)
        assert row.attempts == attempt
        # A dead row keeps when it died.
        wait_s = 30 if attempt < MAX_ATTEMPTS else 0
        assert row.next_attempt_at >= NOW + timedelta(seconds=later + wait_s)
        assert deliver(sessions, crm, later) == 0
        later = (row.next_attempt_at - NOW).total_seconds()

    row = get(sessions, row_id)
    assert crm.calls == MAX_ATTEMPTS
    assert row.status is DeliveryStatus.DEAD
    assert row.next_attempt_at == NOW + timedelta(seconds=later)
    assert row.last_error == "503 from the CRM"

    with sessions.begin() as session:
        assert revive(session, [row_id], now=NOW) == 1
    assert deliver(sessions, crm, later) == 1


def test_refused_credentials_wait_for_a_person(sessions: sessionmaker[Session]) -> None:
    row_id = add_row(sessions)
    crm = FakeCrm()
    crm.errors = [PermanentError("401")]

    deliver(sessions, crm)

    assert get(sessions, row_id).status is DeliveryStatus.PENDING


def test_each_row_has_its_own_result(sessions: sessionmaker[Session]) -> None:
    fine, limited, refused = (add_row(sessions, name) for name in ("c1", "c2", "c3"))
    crm = FakeCrm()
    crm.results = {
        "c2": WriteResult("c2", error="locked", is_transient=True),
        "c3": WriteResult("c3", error="no such record"),
    }

    assert deliver(sessions, crm) == 1

    assert get(sessions, fine).status is DeliveryStatus.SENT
    assert get(sessions, limited).status is DeliveryStatus.PENDING
    assert get(sessions, refused).status is DeliveryStatus.DEAD
    assert get(sessions, refused).last_error == "no such record"


def test_a_change_during_sending_is_sent_again(sessions: sessionmaker[Session]) -> None:
    row_id = add_row(sessions)

    class Slow(FakeCrm):
        def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
            if self.calls == 0:
                with sessions.begin() as session:
                    session.execute(
                        update(WriteBack).values(fields={"groundswell_mentions": 2}, version=2)
                    )
            return super().write(updates)

    crm = Slow()
    assert deliver(sessions, crm) == 1
    assert get(sessions, row_id).status is DeliveryStatus.PENDING
    assert deliver(sessions, crm) == 1

    assert crm.written == {"c1": {"groundswell_mentions": 2}}
    assert get(sessions, row_id).status is DeliveryStatus.SENT


def test_a_worker_that_died_is_succeeded_when_its_lease_is_over(
    sessions: sessionmaker[Session],
) -> None:
    add_row(sessions)

    class Dying(FakeCrm):
        def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
            raise SystemExit

    with pytest.raises(SystemExit):
        deliver(sessions, Dying())
    crm = FakeCrm()

    assert deliver(sessions, crm, LEASE_S - 1) == 0
    assert deliver(sessions, crm, LEASE_S + 1) == 1


def test_two_workers_never_send_the_same_row(sessions: sessionmaker[Session]) -> None:
    for number in range(30):
        add_row(sessions, f"c{number}")
    crms = [FakeCrm(), FakeCrm()]
    for crm in crms:
        crm.batch_size = 4

    def work(crm: FakeCrm) -> int:
        return sum(deliver(sessions, crm) for _ in range(12))

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(work, crms))

    assert done == 30
    assert not set(crms[0].written) & set(crms[1].written)


def test_waits_double_with_chance_up_to_an_hour() -> None:
    waits = [retry_wait_s(attempt) for attempt in range(1, 15)]

    assert 5 <= waits[0] <= 10
    assert all(wait <= RETRY_MAX_S for wait in waits)
    assert waits[-1] >= RETRY_MAX_S / 2
    assert retry_wait_s(1, 500.0) == 500.0


def test_from_a_mention_to_the_enriched_file(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    sync(sessions, make_record(handles=(("mastodon", "jane"),)))
    mention_id, _ = add_mention(sessions, {"handle": "jane"})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)

    crm = CsvFileCrm(out=tmp_path / "out.csv")
    assert deliver_write_backs(sessions, crm, clock=lambda: NOW) == 1

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "id": "c1",
        "groundswell_handles": "mastodon:jane",
        "groundswell_mentions": "1",
        "groundswell_last_mention_at": NOW.isoformat(),
        "groundswell_last_sentiment": "negative",
        "groundswell_average_sentiment": "-0.5",
        "groundswell_complaints": "0",
        "groundswell_lead_score": "",
        "groundswell_churn_score": "",
        "groundswell_segment": "",
        "groundswell_open_incident": "",
    }
