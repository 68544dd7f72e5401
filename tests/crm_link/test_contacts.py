from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError, TransientError
from crm_link.contacts.mirror import import_contacts, sync_contacts
from crm_link.linking.match_keys import hash_key
from crm_link.linking.matching_models import MatchKey, NameCount
from crm_link.linking.rebuild import ensure_index, rebuild_index
from crm_link.models import Contact, ContactKey, CrmCursor
from crm_link.types import ContactPage
from tests.crm_link.make_linking import CONTEXT, FakeCrm, make_record, sync
from tests.make import NOW


def keys(sessions: sessionmaker[Session]) -> set[tuple[str, str]]:
    with sessions() as session:
        return {(key.kind, key.value) for key in session.scalars(select(ContactKey))}


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def match_keys(sessions: sessionmaker[Session]) -> set[int]:
    with sessions() as session:
        return set(session.scalars(select(MatchKey.key)))


def counted(sessions: sessionmaker[Session]) -> dict[tuple[str, str], int]:
    with sessions() as session:
        rows = session.scalars(select(NameCount).where(NameCount.kind != "version"))
        return {(row.kind, row.value): row.contacts for row in rows}


def test_a_file_becomes_contacts_with_keys_and_doing_it_twice_changes_nothing(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = write(
        tmp_path / "contacts.csv",
        "Contact ID,First Name,Last Name,Email,Phone,Twitter,Website,Country,Tier,Value,Note\n"
        "1,José,García,Jose@Example.com,030 901820,@Jose,https://jose.example,Germany,gold,"
        '"1.234,50 €",hello\n'
        "2,Jane,Doe,,,,,,,,\n",
    )

    first = import_contacts(sessions, path, clock=lambda: NOW, context=CONTEXT)
    again = import_contacts(sessions, path, clock=lambda: NOW, context=CONTEXT)

    assert (first.seen, first.new, first.changed, first.rejected) == (2, 2, 0, ())
    assert (again.seen, again.new, again.changed) == (2, 0, 0)
    assert keys(sessions) == {
        ("email", "jose@example.com"),
        ("phone", "+4930901820"),
        ("handle", "x:jose"),
        ("link", "jose.example"),
    }
    assert counted(sessions) == {
        ("all", ""): 2,
        ("family", "garcia"): 1,
        ("family", "doe"): 1,
        ("given", "jose"): 1,
        ("given", "jane"): 1,
        ("host", "jose.example"): 1,
    }
    with sessions() as session:
        jose = session.scalars(select(Contact).where(Contact.external_id == "1")).one()
        assert (jose.name, jose.country, jose.tier, jose.value) == (
            "José García",
            "DE",
            "gold",
            1234.5,
        )
        assert jose.fields == {"Note": "hello"}


def test_a_changed_contact_gets_its_keys_anew(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(emails=("a@example.com", "b@example.com")))

    result = sync(sessions, make_record(emails=("b@example.com", "c@example.com")))

    assert (result.new, result.changed) == (0, 1)
    assert {value for kind, value in keys(sessions) if kind == "email"} == {
        "b@example.com",
        "c@example.com",
    }


def test_a_deleted_contact_comes_back_when_the_crm_has_it_again(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record())
    before = match_keys(sessions)
    assert hash_key("f|jane|doe") in before
    assert sync(sessions, make_record(is_deleted=True)).deleted == 1
    assert match_keys(sessions) == set()
    assert set(counted(sessions).values()) == {0}
    assert sync(sessions, make_record(is_deleted=True)).deleted == 0
    assert keys(sessions) == set()

    assert sync(sessions, make_record()).changed == 1

    assert match_keys(sessions) == before
    assert counted(sessions)["family", "doe"] == 1
    with sessions() as session:
        assert session.scalars(select(Contact)).one().deleted_at is None


def test_the_same_id_in_two_crms_is_two_contacts(sessions: sessionmaker[Session]) -> None:
    sync(sessions, make_record(), name="one")
    sync(sessions, make_record(), name="two")

    with sessions() as session:
        assert session.scalars(select(Contact.crm).order_by(Contact.crm)).all() == ["one", "two"]


def test_a_sync_goes_on_at_the_last_page_that_was_stored(sessions: sessionmaker[Session]) -> None:
    class Failing(FakeCrm):
        def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
            yield from super().contacts(cursor)
            raise TransientError("503")

    crm = Failing(ContactPage((make_record(),), "page-1"))
    with pytest.raises(TransientError):
        sync_contacts(sessions, crm, name="fake", clock=lambda: NOW, context=CONTEXT)

    fine = FakeCrm(ContactPage((make_record("c2"),), "page-2"))
    seen: list[int] = []
    sync_contacts(
        sessions, fine, name="fake", clock=lambda: NOW, context=CONTEXT, on_progress=seen.append
    )

    assert fine.cursors == ["page-1"]
    assert seen == [1]
    with sessions() as session:
        assert session.get_one(CrmCursor, "fake").cursor == "page-2"
        assert len(session.scalars(select(Contact)).all()) == 2


def test_numbers_that_nobody_can_be_found_by_are_counted(sessions: sessionmaker[Session]) -> None:
    result = sync(sessions, make_record(phones=("12345", "202-224-2315"), emails=("nobody",)))

    assert result.unusable == 2
    assert ("phone", "+12022242315") in keys(sessions)


def test_wrong_columns_are_refused_naming_found_and_needed(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = write(tmp_path / "wrong.csv", "colour,size\nred,1\n")

    with pytest.raises(InputError, match=r"wrong\.csv.*id.*colour, size"):
        import_contacts(sessions, path, context=CONTEXT)


def test_two_thousand_contacts_come_in_pages(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    rows = "".join(f"{n},Person {n},p{n}@example.com\n" for n in range(2100))
    path = write(tmp_path / "many.csv", "id,name,email\n" + rows)
    seen: list[int] = []

    result = import_contacts(sessions, path, on_progress=seen.append, context=CONTEXT)

    assert result.new == 2100
    assert seen == [1000, 2000, 2100]


def test_keys_made_anew_are_those_that_syncs_keep(sessions: sessionmaker[Session]) -> None:
    sync(
        sessions, make_record(), make_record("c2", name="Robert Quimby", links=("quimby.example",))
    )
    sync(sessions, make_record("c2", name="Bob Quimby"))
    kept, counts = match_keys(sessions), counted(sessions)

    assert rebuild_index(sessions, CONTEXT) == 2

    assert match_keys(sessions) == kept
    assert counted(sessions) == {key: count for key, count in counts.items() if count}
    assert ensure_index(sessions, CONTEXT) is False
    assert ensure_index(sessions, replace(CONTEXT, country="DE")) is True


def test_contacts_of_an_older_version_get_keys_before_the_next_sync(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record())
    with sessions.begin() as session:
        session.execute(delete(MatchKey))
        session.execute(delete(NameCount))

    sync(sessions, make_record("c2", name="Robert Quimby"))

    assert {hash_key("f|jane|doe"), hash_key("f|robert|quimby")} <= match_keys(sessions)
    assert counted(sessions)["all", ""] == 2
