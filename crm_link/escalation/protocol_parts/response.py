"""How soon somebody answers what is put before a person: the clocks of the review queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from config.durations import Duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict

#: Nobody reads and answers in less.
LEAST_RESPONSE = timedelta(minutes=1)


class ResponseTimes(Strict):
    """How long people have for a first answer, by the mention's priority.

    The clock begins when the mention comes into the queue. `hours: business` lets it run in the
    protocol's `business_hours` only; without those it always runs.
    """

    risk: Duration = timedelta(minutes=30)
    purchase: Duration = timedelta(hours=2)
    cancel: Duration = timedelta(hours=1)
    service: Duration = timedelta(hours=4)
    other: Duration = timedelta(days=1)
    hours: Literal["always", "business"] = Field(default="always")

    @field_validator("risk", "purchase", "cancel", "service", "other")
    @classmethod
    def _is_long_enough(cls, value: timedelta) -> timedelta:
        if value < LEAST_RESPONSE:
            msg = phrase("a response time is at least 1m")
            raise ValueError(msg)
        return value

    def limit_of(self, priority: str) -> timedelta:
        """Return how long people have for a mention of this priority."""
        limits = {
            "risk": self.risk,
            "purchase": self.purchase,
            "cancel": self.cancel,
            "service": self.service,
        }
        return limits.get(priority, self.other)
