"""Webhooks of HubSpot: signed with the app's secret, version 3.

Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import InputError, NotFoundError
from config.settings import read_settings
from crm_link.hook import (
    Hook,
    HookError,
    HookRequest,
    Notice,
    NoticeKind,
    read_json,
    require_recent,
    require_same,
)

#: Contacts' type in events that are about objects of any type.
_CONTACT_TYPE = "0-1"

_DELETED = frozenset({"deletion", "privacyDeletion"})

#: What HubSpot decodes in an address before it signs it.
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}


class HubspotHookSettings(BaseSettings):
    """Settings of HubSpot's webhooks."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_HUBSPOT_", extra="ignore", frozen=True
    )

    app_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Client secret of the HubSpot app, which signs its webhooks.",
    )
    opt_out_property: str = Field(
        default="hs_email_optout",
        description="HubSpot property that is true when a contact withdrew their consent.",
    )


class HubspotHook(Hook):
    """Understands HubSpot's events of contacts."""

    def __init__(self, *, account: str = "") -> None:
        """Read the settings.

        Raises:
            NotFoundError: There is no secret.

        """
        self._settings = read_settings(HubspotHookSettings, account)
        if not self._settings.app_secret.get_secret_value():
            raise NotFoundError("webhooks of HubSpot are not set up: no app secret is set")

    def read(self, request: HookRequest, now: datetime) -> list[Notice]:
        """Return what happened."""
        said = request.headers.get("x-hubspot-request-timestamp", "")
        try:
            at = datetime.fromtimestamp(int(said) / 1000, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise HookError("the time is missing or wrong") from error
        url = request.url
        for code, character in _DECODED.items():
            url = url.replace(code, character).replace(code.lower(), character)
        signed = request.method.encode() + url.encode() + request.body + said.encode()
        secret = self._settings.app_secret.get_secret_value().encode()
        wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        require_same(request.headers.get("x-hubspot-signature-v3", ""), wanted)
        require_recent(at, now)
        events = read_json(request.body)
        if not isinstance(events, list) or not all(isinstance(one, dict) for one in events):
            raise InputError("HubSpot's events are a list of objects")
        return [notice for event in events for notice in self._notices(event)]

    def _notices(self, event: Mapping[str, Any]) -> Iterator[Notice]:
        kind, _, what = str(event.get("subscriptionType") or "").partition(".")
        is_contact = kind == "contact" or (
            kind == "object" and event.get("objectTypeId") == _CONTACT_TYPE
        )
        if not is_contact:
            return
        one = str(event.get("objectId") or "")
        if what == "merge":
            for gone in event.get("mergedObjectIds") or ():
                yield Notice(str(gone), NoticeKind.DELETED)
            kept = str(event.get("newObjectId") or event.get("primaryObjectId") or one)
            yield Notice(kept, NoticeKind.CHANGED)
        elif what in _DELETED:
            yield Notice(one, NoticeKind.DELETED)
        elif (
            what == "propertyChange"
            and event.get("propertyName") == self._settings.opt_out_property
            and str(event.get("propertyValue")).lower() == "true"
        ):
            yield Notice(one, NoticeKind.OPTED_OUT)
        else:
            yield Notice(one, NoticeKind.CHANGED)
