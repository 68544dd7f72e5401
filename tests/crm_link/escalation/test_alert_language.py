"""Alerts are in the language of whoever gets them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.account_language import account_language
from api.models import Role
from api.users import create_user
from config.errors import InputError
from crm_link.escalation.channel import Message, make_channel
from crm_link.escalation.delivery.messages import bundle
from crm_link.escalation.delivery.trial import send_test
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import resolve
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
    assert body.startswith(
        "25 menciones negativas de Acme en 1h, desde el 2026-03-10 12:50 CET.\nEn x 25.\n"
    )
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
    with sessions.begin() as session:
        user = create_user(
            session,
            email="anna@example.org",
            name="Anna",
            role=Role.PR_LEAD,
            password="long enough for anybody",
            now=clock(),
        )
        user.language = account
    text = changed(PROTOCOL, "version: 1\n", "version: 1\nlanguage: es\n")
    _raise(sessions, clock, receiver, text=text, anna="known_as: [Anna@example.org], ")

    deliver_notifications(sessions, clock=clock, languages=account_language)

    assert _sent(receiver)["title"] == title


def test_a_language_in_which_nothing_is_written_is_refused() -> None:
    with pytest.raises(InputError, match="nothing is written in 'tlh'; known: en, es"):
        make_protocol(**{ANNA: f"language: tlh, {ANNA}"})


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
