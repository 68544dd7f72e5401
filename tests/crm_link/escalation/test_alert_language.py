"""Alerts are in the language of whoever gets them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.account_wishes import account_wishes
from api.models import Role
from api.users import create_user
from config.errors import InputError
from config.phrases import Moment, phrase
from crm_link.escalation.channel import Message, make_channel
from crm_link.escalation.delivery.acks import Links
from crm_link.escalation.delivery.messages import bundle, compose
from crm_link.escalation.delivery.telling import load_telling
from crm_link.escalation.delivery.trial import send_test
from crm_link.escalation.detect import detect
from crm_link.escalation.detection.operations import raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.incidents import resolve
from crm_link.escalation.models import Notification
from crm_link.escalation.notify import deliver_notifications
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import (
    PROTOCOL,
    MovableClock,
    changed,
    make_brand,
    make_burst,
    make_protocol,
)

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"


def _sent(receiver: Receiver) -> dict[str, object]:
    found: dict[str, object] = json.loads(receiver.requests[-1][1])
    return found


def _raise(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    receiver: Receiver,
    *,
    text: str = PROTOCOL,
    anna: str = "",
) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    hook = f'channels: [{{kind: webhook, to: "{receiver.url}"}}]'
    protocol = make_protocol(text, **{ANNA: f"{anna}tz: Europe/Madrid, {hook}"})
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)
    return incident_id


def test_an_alert_is_in_the_language_that_the_protocol_gives_the_contact(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    incident_id = _raise(sessions, clock, receiver, anna="language: es, ")

    deliver_notifications(sessions, clock=clock, public_url="https://console.example")

    message = _sent(receiver)
    assert message["title"] == "[SEV-2] Menciones negativas de Acme"
    body = str(message["body"])
    assert body.startswith("25 menciones negativas de Acme en 1h, desde 12:50 CET.\nEn x 25.\n")
    assert "\nQuién: " in body
    assert "\nPublicaciones con mayor alcance:\n- “" in body
    assert f"Asúmalo en 15m: https://console.example/incidents/{incident_id}\n" in body
    assert "Si nadie lo hace, se avisa a deputy(social_manager)" in body
    data = message["data"]
    assert isinstance(data, dict)
    assert data["title"] == "Negative mentions of Acme", "programs get English"

    with sessions.begin() as session:
        resolve(session, incident_id, by="ben", reason="a misunderstanding", clock=clock)
    deliver_notifications(sessions, clock=clock)
    message = _sent(receiver)
    assert message["title"] == "CERRADO: [SEV-2] Menciones negativas de Acme"
    assert "Cerrado por ben: a misunderstanding" in str(message["body"])


@pytest.mark.parametrize(
    ("account", "title"),
    [("en", "[SEV-2] Negative mentions of Acme"), ("", "[SEV-2] Menciones negativas de Acme")],
)
def test_else_it_is_in_the_language_of_their_account_and_else_in_the_protocols(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    receiver: Receiver,
    account: str,
    title: str,
) -> None:
    _make_account(sessions, clock, language=account)
    text = changed(PROTOCOL, "version: 1\n", "version: 1\nlanguage: es\n")
    _raise(sessions, clock, receiver, text=text, anna="known_as: [Anna@example.org], ")

    deliver_notifications(sessions, clock=clock, wishes_of=account_wishes)

    assert _sent(receiver)["title"] == title


def test_a_language_in_which_nothing_is_written_is_refused() -> None:
    with pytest.raises(InputError, match="nothing is written in 'tlh'; known: en, es"):
        make_protocol(**{ANNA: f"language: tlh, {ANNA}"})


ROTATION = "\non_call: {night: {tz: Asia/Tokyo, members: [anna, ben], start: 2026-03-09}}\n"
HOURS = "\nbusiness_hours: {week: 'mon-fri 09:00-18:00', tz: America/New_York}\n"


@pytest.mark.parametrize(
    ("zone", "account", "more", "since"),
    [
        ("tz: Europe/Madrid, ", "Asia/Tokyo", ROTATION + HOURS, "12:50 CET"),
        ("", "Asia/Kolkata", ROTATION + HOURS, "17:20 IST"),
        ("", "", ROTATION + HOURS, "20:50 JST"),
        ("", "", HOURS, "07:50 EDT"),
        ("", "", "", "11:50 UTC"),
        ("tz: America/Sao_Paulo, ", "", "", "08:50 UTC-03"),
        ("tz: Pacific/Auckland, ", "", "", "00:50 NZDT"),
    ],
)
def test_times_are_in_the_contacts_zone_and_name_it(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    receiver: Receiver,
    *,
    zone: str,
    account: str,
    more: str,
    since: str,
) -> None:
    _make_account(sessions, clock, zone=account)
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    hook = f'known_as: [anna@example.org], channels: [{{kind: webhook, to: "{receiver.url}"}}]'
    text = PROTOCOL + more
    if "on_call" in more:
        text = changed(text, "[deputy(social_manager)]", "[on_call(night)]")
    protocol = make_protocol(text, **{ANNA: zone + hook})
    detect(sessions, {brand_id: protocol}, clock=clock)

    deliver_notifications(sessions, clock=clock, wishes_of=account_wishes)

    message = _sent(receiver)
    assert f", since {since}.\n" in str(message["body"])
    assert message["data"]["since"] == "2026-03-10T11:50:00+00:00"  # type: ignore[index]


def test_a_time_of_another_day_has_its_date_in_the_contacts_language(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    _raise(sessions, clock, receiver, anna="language: es, ")
    clock.now += timedelta(days=1)

    deliver_notifications(sessions, clock=clock)

    assert ", desde 10 mar, 12:50 CET.\n" in str(_sent(receiver)["body"])


def test_a_time_in_what_groundswell_says_of_itself_is_in_the_zone_too(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    brand_id = make_brand(sessions)
    hook = f'channels: [{{kind: webhook, to: "{receiver.url}"}}]'
    protocol = make_protocol(**{ANNA: f"language: es, tz: Europe/Madrid, {hook}"})
    with sessions.begin() as session:
        line = phrase("x has had no success since %(since)s", since=Moment(clock()))
        version = pin_protocol(session, brand_id, protocol, clock())
        raise_operation(
            session, brand_id, version, topic="data", title="No data", lines=[line], now=clock()
        )

    deliver_notifications(sessions, clock=clock)

    assert "since 10 mar 2026, 13:00 CET" in str(_sent(receiver)["body"])


@pytest.mark.parametrize(
    ("token", "known_as", "kind", "is_said"),
    [
        ("secret", "tel:+34600000001", "sms", True),
        ("", "tel:+34600000001", "sms", False),  # nobody would read the answer
        ("secret", "slack:U1", "sms", False),  # nobody would know whose it is
        ("secret", "tel:+34600000001", "push", False),
    ],
)
def test_an_sms_that_can_be_answered_says_with_which_word(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    token: str,
    known_as: str,
    kind: str,
    is_said: bool,
) -> None:
    monkeypatch.setenv("GROUNDSWELL_REPLIES_TWILIO_TOKEN", token)
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    way = f'channels: [{{kind: {kind}, to: "json://localhost"}}]'
    protocol = make_protocol(**{ANNA: f'language: es, known_as: ["{known_as}"], {way}'})
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)

    with sessions() as session:
        row = session.scalars(select(Notification).where(Notification.contact == "anna")).one()
        telling = load_telling(session, row, Links(""), now=clock())
    assert telling is not None

    assert (f"\nO responda: asumo {incident_id}\n" in compose(telling).body) is is_said


def test_several_alerts_and_buttons_too(receiver: Receiver) -> None:
    one = Message(
        title="[SEV-2] Menciones negativas de Acme",
        body="25 menciones",
        idempotency_key="k",
        data={"incident_id": 7, "status": "open"},
        language="es",
    )

    assert bundle([one, one], key="b").title == "2 avisos: [SEV-2] Menciones negativas de Acme"
    make_channel("slack_app").send(one, receiver.url)
    buttons = _sent(receiver)["blocks"][-1]["elements"]  # type: ignore[index]
    assert [button["text"]["text"] for button in buttons] == ["Asumir", "Escalar ahora"]


def test_a_test_and_what_happens_to_groundswell_itself_are_said_in_it(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    brand_id = make_brand(sessions)
    hook = f'channels: [{{kind: webhook, to: "{receiver.url}"}}]'
    protocol = make_protocol(**{ANNA: f"language: es, {hook}"})
    with sessions.begin() as session:
        send_test(session, protocol, brand_id=brand_id, contacts=["anna"], by="ben", clock=clock)

    deliver_notifications(sessions, clock=clock)

    message = _sent(receiver)
    assert message["title"] == "PRUEBA: [SEV-3] Prueba de los avisos"
    assert str(message["body"]).startswith("Esto es una prueba: no ha pasado nada.")


def _make_account(
    sessions: sessionmaker[Session], clock: MovableClock, *, language: str = "", zone: str = ""
) -> None:
    with sessions.begin() as session:
        user = create_user(
            session,
            email="anna@example.org",
            name="Anna",
            role=Role.PR_LEAD,
            password="long enough for anybody",
            now=clock(),
        )
        user.language, user.zone = language, zone
