"""Several CRMs, and several accounts of one, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from api.commands.crm import app
from api.engine import Engine
from config.clock import utc_now
from config.db import read_session
from config.errors import InputError, PermanentError
from config.settings import Settings
from crm_link.crm import Crm, crms_in, make_crm, make_crms
from crm_link.crm_status import crm_status
from crm_link.crms.csv_file import CsvFileCrm
from crm_link.enrich import queue_enrichment
from crm_link.escalation.protocols import Protocols
from crm_link.models import Contact, IdentityLink
from crm_link.outbox.journal import newest_entries
from crm_link.outbox.journal_undo import undo
from crm_link.types import LinkState
from sentiment.scorer import make_scorer
from tests.crm_link.crms.hubspot import FakeHubspot
from tests.crm_link.crms.records import number
from tests.crm_link.crms.server import FakeCrm, served
from tests.crm_link.crms.zoho import FakeZoho
from tests.crm_link.making import make_author

NAMES = ("hubspot", "hubspot:emea", "zoho")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, FakeCrm]]:
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", "k" * 32)
    made: dict[str, FakeCrm] = {
        "hubspot": FakeHubspot(),
        "hubspot:emea": FakeHubspot(token="token-7"),
        "zoho": FakeZoho(),
    }
    with ExitStack() as stack:
        for name, fake in made.items():
            stack.enter_context(served(fake))
            account = name.partition(":")[2]
            settings = fake.environment_of(account) if account else fake.environment()
            for setting, value in settings.items():
                monkeypatch.setenv(setting, value)
        monkeypatch.setenv("GROUNDSWELL_HUBSPOT_EMEA_TOKEN", "token-7")
        yield made


@pytest.fixture
def crms(fakes: dict[str, FakeCrm]) -> Iterator[dict[str, Crm]]:
    made = make_crms(",".join(fakes))
    yield made
    for crm in made.values():
        crm.close()


@pytest.fixture
def engine(sessions: sessionmaker[Session], crms: dict[str, Crm]) -> Engine:
    settings = Settings(crm=",".join(crms))
    return Engine(settings, sessions, make_scorer("vader"), Protocols(sessions, {}), crms=crms)


def fill_each(fakes: dict[str, FakeCrm]) -> None:
    for name, fake in fakes.items():
        # The same id in each: they are three people's records, or one person's three.
        fake.add(number(1), first="Ann", last="Lee", email=f"{name[-4:]}@example.com")


def confirm_each(sessions: sessionmaker[Session]) -> None:
    """Link one author to the contacts of all CRMs, and queue what they should say."""
    author_id = make_author(sessions, 10, "annlee")
    with sessions.begin() as session:
        contact_ids = session.scalars(select(Contact.id)).all()
        for contact_id in contact_ids:
            session.add(
                IdentityLink(
                    author_id=author_id,
                    contact_id=contact_id,
                    state=LinkState.CONFIRMED,
                    weight_bits=12.0,
                    evidence=[],
                    rule_version="test",
                    decided_by="ann",  # by hand: there is no evidence that linking could find
                    decided_at=utc_now(),
                    created_at=utc_now(),
                )
            )
        session.flush()
        queue_enrichment(session, contact_ids, now=utc_now())


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("csv_file", ("csv_file",)),
        ("", ()),
        (" hubspot , hubspot:emea,tryton ", ("hubspot", "hubspot:emea", "tryton")),
    ],
)
def test_a_list_of_crms_is_read_in_its_order(said: str, found: tuple[str, ...]) -> None:
    assert crms_in(said) == found


@pytest.mark.parametrize("said", ["Hub Spot", "hubspot:", "hubspot:a:b", "hubspot,hubspot"])
def test_what_cannot_be_a_crm_is_refused(said: str) -> None:
    with pytest.raises(InputError, match="GROUNDSWELL_CRM"):
        crms_in(said)


def test_an_account_has_settings_of_its_own_and_takes_nobody_elses(
    fakes: dict[str, FakeCrm], crms: dict[str, Crm], monkeypatch: pytest.MonkeyPatch
) -> None:
    crms["hubspot:emea"].check()
    monkeypatch.delenv("GROUNDSWELL_HUBSPOT_EMEA_TOKEN")

    with pytest.raises(InputError, match="GROUNDSWELL_HUBSPOT_EMEA_TOKEN"):
        make_crm("hubspot:emea")
    assert {call.headers["authorization"] for call in fakes["hubspot:emea"].calls} == {
        "Bearer token-7"
    }


def test_each_csv_account_writes_a_file_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))

    assert str(CsvFileCrm(account="shop")._out) == f"{tmp_path}/enriched_contacts_shop.csv"


def test_contacts_enrichment_journal_and_undo_are_each_crms_own(
    fakes: dict[str, FakeCrm],
    crms: dict[str, Crm],
    engine: Engine,
    sessions: sessionmaker[Session],
) -> None:
    fill_each(fakes)
    for crm in crms.values():
        crm.setup()

    assert engine.sync_contacts() == 3
    confirm_each(sessions)
    assert engine.write_back() == 3
    emea = undo(
        sessions,
        crms["hubspot:emea"],
        name="hubspot:emea",
        since=utc_now() - timedelta(hours=1),
    )

    assert emea.restored == 1
    written = {
        name: fake.contacts[number(1)].get("groundswell_handles") for name, fake in fakes.items()
    }
    assert written == {"hubspot": "x:annlee", "hubspot:emea": None, "zoho": "x:annlee"}
    with read_session(sessions) as session:
        entries = newest_entries(session, ["hubspot:emea"], 10)
        status = crm_status(session, NAMES)
    assert [entry.is_undo for entry in entries] == [True, False]
    assert [(row.name, row.contacts, row.waiting, row.dead) for row in status] == [
        (name, 1, 0, 0) for name in NAMES
    ]
    assert all(row.synced_at is not None for row in status)


def test_one_that_refuses_us_holds_up_no_other(
    fakes: dict[str, FakeCrm],
    crms: dict[str, Crm],
    engine: Engine,
    sessions: sessionmaker[Session],
) -> None:
    fill_each(fakes)
    for crm in crms.values():
        crm.setup()
    engine.sync_contacts()
    confirm_each(sessions)
    fakes["hubspot"].expire()

    with pytest.raises(PermanentError, match="token"):
        engine.sync_contacts()
    assert engine.write_back() == 2

    with read_session(sessions) as session:
        status = {row.name: row for row in crm_status(session, NAMES)}
    assert [status[name].waiting for name in NAMES] == [1, 0, 0]
    assert "token" in (status["hubspot"].last_error or "")
    assert status["zoho"].last_error is None


def test_commands_are_for_all_crms_or_for_one(
    fakes: dict[str, FakeCrm], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))
    monkeypatch.setenv("GROUNDSWELL_CRM", ",".join(NAMES))
    fill_each(fakes)
    runner = CliRunner()

    assert runner.invoke(app, ["setup", "--crm", "zoho"]).exit_code == 0
    assert [bool(fake.our_fields) for fake in fakes.values()] == [False, False, True]
    assert runner.invoke(app, ["setup"]).exit_code == 0
    assert all(fake.our_fields for fake in fakes.values())
    fakes["hubspot"].expire()
    assert isinstance(runner.invoke(app, ["sync"]).exception, PermanentError)
    shown = runner.invoke(app, ["status"]).stdout
    rows = [line.split("│") for line in shown.splitlines() if "│" in line]
    # The budgets of calls are shown below.
    assert [row[2].strip() for row in rows[: len(NAMES)]] == ["0", "1", "1"]
    assert isinstance(runner.invoke(app, ["sync", "--crm", "nobody"]).exception, InputError)
