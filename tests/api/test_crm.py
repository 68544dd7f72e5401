"""Write-backs that were given up are seen by people, who retry or drop them."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from api.cli import app as command_line
from api.models import Role
from config.errors import PermanentError
from config.settings import Settings
from crm_link.calls.budget_meter import BudgetMeter
from crm_link.calls.budgets import DAY_S, Limit
from crm_link.calls.crm_health import CrmWork, noted
from crm_link.models import Contact, DeliveryStatus, WriteBack
from crm_link.outbox.dead_letters import reason_of
from tests.api.conftest import MovableClock, SignIn

CRM = "hubspot:emea"


@pytest.fixture
def settings() -> Settings:
    return Settings(secret_key=SecretStr("made up, and long enough for a session"), crm=CRM)


@pytest.fixture
def letters(sessions: sessionmaker[Session], clock: MovableClock) -> list[int]:
    """Store two records that were given up, and one that waits."""
    said = ("Salesforce: DUPLICATES_DETECTED", "HubSpot did not answer: ConnectError", None)
    with sessions.begin() as session:
        rows = []
        for number, error in enumerate(said):
            contact = Contact(
                crm=CRM,
                external_id=f"c{number}",
                name=f"Person <{number}>",
                emails=[],
                phones=[],
                handles=[],
                links=[],
                fields={},
                record_hash="0",
                first_seen_at=clock.now,
                updated_at=clock.now,
            )
            session.add(contact)
            session.flush()
            rows.append(
                WriteBack(
                    crm=CRM,
                    external_id=f"c{number}",
                    contact_id=contact.id,
                    fields={},
                    status=DeliveryStatus.DEAD if error else DeliveryStatus.PENDING,
                    attempts=10 if number == 1 else 1,
                    last_error=error,
                    next_attempt_at=clock.now,
                    created_at=clock.now,
                )
            )
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def status_of(sessions: sessionmaker[Session], letter_id: int) -> DeliveryStatus:
    with sessions() as session:
        return session.get_one(WriteBack, letter_id).status


def set_up(sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands work on the test's database."""
    with sessions() as session:
        url = session.get_bind().engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("GROUNDSWELL_DATABASE_URL", url)
    monkeypatch.setenv("GROUNDSWELL_CRM", CRM)
    monkeypatch.setenv("COLUMNS", "200")


def test_the_list_says_why_and_what_helps(sign_in: SignIn, letters: list[int]) -> None:
    admin = sign_in(Role.ADMIN)

    first = admin.get("/api/v1/crm/dead", params={"limit": 1}).json()
    second = admin.get("/api/v1/crm/dead", params={"cursor": first["next_cursor"]}).json()
    page = admin.get("/admin/crm").text

    found = [*first["items"], *second["items"]]
    assert [one["id"] for one in found] == letters[:2]
    assert "duplicate rule" in found[0]["reason"]
    assert found[1]["reason"].endswith("Retry when it is back. Tried 10 times.")
    assert found[1]["said"] == "HubSpot did not answer: ConnectError"
    assert all(one["reason"] in page for one in found)
    assert "Person &lt;0&gt;" in page


