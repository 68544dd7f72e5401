"""Notifications of Zoho CRM: they carry the token that was given when they were asked for.

Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/overview.html
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError, NotFoundError
from config.settings import read_settings
from crm_link.hook import (
    Hook,
    HookRequest,
    Notice,
    NoticeKind,
    read_json,
    require_recent,
    require_same,
)


class ZohoHookSettings(BaseSettings):
    """Settings of Zoho's notifications."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_ZOHO_", extra="ignore", frozen=True)

    hook_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token that was given when Zoho's notifications were asked for; 50 at most.",
    )


class _Notification(BaseModel):
    module: str
    operation: str
    ids: list[str] = Field(min_length=1)
    server_time: int = Field(ge=0, le=10**14)  # milliseconds


class ZohoHook(Hook):
    """Understands Zoho's notifications of contacts."""

    def __init__(self, *, account: str = "") -> None:
        """Read the settings.

        Raises:
            NotFoundError: There is no token.

        """
        settings = read_settings(ZohoHookSettings, account)
        self._token = settings.hook_token.get_secret_value()
        if not self._token:
            raise NotFoundError("notifications of Zoho are not set up: no token is set")

    def read(self, request: HookRequest, now: datetime) -> list[Notice]:
        """Return what happened."""
        body = read_json(request.body)
        token = body.get("token") if isinstance(body, dict) else None
        require_same(token if isinstance(token, str) else "", self._token)
        try:
            found = _Notification.model_validate(body)
        except ValidationError as error:
            raise InputError("Zoho's notification lacks module, operation, ids or time") from error
        require_recent(datetime.fromtimestamp(found.server_time / 1000, UTC), now)
        if found.module != "Contacts":
            return []
        is_gone = found.operation == "delete"
        kind = NoticeKind.DELETED if is_gone else NoticeKind.CHANGED
        return [Notice(one, kind) for one in found.ids]
