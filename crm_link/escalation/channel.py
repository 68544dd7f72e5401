"""The contract of an alert channel: it carries one message to one address."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from config.language import SOURCE
from config.plugins import load_plugin, plugin_names

FOLDER = "crm_link.escalation.channels"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message, where the channel carries files."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What an alert says.

    Args:
        title: One line.
        body: Plain text: what, how big, since when, top posts, what to do, next step.
        idempotency_key: The same for every attempt to send this message.
        data: The same facts for machines.
        attachments: Files, which mail carries and other channels may leave out.
        language: What it is written in, for what a channel adds to it.

    """

    title: str
    body: str
    idempotency_key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    language: str = SOURCE


class Channel(ABC):
    """Carries messages out.

    Raises, from `send`:
        TransientError: Not delivered, may work later; `retry_after_s` where said.
        PermanentError: The address or credentials were refused.

    Attributes:
        is_for_people: Whether a person reads each message, so that limits and bundles hold.

    """

    is_for_people: ClassVar[bool] = True

    @abstractmethod
    def send(self, message: Message, to: str) -> None:
        """Deliver `message` to the address `to`; returns once it has been accepted."""

    def check_address(self, to: str) -> None:
        """Raise InputError where `to` cannot be an address of this channel."""


def channel_names() -> tuple[str, ...]:
    """Return the names of all channels."""
    return plugin_names(FOLDER)


def make_channel(name: str) -> Channel:
    """Return the channel plugin `name`.

    Raises:
        InputError: There is no such plugin, or its settings are wrong.

    """
    kind: type[Channel] = load_plugin(FOLDER, name, Channel)  # type: ignore[type-abstract]
    return kind()