def test_the_health_page_says_which_crm_fails_and_why_records_were_given_up(
    sign_in: SignIn, letters: list[int], sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    admin = sign_in(Role.ADMIN)
    assert "duplicate rule" in admin.get("/admin/system").text
    assert "2 records given up" not in admin.get("/admin/system").text  # two causes
    with (
        pytest.raises(PermanentError),
        noted(sessions, CRM, CrmWork.CONTACTS, clock=clock),
    ):
        raise PermanentError("HubSpot answered 401 <b>")

    (status,) = admin.get("/api/v1/crm").json()["crms"]

    assert status["failing"] == "contacts: HubSpot answered 401 <b>"
    assert len(status["given_up"]) == len(letters) - 1
    for page in ("/admin/system", "/admin/crm"):
        assert "contacts: HubSpot answered 401 &lt;b&gt;" in admin.get(page).text


def test_one_is_retried_one_dropped_and_neither_twice(
    sign_in: SignIn, letters: list[int], sessions: sessionmaker[Session]
) -> None:
    admin = sign_in(Role.ADMIN)
    one, other, waiting = letters

    assert admin.post(f"/api/v1/crm/dead/{one}/retry").status_code == 204
    assert admin.post(f"/admin/crm/dead/{other}/drop").status_code in {200, 303}

    assert status_of(sessions, one) is DeliveryStatus.PENDING
    assert status_of(sessions, other) is DeliveryStatus.CANCELLED
    assert admin.post(f"/api/v1/crm/dead/{other}/retry").status_code == 409
    assert admin.post(f"/api/v1/crm/dead/{waiting}/drop").status_code == 409
    assert admin.post("/api/v1/crm/dead/999/drop").status_code == 404
    assert "Everything arrived" in admin.get("/admin/crm").text


def test_all_are_retried_at_once(
    sign_in: SignIn, letters: list[int], sessions: sessionmaker[Session]
) -> None:
    answer = sign_in(Role.ADMIN).post("/api/v1/crm/dead/retry")

    assert answer.json() == {"retried": 2}
    assert {status_of(sessions, one) for one in letters} == {DeliveryStatus.PENDING}


def test_the_page_shows_what_is_left_of_the_budgets(
    sign_in: SignIn, letters: list[int], sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    assert letters
    meter = BudgetMeter(sessions, CRM, [Limit("daily", 1000, DAY_S)], clock=clock)
    meter.take({"daily": 1})
    meter.pause("daily", 600, "HubSpot's daily limit is used up")
    admin = sign_in(Role.ADMIN)

    (budget,) = admin.get("/api/v1/crm").json()["budgets"]
    page = admin.get("/admin/crm").text

    assert (budget["crm"], budget["limit"], budget["free"]) == (CRM, "daily", 99)
    assert budget["reason"] == "HubSpot's daily limit is used up"
    assert "Nobody calls until" in page


def test_the_command_shows_retries_and_drops(
    letters: list[int], sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(sessions, monkeypatch)

    shown = CliRunner().invoke(command_line, ["crm", "dead"])
    done = CliRunner().invoke(command_line, ["crm", "dead", "--drop", str(letters[1]), "--retry"])

    assert "duplicate rule" in shown.output, shown.output
    assert done.exit_code == 0, done.output
    assert status_of(sessions, letters[0]) is DeliveryStatus.PENDING
    assert status_of(sessions, letters[1]) is DeliveryStatus.CANCELLED


def test_the_commands_show_what_is_left_of_the_budgets(
    letters: list[int],
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert letters
    set_up(sessions, monkeypatch)
    meter = BudgetMeter(sessions, CRM, [Limit("daily", 1000, DAY_S), Limit("at once", 5, 0.0)])
    meter.take({"daily": 1, "at once": 1})
    meter.pause("daily", 600, "the limit is used up")

    of_crms = CliRunner().invoke(command_line, ["crm", "status"])
    of_all = CliRunner().invoke(command_line, ["status"])

    assert "1,000 in 86,400 s" in of_crms.output, of_crms.output
    assert "5 at one moment" in of_crms.output
    assert "the limit is used up" in of_crms.output
    assert "CRM budgets used up" in of_all.output, of_all.output


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("the CRM has no such contact any more", "deleted or merged"),
        ("Salesforce: UNABLE_TO_LOCK_ROW", "Somebody else held the record"),
        ("HubSpot answered 401 to POST /x: the token is wrong or has ended", "Renew them"),
        ("HubSpot answered 403 to POST /x: the account may not do this; check its scopes", "scope"),
        ("Zoho: MANDATORY_NOT_FOUND", "Fill it in"),
        ("HubSpot: VALIDATION_ERROR", "crm setup"),
        ("Zoho: SOMETHING_NEW", "its own words"),
    ],
)
def test_errors_are_told_in_words(said: str, words: str) -> None:
    assert words in reason_of(said)
