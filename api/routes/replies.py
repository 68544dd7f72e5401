"""Replies from outside: Slack's buttons and commands, SMS, and signed ones of your own.

Nobody signs in here: each request is signed by its sender, and who replied must be a contact
of the incident's protocol. What is not signed right is answered 401.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import httpx
import orjson
from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, SecretStr, ValidationError

from api.account_wishes import account_wishes
from api.deps import SessionDep, StateDep
from api.errors import SignInRequiredError
from api.wrong_fields import wrong_fields
from config.errors import InputError, NotFoundError, PermissionDeniedError
from config.logs import get_logger
from config.settings import read_settings
from crm_link.escalation.delivery.replies import (
    Reply,
    help_for,
    read_words,
    take_reply,
)
from crm_link.escalation.delivery.reply_settings import RepliesSettings
from crm_link.escalation.delivery.reply_signatures import is_from_slack, is_from_twilio, is_ours

log = get_logger(__name__)

router = APIRouter(prefix="/replies", tags=["replies"])

#: Bigger requests are no replies.
MAX_BODY_BYTES = 200_000

#: Where Slack's answers go, and nowhere else: the address comes with the request.
SLACK_ANSWERS = "https://hooks.slack.com/"


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InputError("this is too long for a reply")
    return body


BodyDep = Annotated[bytes, Depends(_body)]


class ReplyIn(BaseModel):
    """A reply from a system of your own."""

    id: str = Field(min_length=1, max_length=200, description="The same id is the same reply.")
    known_as: str = Field(
        min_length=1, max_length=320, examples=["tel:+34600000001"], description="Who replied."
    )
    action: str = Field(default="", max_length=20, examples=["acknowledge"])
    incident_id: int | None = Field(default=None, ge=1)
    text: str = Field(default="", max_length=10_000)


@router.post("/slack")
def take_slack(
    request: Request, body: BodyDep, session: SessionDep, state: StateDep, later: BackgroundTasks
) -> Response:
    """Take a press of a button, or a slash command, from your Slack app."""
    secret = _secret("slack", read_settings(RepliesSettings).slack_secret)
    is_signed = is_from_slack(
        secret,
        body,
        timestamp=request.headers.get("x-slack-request-timestamp", ""),
        signature=request.headers.get("x-slack-signature", ""),
        now=state.clock(),
    )
    if not is_signed:
        raise SignInRequiredError("the signature is not Slack's, or too old")
    form = _form(body)
    if "payload" not in form:
        sender = f"slack:{form.get('user_id', '')}"
        said = _in_words("slack", form.get("trigger_id", ""), sender, form.get("text", ""))
        return _to_slack(_answered(session, said, sender, state))
    payload = _json(form["payload"])
    try:
        action = payload["actions"][0]
        reply = Reply(
            source="slack",
            external_id=f"{action['action_ts']}:{action['action_id']}:{payload['user']['id']}",
            known_as=f"slack:{payload['user']['id']}",
            action=str(action["action_id"]),
            incident_id=int(action["value"]),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError("this is no press of one of our buttons") from error
    answer = _taken(session, reply, state)
    url = str(payload.get("response_url", ""))
    if url.startswith(SLACK_ANSWERS):
        later.add_task(_answer_slack, url, answer)
    return Response(status_code=200)


@router.post("/twilio")
def take_twilio(request: Request, body: BodyDep, session: SessionDep, state: StateDep) -> Response:
    """Take an SMS that somebody sent to your Twilio number."""
    token = _secret("twilio", read_settings(RepliesSettings).twilio_token)
    form = _form(body)
    query = f"?{request.url.query}" if request.url.query else ""
    url = state.settings.resolved_public_url() + request.url.path + query
    signature = request.headers.get("x-twilio-signature", "")
    if not is_from_twilio(token, url, form, signature=signature):
        raise SignInRequiredError("the signature is not Twilio's for this address")
    sender = f"tel:{form.get('From', '')}"
    said = _in_words("sms", form.get("MessageSid", ""), sender, form.get("Body", ""))
    return _to_twilio(_answered(session, said, sender, state))


@router.post("/webhook")
def take_webhook(request: Request, body: BodyDep, session: SessionDep, state: StateDep) -> Response:
    """Take a reply from your own systems, signed as our webhooks are.

    `X-Groundswell-Signature: t=<unix seconds>,v1=<HMAC-SHA256 of "t.body">`. Answers 403 to who
    is no contact.
    """
    secret = _secret("webhook", read_settings(RepliesSettings).webhook_secret)
    header = request.headers.get("x-groundswell-signature", "")
    if not is_ours(secret, body, header=header, now=state.clock()):
        raise SignInRequiredError("the signature is wrong, or too old")
    try:
        given = ReplyIn.model_validate_json(body)
    except ValidationError as error:
        raise InputError(wrong_fields(error.errors(), is_page=False)) from error
    action, number, text = given.action, given.incident_id, given.text
    if not action:
        read = read_words(given.text)
        if read is None:
            raise InputError(help_for(session, given.known_as, wishes_of=account_wishes))
        action, number, text = read[0], number or read[1], read[2]
    reply = Reply(
        source="webhook",
        external_id=given.id,
        known_as=given.known_as,
        action=action,
        incident_id=number,
        text=text,
    )
    return JSONResponse(
        {"answer": take_reply(session, reply, clock=state.clock, wishes_of=account_wishes)}
    )


def _in_words(source: str, external_id: str, known_as: str, text: str) -> Reply | None:
    """Return what somebody wrote as a reply; None: it is none, and they want help."""
    read = read_words(text)
    return None if read is None else Reply(source, external_id, known_as, *read)


def _answered(session: SessionDep, said: Reply | None, sender: str, state: StateDep) -> str:
    """Return what to answer to words: what came of them, or how to write them."""
    if said is None:
        return help_for(session, sender, wishes_of=account_wishes)
    return _taken(session, said, state)


def _taken(session: SessionDep, reply: Reply, state: StateDep) -> str:
    """Return what to answer; to a stranger in words, since Slack and Twilio show no status."""
    try:
        with session.begin_nested():
            return take_reply(session, reply, clock=state.clock, wishes_of=account_wishes)
    except PermissionDeniedError as error:
        log.warning("reply of a stranger", source=reply.source)
        return str(error).capitalize() + "."


def _secret(name: str, secret: SecretStr) -> str:
    value = secret.get_secret_value()
    if not value:
        raise NotFoundError("replies by %(name)s are not set up; see docs/delivery.md", name=name)
    return value


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError("this is no form") from error


def _json(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError("the payload is no JSON") from error
    if not isinstance(found, dict):
        raise InputError("the payload is no JSON object")
    return found


def _to_slack(text: str) -> Response:
    return JSONResponse({"response_type": "ephemeral", "text": text})


def _to_twilio(text: str) -> Response:
    said = escape(text)
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Response><Message>{said}</Message></Response>'
    return Response(xml, media_type="application/xml")


def _answer_slack(url: str, text: str) -> None:
    """Say in Slack what came of a press; that it fails costs nothing."""
    try:
        httpx.post(
            url,
            json={"response_type": "ephemeral", "replace_original": False, "text": text},
            timeout=5,
        )
    except httpx.HTTPError as error:
        log.warning("answer not taken by slack", kind=type(error).__name__)
