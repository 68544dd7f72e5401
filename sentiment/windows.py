"""Reading the mentions of a window of time, all of them or an even sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from config.sampling import one_of
from listener.models import Brand, Mention
from sentiment.due_hours import HOUR_S
from sentiment.models import Volume
from sentiment.rollups import bucket_of


@dataclass(frozen=True, slots=True)
class Window:
    """Brands and a stretch of publication time, its end not included."""

    brand_ids: tuple[int, ...]
    since: datetime
    until: datetime

    @property
    def before(self) -> Window:
        """The window of the same length that ends where this one begins."""
        return Window(self.brand_ids, self.since - (self.until - self.since), self.since)

    def holds(self, mention: type[Mention] = Mention) -> list[ColumnElement[bool]]:
        """Return the conditions that a mention is in it, for one backward walk of its index."""
        return [
            mention.brand_id.in_(self.brand_ids),
            mention.published_at >= self.since,
            mention.published_at < self.until,
        ]


def window_of(
    session: Session, brand_id: int | None, since: datetime, until: datetime
) -> tuple[Window, Sequence[Brand]]:
    """Return the window of a brand, or of all of ours, with the brands."""
    query = select(Brand).order_by(Brand.id)
    query = query.where(Brand.is_own() if brand_id is None else Brand.id == brand_id)
    brands = session.scalars(query).all()
    return Window(tuple(brand.id for brand in brands), since, until), brands


def every_nth(session: Session, window: Window, most: int) -> int:
    """Return n so that every n-th mention of a window are at most about `most`.

    Of a window with more of them the sums of whole hours say how many there are: counting them
    would take as long as reading them.
    """
    few = select(Mention.published_at).where(*window.holds()).limit(most + 1).subquery()
    if (session.scalar(select(func.count()).select_from(few)) or 0) <= most:
        return 1
    hours = session.scalar(
        select(func.sum(Volume.mentions)).where(
            Volume.brand_id.in_(window.brand_ids),
            Volume.grain_s == HOUR_S,
            Volume.bucket_at >= bucket_of(window.since, HOUR_S),
            Volume.bucket_at < window.until,
        )
    )
    count = int(hours or 0)
    if count <= most:  # what no model has judged yet is in no sum
        count = session.scalar(select(func.count(Mention.id)).where(*window.holds())) or 0
    return max(1, -(-count // most))


def sampled(window: Window, every: int) -> list[ColumnElement[bool]]:
    """Return the conditions that hold for every n-th mention of a window, always the same ones.

    Those are found in the index of the window, and only they are read.
    """
    if every == 1:
        return window.holds()
    one = aliased(Mention)
    return [Mention.id.in_(select(one.id).where(*window.holds(one), one_of(every, one.id)))]
