"""A signed JSON webhook: the message goes by POST to an address of one's own.

The receiver recomputes `HMAC-SHA256(secret, "<t>.<body>")` in hexadecimal, compares it with
`v1` of the header `X-Groundswell-Signature: t=<unix seconds>,v1=<signature>`, and refuses
old `t`s. The same `X-Idempotency-Key` again is the same message again.

Limits: redirects are not followed, and an answer counts by its status alone; 2xx is
delivered, 4xx is refused for good except 408, 425 and 429, everything else may work later.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import urlsplit

import httpx
import orjson
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError, PermanentError, TransientError
from config.phrases import phrase
from config.settings import read_settings
from crm_link.escalation.channel import Channel, Message
from crm_link.escalation.delivery.http_answers import judge

#: Shorter secrets can be guessed.
LEAST_SECRET_CHARS = 16


class WebhookSettings(BaseSettings):
    """What signs webhooks."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_WEBHOOK_", extra="ignore", frozen=True
    )

    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret that signs alert webhooks; at least 16 characters, known to the "
        "receiver too.",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=30, description="Seconds that a receiver has to answer."
    )


class WebhookChannel(Channel):
    """Posts messages as signed JSON."""

    is_for_people = False

    def __init__(self, settings: WebhookSettings | None = None) -> None:
        """Use `settings`, or the ones from the environment."""
        self._settings = settings or read_settings(WebhookSettings)

    def check_address(self, to: str) -> None:
        """Refuse what is no web address, and a missing or short secret."""
        parts = urlsplit(to)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = phrase(
                "a webhook's address begins with https:// (or http:// inside your own network)"
            )
            raise InputError(msg)
        if len(self._settings.secret.get_secret_value()) < LEAST_SECRET_CHARS:
            msg = phrase(
                "GROUNDSWELL_WEBHOOK_SECRET needs at least %(least)s characters: "
                "webhooks are signed with it",
                least=LEAST_SECRET_CHARS,
            )
            raise InputError(msg)

    def send(self, message: Message, to: str) -> None:
        """Post `message` to `to`."""
        try:
            self.check_address(to)
        except InputError as error:
            raise PermanentError(error.said) from error
        body = orjson.dumps(
            {
                "idempotency_key": message.idempotency_key,
                "title": message.title,
                "body": message.body,
                "data": dict(message.data),
            }
        )
        secret = self._settings.secret.get_secret_value()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "groundswell",
            "X-Idempotency-Key": message.idempotency_key,
            "X-Groundswell-Signature": sign(secret, body, int(time.time())),
        }
        try:
            # A client for each message: alerts are few, and a kept connection may be dead.
            with (
                httpx.Client(
                    timeout=self._settings.timeout_s, follow_redirects=False, trust_env=False
                ) as client,
                client.stream("POST", to, content=body, headers=headers) as answer,
            ):
                judge(answer, "the webhook")
        except httpx.UnsupportedProtocol as error:
            msg = phrase("the webhook's address is none")
            raise PermanentError(msg) from error
        except httpx.InvalidURL as error:
            msg = phrase("the webhook's address is none")
            raise PermanentError(msg) from error
        except httpx.HTTPError as error:
            # Only the kind: the text of the error names the address.
            msg = phrase("the webhook did not answer: %(kind)s", kind=type(error).__name__)
            raise TransientError(msg) from error


def sign(secret: str, body: bytes, at_s: int) -> str:
    """Return the signature header of `body`, sent at `at_s` Unix seconds."""
    signed = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256)
    return f"t={at_s},v1={signed.hexdigest()}"
