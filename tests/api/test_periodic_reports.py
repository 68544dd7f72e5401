from __future__ import annotations

from datetime import timedelta
from email.header import decode_header, make_header
from email.message import Message

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.language import language
from api.models import Role
from api.report_mail import send_reports
from crm_link.models import DeliveryStatus
from crm_link.reporting.mailing import WAITS
from crm_link.reporting.models import ReportMail
from tests.api.conftest import MovableClock, SignIn
from tests.mail_server import MailServer


def mail_texts(mail: Message) -> tuple[str, str, str]:
    """Return a mail's subject, its text and its file."""
    subject = str(make_header(decode_header(str(mail["Subject"]))))
    parts = [part for part in mail.walk() if not part.is_multipart()]
    texts = [bytes(part.get_payload(decode=True) or b"").decode() for part in parts]
    return subject, texts[0], texts[-1]


FORM = {
    "brand": "acme",
    "kind": "weekly",
    "form": "html",
    "weekday": "0",
    "hour": "8",
    "zone": "UTC",
    "recipients": "kim@example.org, jo@example.org",
}


def test_reports_are_pages_and_files(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    assert "week of" in client.get("/reports/weekly?brand=acme").text
    assert (
        "By priority" in client.get("/reports/responses?brand=acme&until=2026-03-06T00:00:00Z").text
    )
    page = client.get("/reports/weekly.html?brand=acme&until=2026-03-05T00:00:00Z")
    assert "default-src 'none'" in page.text
    assert "<svg" in page.text
    assert "acme-weekly-2026-02-26.html" in page.headers["content-disposition"]
    text = client.get("/api/v1/reports/responses.csv?brand=acme").text
    assert text.startswith("group,name,flagged")
    assert client.get("/api/v1/response-times?brand=acme").json()["whole"]["flagged"] > 30
    assert client.get("/reports/weekly.exe?brand=acme").status_code == 422
    assert "No mail server is set" in client.get("/reports").text


def test_a_scheduled_report_is_mailed_once_with_its_file(
    sign_in: SignIn,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(Role.PR_LEAD)
    assert client.post("/reports/schedules", data=FORM | {"hour": "25"}).status_code == 422
    assert client.post("/reports/schedules", data=FORM).status_code == 303
    clock.now += timedelta(days=10)
    with MailServer() as server:
        monkeypatch.setenv("GROUNDSWELL_REPORTS_MAIL", server.address)
        sent = [
            send_reports(sessions, clock=clock, public_url="https://gs.example.org")
            for _ in range(2)
        ]

    assert sent == [2, 0]
    assert sorted(str(mail["To"]) for mail in server.mails) == [
        "jo@example.org",
        "kim@example.org",
    ]
    mail = server.mails[0]
    assert "week of 2 Mar 2026" in str(mail["Subject"])
    files = [part for part in mail.walk() if part.get_filename()]
    assert [part.get_filename() for part in files] == ["acme-weekly-2026-03-02.html"]
    content = files[0].get_payload(decode=True)
    assert isinstance(content, bytes)
    assert b"Net sentiment" in content
    assert {one["status"] for one in client.get("/api/v1/report-mails").json()} == {"sent"}


def test_a_scheduled_report_is_in_the_language_and_zone_of_its_schedule(
    sign_in: SignIn,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(Role.PR_LEAD)
    client.headers["Accept-Language"] = "es"
    # Without a choice it is written in the language of who makes it.
    one = {"zone": "Europe/Madrid", "recipients": "kim@example.org"}
    assert client.post("/reports/schedules", data=FORM | one).status_code == 303
    assert client.get("/api/v1/report-schedules").json()[0]["language"] == "es"
    clock.now += timedelta(days=10)
    with MailServer() as server:
        monkeypatch.setenv("GROUNDSWELL_REPORTS_MAIL", server.address)
        assert send_reports(sessions, clock=clock, public_url="https://gs.example.org") == 1

    mail = server.mails[0]
    subject, body, page = mail_texts(mail)
    assert "semana del 2 mar 2026" in subject
    assert "El informe va adjunto." in body
    assert '<html lang="es">' in page
    assert "Sentimiento neto" in page
    assert "Las horas son de la zona Europe/Madrid." in page
    assert language() == "en"


@pytest.mark.parametrize("role", list(Role))
def test_addresses_are_seen_by_those_who_may_change_schedules(
    sign_in: SignIn, role: Role, sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    admin = sign_in(Role.ADMIN)
    assert admin.post("/reports/schedules", data=FORM).status_code == 303
    assert admin.post("/reports/schedules/1/send").status_code == 303
    with sessions.begin() as session:
        for mail in session.scalars(select(ReportMail)):
            mail.status, mail.last_error = DeliveryStatus.DEAD, "550 kim@example.org unknown"
    client = sign_in(role)
    may_see = role in {Role.PR_LEAD, Role.ADMIN}

    (schedule,) = client.get("/api/v1/report-schedules").json()
    mails = client.get("/api/v1/report-mails").json()

    wanted = ["kim@example.org", "jo@example.org"]
    assert schedule["recipients"] == (wanted if may_see else None)
    assert schedule["recipient_count"] == len(mails) == 2
    assert {mail["recipient"] for mail in mails} == (set(wanted) if may_see else {None})
    for path in ("/reports", "/api/v1/report-schedules", "/api/v1/report-mails"):
        assert ("kim@example.org" in client.get(path).text) is may_see


def test_a_mail_that_fails_is_tried_again_shown_and_given_up(
    sign_in: SignIn,
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(Role.PR_LEAD)
    body = FORM | {"recipients": ["kim@example.org"], "weekday": 0, "hour": 8}
    schedule = client.post("/api/v1/report-schedules", json=body).json()
    assert client.post(f"/api/v1/report-schedules/{schedule['id']}/send").json() == {"queued": 1}

    def attempt() -> ReportMail:
        send_reports(sessions, clock=clock, public_url="")
        with sessions() as session:
            return session.scalars(select(ReportMail)).one()

    mail = attempt()
    assert (mail.status, mail.attempts) == (DeliveryStatus.PENDING, 1)
    assert "no mail server is set" in str(mail.last_error)
    spanish = client.get("/reports", headers={"Accept-Language": "es"}).text
    assert "no hay servidor de correo" in spanish
    with MailServer() as server:
        monkeypatch.setenv("GROUNDSWELL_REPORTS_MAIL", server.address)
        server.refuse = "451 later"
        for wait in WAITS:
            clock.now += wait
            mail = attempt()
        assert mail.status is DeliveryStatus.DEAD
        assert "did not take the message" in client.get("/reports").text
        server.refuse = ""
        assert client.post(f"/reports/mails/{mail.id}/retry").status_code == 303
        assert attempt().status is DeliveryStatus.SENT
    assert len(server.mails) == 1
