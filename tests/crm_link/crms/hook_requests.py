"""Webhooks as the CRMs send them, signed, and our server to which they are sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

SECRET = "a secret of the tests"

Headers = dict[str, str]


def sign(signed: bytes) -> str:
    """Return what HubSpot and our own trigger sign with."""
    return base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()


def hubspot_request(url: str, events: list[tuple[str, str]], at: float) -> tuple[bytes, Headers]:
    kinds: dict[str, dict[str, Any]] = {
        "changed": {"subscriptionType": "contact.propertyChange", "propertyName": "firstname"},
        "deleted": {"subscriptionType": "contact.deletion"},
        "opted_out": {
            "subscriptionType": "object.propertyChange",
            "objectTypeId": "0-1",
            "propertyName": "hs_email_optout",
            "propertyValue": "true",
        },
        "other": {"subscriptionType": "company.creation"},
    }
    body = json.dumps([{"objectId": one, **kinds[what]} for one, what in events]).encode()
    stamp = str(int(at * 1000))
    signature = sign(b"POST" + url.encode() + body + stamp.encode())
    return body, {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}


def salesforce_request(url: str, events: list[tuple[str, str]], at: float) -> tuple[bytes, Headers]:
    del url
    body = json.dumps(
        [{"id": one, "event": what} for one, what in events if what != "other"]
    ).encode()
    stamp = str(int(at))
    signature = sign(stamp.encode() + b"." + body)
    return body, {"X-Groundswell-Signature": signature, "X-Groundswell-Timestamp": stamp}


def zoho_request(url: str, events: list[tuple[str, str]], at: float) -> tuple[bytes, Headers]:
    del url
    ((one, what),) = events
    body = {
        "module": "Leads" if what == "other" else "Contacts",
        "operation": "delete" if what == "deleted" else "update",
        "ids": [one],
        "server_time": int(at * 1000),
        "token": SECRET,
        "channel_id": "100000006800211",
    }
    return json.dumps(body).encode(), {}


_MAKE: dict[str, Callable[[str, list[tuple[str, str]], float], tuple[bytes, Headers]]] = {
    "hubspot": hubspot_request,
    "salesforce": salesforce_request,
    "zoho": zoho_request,
}
SETTING = {
    "hubspot": "GROUNDSWELL_HUBSPOT_APP_SECRET",
    "salesforce": "GROUNDSWELL_SALESFORCE_HOOK_SECRET",
    "zoho": "GROUNDSWELL_ZOHO_HOOK_TOKEN",
}


@dataclass
class Console:
    """Our server, and the CRM's side of its webhooks."""

    url: str
    crm: str

    def send(self, events: list[tuple[str, str]], *, late_s: float = 0.0) -> httpx.Response:
        body, headers = self.make(events, late_s=late_s)
        return self.post(body, headers)

    def make(self, events: list[tuple[str, str]], *, late_s: float = 0.0) -> tuple[bytes, Headers]:
        return _MAKE[self.crm](self.address, events, time.time() - late_s)

    @property
    def address(self) -> str:
        return f"{self.url}/api/v1/hooks/{self.crm}"

    def post(self, body: bytes, headers: Headers) -> httpx.Response:
        return httpx.post(self.address, content=body, headers=headers, timeout=30, trust_env=False)
