"""Which hours must be summed again: marked by what changes mentions, in its own transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from config.bulk import upsert
from sentiment.facet_models import FACET_GRAINS_S, DueHour

#: The finest bucket of the sums, in seconds.
HOUR_S = min(FACET_GRAINS_S)


def mark_hours(session: Session, hours: Collection[tuple[int, datetime]], now: datetime) -> None:
    """Let these hours, each of a brand, be summed again.

    Store it last in a transaction: its rows are the ones that two workers contend for.
    """
    rows = [
        {"brand_id": brand_id, "hour_at": hour_at, "marked_at": now, "marks": 1}
        for brand_id, hour_at in hours
    ]
    upsert(session, DueHour, rows, key=("brand_id", "hour_at"), add_columns=("marks",))
