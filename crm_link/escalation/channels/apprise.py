"""Over 170 services (mail, SMS, push, Slack, Teams, Telegram, ...) through apprise.

One address per call, and apprise's own retry stays off: retries are the outbox's, which
outlives the process. `to` is an apprise address, https://github.com/caronc/apprise/wiki.

Limits: apprise reports no receipt and mostly no reason. A failure counts as passing unless
the service's answer, as apprise logs it, was a refusal (4xx other than 408, 425 and 429).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import apprise
from apprise.attachment.memory import AttachMemory

from config.errors import InputError, PermanentError, TransientError
from config.phrases import phrase
from crm_link.escalation.channel import Attachment, Channel, Message

#: How long one service may take, in seconds.
SERVICE_TIMEOUT_S = 15

#: Time-outs of connecting and reading, where the address gives none, in seconds.
SOCKET_OPTIONS = {"cto": "4", "rto": "10", "retry": "0"}

#: Refusals that may be gone a moment later: time-out, too early, too many requests.
PASSING_REFUSALS = frozenset({408, 425, 429})

_STATUS = re.compile(r"error=(4\d\d)\b")


class AppriseChannel(Channel):
    """Carries messages to one apprise address each."""

    def check_address(self, to: str) -> None:
        """Refuse what apprise cannot read as an address."""
        _service(to)

    def send(self, message: Message, to: str) -> None:
        """Deliver `message` to the apprise address `to`."""
        try:
            service = _service(to)
        except InputError as error:
            raise PermanentError(error.said) from error
        _add_idempotency_key(service, message.idempotency_key)
        sender = apprise.Apprise()
        sender.add(service)
        result = sender.notify(
            body=message.body,
            title=message.title,
            body_format=apprise.NotifyFormat.TEXT,
            attach=_attached(message.attachments),
            timeout=SERVICE_TIMEOUT_S,
            log_level=30,
        )
        if result:
            return
        status = _status(result)
        if status is not None and status not in PASSING_REFUSALS:
            msg = phrase(
                "the service refused with %(status)s: check the address and its credentials",
                status=status,
            )
            raise PermanentError(msg)
        msg = phrase(
            "the service did not take the message: %(status)s", status=result.status.name.lower()
        )
        raise TransientError(
            msg if status is None else phrase("%(msg)s (%(status)s)", msg=msg, status=status)
        )


def _attached(files: Sequence[Attachment]) -> apprise.AppriseAttachment | None:
    """Return the files as apprise takes them, from memory: nothing is written to a disk."""
    if not files:
        return None
    found = apprise.AppriseAttachment()
    for file in files:
        found.add(AttachMemory(content=file.content, name=file.name, mimetype=file.media_type))
    return found


def _service(to: str) -> apprise.NotifyBase:
    asset = apprise.AppriseAsset(
        app_id="Groundswell", app_desc="Groundswell", service_timeout=SERVICE_TIMEOUT_S
    )
    parsed = apprise.Apprise.instantiate(_with_options(to), asset=asset, suppress_exceptions=True)
    if not parsed:
        scheme = to.split("://", 1)[0] if "://" in to else ""
        known = f"'{scheme}://' with what it needs" if scheme else "for example mailto://..."
        msg = phrase(
            "this is no apprise address (%(known)s): see the apprise wiki for its form", known=known
        )
        raise InputError(msg)
    return parsed


def _with_options(to: str) -> str:
    if "://" not in to:
        return to
    missing = [f"{name}={value}" for name, value in SOCKET_OPTIONS.items() if f"{name}=" not in to]
    return to + ("&" if "?" in to else "?") + "&".join(missing) if missing else to


def _add_idempotency_key(service: apprise.NotifyBase, key: str) -> None:
    """Give the key as a header to the services that send headers of one's own."""
    headers = getattr(service, "headers", None)
    if isinstance(headers, dict):
        headers["X-Idempotency-Key"] = key


def _status(result: apprise.AppriseResult) -> int | None:
    """Return the refusal's HTTP status, where a log entry of the call names it."""
    for service in result.results:
        for attempt in service.attempts:
            for entry in attempt.logs:
                if found := _STATUS.search(str(entry.message)):
                    return int(found.group(1))
    return None
