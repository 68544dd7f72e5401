"""What every CRM that is called over HTTP must do when contacts are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.errors import TransientError
from crm_link.contacts.mirror import sync_contacts
from crm_link.crm import Crm
from crm_link.models import Contact
from crm_link.types import ContactPage
from tests.crm_link.crms.records import fill, number, read
from tests.crm_link.crms.server import FakeCrm
from tests.crm_link.make_linking import CONTEXT


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


def test_a_sync_that_was_stopped_goes_on_where_it_was(
    fake: FakeCrm, crm: Crm, sessions: sessionmaker[Session]
) -> None:
    fill(fake, 450)
    first = next(crm.contacts(None))
    cursors: list[str | None] = []

    class Stopping(Crm):
        def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
            cursors.append(cursor)
            if len(cursors) > 1:
                yield from crm.contacts(cursor)
                return
            yield first
            raise TransientError("the second page cannot be had")

        def write(self, updates: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(TransientError):
        sync_contacts(sessions, Stopping(), name=fake.name, context=CONTEXT)
    sync_contacts(sessions, Stopping(), name=fake.name, context=CONTEXT)

    with read_session(sessions) as session:
        stored = set(session.scalars(select(Contact.external_id)))
    assert stored == {number(n) for n in range(450)}
    assert cursors == [None, first.cursor]
