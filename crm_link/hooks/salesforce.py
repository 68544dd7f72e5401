"""Webhooks of Salesforce: a trigger of yours that sends signed JSON (docs/crms.md has it).

Salesforce's own outbound messages are SOAP without a signature, and its change events are a
stream, no webhook; an Apex trigger with a callout can sign, and costs no licence.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError, NotFoundError
from config.settings import read_settings
from crm_link.hook import (
    MOST_NOTICES,
    Hook,
    HookError,
    HookRequest,
    Notice,
    NoticeKind,
    require_recent,
    require_same,
)


class SalesforceHookSettings(BaseSettings):
    """Settings of Salesforce's webhooks."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_SALESFORCE_", extra="ignore", frozen=True
    )

    hook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret with which the trigger in Salesforce signs what it sends.",
    )


class _Event(BaseModel):
    id: str = Field(pattern=r"^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$")
    event: NoticeKind


_EVENTS = TypeAdapter(list[_Event])


class SalesforceHook(Hook):
    """Understands what the trigger sends."""

    def __init__(self, *, account: str = "") -> None:
        """Read the settings.

        Raises:
            NotFoundError: There is no secret.

        """
        settings = read_settings(SalesforceHookSettings, account)
        self._secret = settings.hook_secret.get_secret_value().encode()
        if not self._secret:
            raise NotFoundError("webhooks of Salesforce are not set up: no secret is set")

    def read(self, request: HookRequest, now: datetime) -> list[Notice]:
        """Return what happened."""
        said = request.headers.get("x-groundswell-timestamp", "")
        try:
            at = datetime.fromtimestamp(int(said), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise HookError("the time is missing or wrong") from error
        signed = said.encode() + b"." + request.body
        wanted = base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest()).decode()
        require_same(request.headers.get("x-groundswell-signature", ""), wanted)
        require_recent(at, now)
        try:
            events = _EVENTS.validate_json(request.body)
        except ValidationError as error:
            msg = 'Salesforce\'s events are [{"id": "003...", "event": "changed"}, ...]'
            raise InputError(msg) from error
        return [Notice(one.id, one.event) for one in events[: MOST_NOTICES + 1]]
