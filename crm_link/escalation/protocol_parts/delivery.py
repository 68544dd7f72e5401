"""How messages leave, as the protocol file says it: limits for each person, own alerts."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from config.durations import Duration
from crm_link.escalation.protocol_parts.base import Level, Strict


class Limits(Strict):
    """How many messages a person gets over channels that people read.

    A limit delays and never drops. What waits together leaves together: `bundle_from` messages
    to one person become one.
    """

    messages: int = Field(default=10, ge=1, le=1000)
    per: Duration = timedelta(minutes=5)
    bundle_from: int = Field(default=3, ge=2, le=100)


class Operations(Strict):
    """Alerts about Groundswell itself: a source without data, a message that nobody got.

    `severity` decides the chain; without it, the mildest that the file has but SEV-4.
    `no_data` is how long a source may be without success before people are told.
    """

    severity: Level | None = None
    no_data: Duration = timedelta(minutes=30)
