"""Moving mentions between the cells of the roll-up, in the transaction that moves them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from config.bulk import upsert
from sentiment.models import GRAINS_S, Volume

_KEY = ("brand_id", "grain_s", "bucket_at", "platform", "label")


class VolumeChanges:
    """Collects what changes in the roll-up; `store` writes each cell once.

    Store it last in a transaction: its rows are the ones that two workers contend for.
    """

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int, datetime, str, str], list[float]] = defaultdict(
            lambda: [0, 0.0]
        )

    def move(
        self,
        brand_id: int,
        platform: str,
        published_at: datetime,
        *,
        before: tuple[str | None, float | None],
        after: tuple[str | None, float | None],
    ) -> None:
        """Count a mention under `after` instead of `before`: each a label and its score."""
        for (label, score), sign in ((before, -1), (after, 1)):
            if label is None:
                continue
            for grain_s in GRAINS_S:
                bucket_at = bucket_of(published_at, grain_s)
                cell = self._cells[brand_id, grain_s, bucket_at, platform, label]
                cell[0] += sign
                cell[1] += sign * (score or 0.0)

    def store(self, session: Session) -> None:
        """Write the changes."""
        upsert(
            session,
            Volume,
            [
                dict(zip(_KEY, place, strict=True)) | {"mentions": count, "score_sum": total}
                for place, (count, total) in self._cells.items()
            ],
            key=_KEY,
            add_columns=["mentions", "score_sum"],
        )


def bucket_of(moment: datetime, grain_s: int) -> datetime:
    """Return the beginning of the bucket of `grain_s` seconds that `moment` is in."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % grain_s, UTC)
