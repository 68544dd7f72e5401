"""Is a reply from outside from whom it says: the signatures of Slack, Twilio and our own. Pure.

Sources: https://api.slack.com/authentication/verifying-requests-from-slack,
https://www.twilio.com/docs/usage/security#validating-requests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

#: How old a signed request may be, in seconds; Slack's own advice.
MAX_AGE_S = 300


def is_from_slack(
    secret: str, body: bytes, *, timestamp: str, signature: str, now: datetime
) -> bool:
    """Say whether Slack signed the request with the app's signing secret, just now."""
    if not _is_recent(timestamp, now):
        return False
    signed = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return _same(f"v0={signed.hexdigest()}", signature)


def is_from_twilio(secret: str, url: str, form: Mapping[str, str], *, signature: str) -> bool:
    """Say whether Twilio signed the request for exactly this address with the account's token."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    # SHA-1 is Twilio's choice; as a keyed hash it holds.
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()
    return _same(base64.b64encode(digest).decode(), signature)


def is_ours(secret: str, body: bytes, *, header: str, now: datetime) -> bool:
    """Say whether the request is signed as our own webhooks are: `t=<unix seconds>,v1=<hex>`."""
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    if not _is_recent(at, now):
        return False
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return _same(signed.hexdigest(), parts.get("v1", ""))


def _is_recent(timestamp: str, now: datetime) -> bool:
    return (
        timestamp.isascii()
        and timestamp.isdigit()
        and abs(now.timestamp() - int(timestamp[:15])) <= MAX_AGE_S
    )


def _same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode())
