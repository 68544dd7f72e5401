from __future__ import annotations

import hashlib
import hmac
import json
import socket
import time

import pytest
import structlog

from config.errors import InputError, PermanentError, TransientError
from crm_link.escalation.channel import Message, make_channel
from tests.crm_link.escalation.conftest import SECRET
from tests.crm_link.escalation.receiver import Receiver

MESSAGE = Message(
    title="[SEV-1] Ünïcode ✓",
    body="What they say:\n- “<b>it burns</b>”\n",
    idempotency_key="7:0:step0:anna:0",
    data={"incident_id": 7, "contact_id": "anna", "severity": "SEV-1", "text": "secret words"},
)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_webhook_is_signed_json_with_an_idempotency_key(receiver: Receiver) -> None:
    make_channel("webhook").send(MESSAGE, receiver.url)

    ((headers, body),) = receiver.requests
    assert json.loads(body)["title"] == MESSAGE.title
    assert json.loads(body)["data"]["incident_id"] == 7
    assert headers["X-Idempotency-Key"] == MESSAGE.idempotency_key
    parts = dict(part.split("=", 1) for part in headers["X-Groundswell-Signature"].split(","))
    signed = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256)
    assert hmac.compare_digest(parts["v1"], signed.hexdigest())
    assert abs(time.time() - int(parts["t"])) < 5


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302])
def test_a_refusal_is_for_good(receiver: Receiver, status: int) -> None:
    receiver.answers.append((status, {"Location": receiver.url} if status == 302 else {}))

    with pytest.raises(PermanentError, match=str(status)):
        make_channel("webhook").send(MESSAGE, receiver.url)

    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_passing_failure_says_how_long_to_wait(receiver: Receiver, status: int) -> None:
    receiver.answers.append((status, {"Retry-After": "7"}))

    with pytest.raises(TransientError, match=str(status)) as caught:
        make_channel("webhook").send(MESSAGE, receiver.url)

    assert caught.value.retry_after_s == 7


def test_a_webhook_that_is_not_there_or_too_slow_may_come_back(receiver: Receiver) -> None:
    channel = make_channel("webhook")
    with pytest.raises(TransientError, match="did not answer: ConnectError"):
        channel.send(MESSAGE, f"http://127.0.0.1:{_closed_port()}/")
    receiver.delay_s = 4
    with pytest.raises(TransientError, match="did not answer: ReadTimeout"):
        channel.send(MESSAGE, receiver.url)


@pytest.mark.parametrize("to", ["", "ftp://example.org/x", "https://", "example.org"])
def test_a_webhook_address_must_be_one(receiver: Receiver, to: str) -> None:
    with pytest.raises(InputError, match="a webhook's address begins with https"):
        make_channel("webhook").check_address(to)
    with pytest.raises(PermanentError):
        make_channel("webhook").send(MESSAGE, to)


def test_a_webhook_is_never_sent_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROUNDSWELL_WEBHOOK_SECRET", raising=False)

    with pytest.raises(InputError, match="GROUNDSWELL_WEBHOOK_SECRET needs at least 16"):
        make_channel("webhook").check_address("https://example.org/alert")


def test_apprise_carries_a_message_to_one_address_once(receiver: Receiver) -> None:
    address = receiver.url.replace("http://", "json://")
    receiver.answers.append((503, {}))

    with pytest.raises(TransientError, match="503|failure"):
        make_channel("apprise").send(MESSAGE, address)
    assert len(receiver.requests) == 1  # its own retry is off

    make_channel("apprise").send(MESSAGE, address)
    headers, body = receiver.requests[-1]
    assert json.loads(body)["title"] == MESSAGE.title
    assert json.loads(body)["message"].strip() == MESSAGE.body.strip()
    assert headers["X-Idempotency-Key"] == MESSAGE.idempotency_key


def test_apprise_knows_a_refusal_from_a_failure(receiver: Receiver) -> None:
    address = receiver.url.replace("http://", "json://")
    receiver.answers.extend([(403, {}), (429, {})])

    with pytest.raises(PermanentError, match="403"):
        make_channel("apprise").send(MESSAGE, address)
    with pytest.raises(TransientError):
        make_channel("apprise").send(MESSAGE, address)


@pytest.mark.parametrize("to", ["", "nonsense", "nosuchservice://token", "slack://"])
def test_what_apprise_cannot_read_is_refused(to: str) -> None:
    with pytest.raises(InputError, match="no apprise address"):
        make_channel("apprise").check_address(to)
    with pytest.raises(PermanentError):
        make_channel("apprise").send(MESSAGE, to)


def test_the_log_holds_ids_and_no_texts() -> None:
    with structlog.testing.capture_logs() as lines:
        make_channel("log").send(MESSAGE, "")

    (line,) = lines
    assert (line["incident_id"], line["contact_id"], line["severity"]) == (7, "anna", "SEV-1")
    assert "secret words" not in str(line)
    assert "burns" not in str(line)


OPEN = Message(
    title="[SEV-1] It burns",
    body="What they say: " + "x" * 5_000,
    idempotency_key="7:0:step0:anna:0",
    data={"incident_id": 7, "status": "open"},
)


def test_slack_gets_buttons_while_there_is_something_to_acknowledge(receiver: Receiver) -> None:
    make_channel("slack_app").send(OPEN, receiver.url)
    make_channel("slack_app").send(MESSAGE, receiver.url)

    first, second = (json.loads(body) for _, body in receiver.requests)
    buttons = first["blocks"][-1]["elements"]
    assert [(one["action_id"], one["value"]) for one in buttons] == [
        ("acknowledge", "7"),
        ("escalate", "7"),
    ]
    assert len(first["blocks"][1]["text"]["text"]) == 3_000
    assert [block["type"] for block in second["blocks"]] == ["header", "section"]


def test_slack_says_how_long_to_wait_and_what_it_refuses(receiver: Receiver) -> None:
    receiver.answers.extend([(429, {"Retry-After": "30"}), (404, {})])
    with pytest.raises(TransientError) as caught:
        make_channel("slack_app").send(OPEN, receiver.url)
    assert caught.value.retry_after_s == 30
    with pytest.raises(PermanentError, match="Slack answered 404"):
        make_channel("slack_app").send(OPEN, receiver.url)
    with pytest.raises(InputError, match=r"hooks\.slack\.com"):
        make_channel("slack_app").check_address("C0123")


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        ("webhook", "http://gone.invalid/alert"),
        ("slack_app", "https://gone.invalid/services/x"),
        ("apprise", "json://gone.invalid/x"),
    ],
)
def test_a_name_that_is_not_found_may_be_found_again(
    receiver: Receiver, channel: str, to: str
) -> None:
    assert receiver.requests == []
    with pytest.raises(TransientError):
        make_channel(channel).send(MESSAGE, to)
