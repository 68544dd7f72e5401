"""How many false alarms a brand's people put up with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm_link.escalation.protocol_parts.base import Strict

#: Weeks in each word of `per`.
_WEEKS = {"day": 1 / 7, "week": 1.0, "month": 30 / 7}


class FalseAlarms(Strict):
    """At most so many alarms in so long a time, by the brand's own stored history.

    With it, `index_gte: 1` stands for the burst index that the last four weeks reached at most
    so often, and other indexes for multiples of that.
    """

    at_most: float = Field(gt=0, le=100)
    per: Literal["day", "week", "month"] = "week"

    @property
    def per_week(self) -> float:
        """Alarms a week."""
        return self.at_most / _WEEKS[self.per]
