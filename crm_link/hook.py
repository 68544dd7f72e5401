"""The contract of webhooks from CRMs: a signed request in, what it is about out.

A webhook only says "look again": the contacts that it names are read from the CRM at the next
sync, and nothing that it says of them is believed. Only what protects people holds at once: a
deletion, and a consent that was withdrawn.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from config.errors import InputError, NotFoundError
from config.plugins import load_plugin, plugin_names

FOLDER = "crm_link.hooks"

#: How old a signed request may be, and how far in the future its time.
WINDOW = timedelta(minutes=5)

#: Contacts that one request may name.
MOST_NOTICES = 2_000


class HookError(Exception):
    """The request is not from whom it says, or not from now: who sent it is not let in."""


class NoticeKind(StrEnum):
    """What happened to a contact."""

    CHANGED = "changed"
    DELETED = "deleted"  # by somebody, or merged into another one
    OPTED_OUT = "opted_out"  # a consent was withdrawn


@dataclass(frozen=True, slots=True)
class Notice:
    """Something happened to a contact, by the CRM's own id."""

    external_id: str
    kind: NoticeKind


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request as it came.

    Args:
        method: Its method.
        url: The whole address to which it was sent, as the sender knows it.
        headers: Its headers, names in small letters.
        body: Its body, byte by byte.

    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Hook(ABC):
    """Understands one CRM's webhooks.

    Args:
        account: One of several accounts, with settings of its own.

    """

    @abstractmethod
    def __init__(self, *, account: str = "") -> None:
        """Read the settings.

        Raises:
            NotFoundError: No secret is set: its webhooks are not asked for.

        """

    @abstractmethod
    def read(self, request: HookRequest, now: datetime) -> list[Notice]:
        """Return what happened.

        Raises:
            HookError: The signature is missing or wrong, or it is too old.
            InputError: It is signed, and still cannot be understood.

        """


def make_hook(name: str) -> Hook:
    """Return what understands the webhooks of the CRM `name`, such as hubspot:emea.

    Raises:
        NotFoundError: This CRM has none, or none is set up.

    """
    plugin, _, account = name.partition(":")
    if plugin not in plugin_names(FOLDER):
        raise NotFoundError(f"{plugin} sends no webhooks that are understood")
    kind: type[Hook] = load_plugin(FOLDER, plugin, Hook)  # type: ignore[type-abstract]
    return kind(account=account)


def require_same(given: str, wanted: str) -> None:
    """Compare signatures or tokens in a time that says nothing.

    Raises:
        HookError: They differ.

    """
    if not given or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise HookError("the signature is missing or wrong")


def require_recent(at: datetime, now: datetime) -> None:
    """Refuse what is older than `WINDOW`, or from the future.

    Raises:
        HookError: It is.

    """
    if abs(now - at) > WINDOW:
        raise HookError("the request is too old, or a clock is wrong")


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON of a body.

    Raises:
        InputError: It is none.

    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError("the body is no JSON") from error
