"""The log: the channel that needs nothing, so that the first alert is never silent.

Limits: it wakes nobody. One line with ids and severity, never texts or addresses.
"""

from __future__ import annotations

from config.logs import get_logger
from crm_link.escalation.channel import Channel, Message

#: What of a message's facts may stand in a log.
_FIELDS = ("incident_id", "contact_id", "severity", "reason", "topic", "brand")

log = get_logger(__name__)


class LogChannel(Channel):
    """Writes one warning to the structured log for each message."""

    is_for_people = False

    def send(self, message: Message, to: str) -> None:
        """Write the line; `to` is not used."""
        del to
        facts = {name: message.data[name] for name in _FIELDS if name in message.data}
        log.warning("alert", idempotency_key=message.idempotency_key, **facts)
