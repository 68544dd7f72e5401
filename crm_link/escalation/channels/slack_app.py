"""Slack with buttons: an incoming webhook of your own Slack app.

The message has buttons that acknowledge and escalate; Slack sends a press to
`/api/v1/replies/slack`, which must be the app's Request URL under Interactivity. Whoever
presses must be a contact, known as `slack:<member id>`.

Limits: Slack takes one message a second per channel and says 429 above that, which is
waited for; texts over 3,000 characters are cut, as Slack would refuse them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from config.errors import InputError, PermanentError, TransientError
from config.language import gettext, reading_as
from config.phrases import phrase
from crm_link.escalation.channel import Channel, Message
from crm_link.escalation.delivery.http_answers import judge

#: Characters that a block of text may have (https://api.slack.com/reference/block-kit/blocks).
MAX_TEXT_CHARS = 3_000

#: Characters that a header may have.
MAX_HEADER_CHARS = 150

#: Seconds that Slack has to answer.
TIMEOUT_S = 10.0


class SlackAppChannel(Channel):
    """Posts messages with buttons to one incoming webhook each."""

    def check_address(self, to: str) -> None:
        """Refuse what is no web address."""
        parts = urlsplit(to)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = phrase(
                "the address is your Slack app's incoming webhook: https://hooks.slack.com/..."
            )
            raise InputError(msg)

    def send(self, message: Message, to: str) -> None:
        """Post `message` to the incoming webhook `to`."""
        try:
            self.check_address(to)
        except InputError as error:
            raise PermanentError(error.said) from error
        try:
            with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
                answer = client.post(to, json=_blocks(message))
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            msg = phrase("the address of the Slack app's webhook is none")
            raise PermanentError(msg) from error
        except httpx.HTTPError as error:
            # Only the kind: the text of the error names the address, which is a secret.
            msg = phrase("Slack did not answer: %(kind)s", kind=type(error).__name__)
            raise TransientError(msg) from error
        judge(answer, "Slack")


def _blocks(message: Message) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": message.title[:MAX_HEADER_CHARS]},
        },
        {
            "type": "section",
            "text": {"type": "plain_text", "text": message.body[:MAX_TEXT_CHARS]},
        },
    ]
    # A bundle has its parts' links in its text; buttons could mean only one of them.
    incident_id = message.data.get("incident_id")
    if incident_id is not None and message.data.get("status") == "open":
        value = str(incident_id)
        with reading_as(message.language):
            elements = [
                _button(gettext("Acknowledge"), "acknowledge", value, style="primary"),
                _button(gettext("Escalate now"), "escalate", value, style="danger"),
            ]
        blocks.append({"type": "actions", "elements": elements})
    return {"text": message.title, "blocks": blocks}


def _button(words: str, action: str, value: str, *, style: str) -> dict[str, Any]:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": words},
        "action_id": action,
        "value": value,
        "style": style,
    }
