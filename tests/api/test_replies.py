"""Replies from Slack, by SMS and by webhook: signed, from contacts only, obeyed once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.delivery.replies import read_words
from crm_link.escalation.delivery.reply_signatures import is_from_slack, is_from_twilio
from crm_link.escalation.incidents import list_events
from crm_link.escalation.models import Incident, IncidentStatus, Notification, ProtocolVersion
from crm_link.escalation.protocol_parts.file import parse_protocol
from crm_link.models import DeliveryStatus
from tests.api.conftest import NOW, MovableClock
from tests.api.scene import Scene

SECRET = "made-up-secret-of-the-tests"
TWILIO_PATH = "/api/v1/replies/twilio"

PROTOCOL = """
version: 1
contacts:
  - {id: mara, role: lead, channels: [{kind: log}], known_as: [slack:U1, env:MARA_PHONE]}
  - {id: jon, role: boss, channels: [{kind: log}], known_as: ["tel:+34 600 000 002"]}
severity:
  - {level: SEV-2, any: [{negatives_gte: 20}], ack: 15m, ack_expires: 30m}
escalation:
  default: {steps: [{notify: [lead]}, {notify: [boss], after: 5m}]}
"""


@pytest.fixture
def open_id(sessions: sessionmaker[Session], scene: Scene, monkeypatch: pytest.MonkeyPatch) -> int:
    """Give an open incident that mara was told of; the secrets are set."""
    for name in ("SLACK_SECRET", "TWILIO_TOKEN", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"GROUNDSWELL_REPLIES_{name}", SECRET)
    monkeypatch.setenv("MARA_PHONE", "tel:+34600000001")
    protocol = parse_protocol(PROTOCOL)
    with sessions.begin() as session:
        incident = session.get_one(Incident, scene.incident)
        incident.status = IncidentStatus.OPEN
        incident.acknowledged_by = None
        incident.step, incident.next_due_at = 1, NOW + timedelta(minutes=5)
        version = session.get_one(ProtocolVersion, incident.protocol_version_id)
        version.content, version.digest = protocol.source, protocol.digest
        session.add(
            Notification(
                incident_id=incident.id,
                idempotency_key="made-up",
                contact="mara",
                role="lead",
                channel="log",
                reason="step",
                payload={"tag": "step0", "round": 0},
                status=DeliveryStatus.SENT,
                next_attempt_at=NOW,
                created_at=NOW,
                sent_at=NOW,
            )
        )
    return scene.incident


def _incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


def _kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]


def _slack(client: TestClient, form: Mapping[str, str], *, secret: str = SECRET) -> Response:
    body = urlencode(form).encode()
    at = str(int(NOW.timestamp()))
    signed = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256)
    headers = {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return client.post("/api/v1/replies/slack", content=body, headers=headers)


def _press(action: str, incident_id: int, user: str = "U1", at: str = "1.1") -> dict[str, str]:
    payload = {
        "type": "block_actions",
        "user": {"id": user},
        "actions": [{"action_id": action, "value": str(incident_id), "action_ts": at}],
    }
    return {"payload": json.dumps(payload)}


def _sms(client: TestClient, body: str, sender: str, sid: str, secret: str = SECRET) -> Response:
    form = {"Body": body, "From": sender, "MessageSid": sid}
    url = "http://127.0.0.1:8000" + TWILIO_PATH
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()
    headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
    return client.post(TWILIO_PATH, data=form, headers=headers)


def _webhook(client: TestClient, body: object, *, secret: str = SECRET, age_s: int = 0) -> Response:
    content = json.dumps(body).encode()
    at = int(NOW.timestamp()) - age_s
    signed = hmac.new(secret.encode(), f"{at}.".encode() + content, hashlib.sha256)
    headers = {"X-Groundswell-Signature": f"t={at},v1={signed.hexdigest()}"}
    return client.post("/api/v1/replies/webhook", content=content, headers=headers)


def test_a_press_of_a_button_in_slack_acknowledges(
    client: TestClient, sessions: sessionmaker[Session], open_id: int
) -> None:
    assert _slack(client, _press("acknowledge", open_id)).status_code == 200

    incident = _incident(sessions, open_id)
    assert incident.status is IncidentStatus.ACKNOWLEDGED
    assert incident.acknowledged_by == "mara (slack)"


def test_the_same_reply_again_is_obeyed_once(
    client: TestClient, sessions: sessionmaker[Session], open_id: int
) -> None:
    first = [_slack(client, _press("escalate", open_id)).status_code for _ in range(3)]
    notes = [
        _webhook(client, {"id": "n1", "known_as": "slack:U1", "text": f"note {open_id} seen"})
        for _ in range(2)
    ]

    assert first == [200] * 3
    assert notes[0].json() == notes[1].json()
    kinds = _kinds(sessions, open_id)
    assert (kinds.count("escalated"), kinds.count("note")) == (1, 1)


def test_a_slash_command_and_an_sms_say_what_to_do_in_words(
    client: TestClient, sessions: sessionmaker[Session], open_id: int
) -> None:
    command = {"text": f"note {open_id} the plant says no", "user_id": "U1", "trigger_id": "t1"}
    assert "your note is in the timeline" in _slack(client, command).json()["text"]
    sms = _sms(client, "Ack, on my way", "+34600000001", "SM1")  # no number: what mara was told of
    assert sms.headers["content-type"].startswith("application/xml")
    assert "is yours" in sms.text
    assert _incident(sessions, open_id).acknowledged_by == "mara (sms)"
    again = _sms(client, f"ack {open_id}", "+34600000002", "SM2")
    assert "already acknowledged by mara (sms)" in again.text
    assert "Write: ack 17" in _sms(client, "???", "+34600000001", "SM3").text


SPANISH = PROTOCOL.replace("version: 1\n", "version: 1\nlanguage: es\n", 1)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("Lo asumo, voy para allá", "acknowledged", "es suyo; la cadena se ha detenido"),
        ("SÍ", "acknowledged", "es suyo; la cadena se ha detenido"),
        ("ack", "acknowledged", "es suyo; la cadena se ha detenido"),
        ("Escalar {id} no respondo de la planta", "escalated", "se avisa ya a los siguientes"),
        ("nota {id}: la fábrica dice que no", "note", "su nota está en la cronología"),
    ],
)
def test_a_spanish_contact_may_answer_in_spanish_and_in_english(
    client: TestClient,
    sessions: sessionmaker[Session],
    open_id: int,
    *,
    text: str,
    kind: str,
    said: str,
) -> None:
    _speak(sessions, open_id, SPANISH)

    answer = _sms(client, text.format(id=open_id), "+34600000001", "SM1")

    assert kind in _kinds(sessions, open_id)
    assert said in answer.text


def test_how_to_answer_is_said_in_the_contacts_language_and_to_strangers_in_english(
    client: TestClient, sessions: sessionmaker[Session], open_id: int
) -> None:
    _speak(sessions, open_id, SPANISH)

    assert "Escriba: asumo 17, escalar" in _sms(client, "¿qué?", "+34600000001", "SM1").text
    assert "Write: ack 17" in _sms(client, "¿qué?", "+34999999999", "SM2").text


def _speak(sessions: sessionmaker[Session], incident_id: int, text: str) -> None:
    protocol = parse_protocol(text)
    with sessions.begin() as session:
        incident = session.get_one(Incident, incident_id)
        version = session.get_one(ProtocolVersion, incident.protocol_version_id)
        version.content, version.digest = protocol.source, protocol.digest


def test_a_stranger_is_not_obeyed_and_learns_nothing(
    client: TestClient, sessions: sessionmaker[Session], open_id: int
) -> None:
    answers = [
        _slack(client, _press("acknowledge", open_id, user="U999")),
        _sms(client, f"ack {open_id}", "+34999999999", "SM9"),
        _sms(client, "ack", "+34600000002", "SM8"),  # jon was told of nothing
        _webhook(client, {"id": "1", "known_as": "tel:+1", "action": "acknowledge"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert "no contact" in answers[1].text
    assert _incident(sessions, open_id).status is IncidentStatus.OPEN


def test_a_wrong_signature_is_401_whatever_it_says(
    client: TestClient, sessions: sessionmaker[Session], open_id: int, clock: MovableClock
) -> None:
    body = {"id": "1", "known_as": "slack:U1", "action": "acknowledge", "incident_id": open_id}
    answers = [
        _slack(client, _press("acknowledge", open_id), secret="another"),
        _sms(client, "ack", "+34600000001", "SM1", secret="another"),
        _webhook(client, body, secret="another"),
        _webhook(client, body, age_s=301),
        client.post("/api/v1/replies/slack", content=b"x"),
        client.post("/api/v1/replies/webhook", content=b"x"),
        client.post(TWILIO_PATH, data={"Body": "ack"}),
    ]
    clock.now += timedelta(minutes=6)
    answers.append(_slack(client, _press("acknowledge", open_id)))

    assert [answer.status_code for answer in answers] == [401] * 8
    assert _incident(sessions, open_id).status is IncidentStatus.OPEN


def test_replies_that_are_not_set_up_are_not_there(
    client: TestClient, open_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROUNDSWELL_REPLIES_SLACK_SECRET")

    assert _slack(client, _press("acknowledge", open_id)).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"id": "1"}, {"id": "1", "known_as": "x", "text": "hello there"}, [1]]
)
def test_a_signed_reply_that_says_nothing_is_refused_in_words(
    client: TestClient, open_id: int, body: object
) -> None:
    answer = _webhook(client, body)

    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_a_reply_escalates_and_the_next_people_are_told(
    client: TestClient, sessions: sessionmaker[Session], open_id: int
) -> None:
    body = {"id": "1", "known_as": "slack:U1", "action": "escalate", "text": "too big"}

    assert _webhook(client, body).json() == {
        "answer": f"Incident {open_id}: the next people are told now."
    }
    with sessions() as session:
        contacts = list(session.scalars(select(Notification.contact).order_by(Notification.id)))
    assert contacts[-1] == "jon"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ack 17", ("acknowledge", 17, "")),
        ("ACK", ("acknowledge", None, "")),
        (" ok.", ("acknowledge", None, "")),
        ("on it", ("acknowledge", None, "")),
        ("esc #17: press calls", ("escalate", 17, "press calls")),
        ("note 17 the plant says\nno", ("note", 17, "the plant says\nno")),
        ("help me", ("escalate", None, "")),
        ("nack 17", None),
        ("17", None),
        ("", None),
    ],
)
def test_words_are_read_as_people_write_them(
    text: str, wanted: tuple[str, int | None, str] | None
) -> None:
    assert read_words(text) == wanted


def test_the_signatures_are_the_ones_that_the_documentations_show() -> None:
    # https://api.slack.com/authentication/verifying-requests-from-slack
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id="
        b"G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook"
        b"-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F3977"
        b"00885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d1"
        b"0d2c447fce8b6703c"
    )
    wanted = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert is_from_slack(
        "8f742231b10e8888abcd99yyyzzz85a5",
        body,
        timestamp="1531420618",
        signature=wanted,
        now=NOW.fromtimestamp(1531420618, tz=NOW.tzinfo),
    )
    # https://www.twilio.com/docs/usage/security
    form = {
        "Digits": "1234",
        "To": "+18005551212",
        "From": "+12349013030",
        "Caller": "+12349013030",
        "CallSid": "CA1234567890ABCDE",
    }
    assert is_from_twilio(
        "12345",
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        form,
        signature="0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
    )
