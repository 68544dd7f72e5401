"""Reading the mentions of a window of time, all of them or an even sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from listener.models import Brand, Mention

#: Ids are mixed by these before every n-th is taken: a prime, and a number
#: that was found to leave at least two thirds of the even share for any stride up to 20.
#: Brands whose posts came in turn have ids of one remainder only, of which every n-th would be
#: all of a brand's posts, or none.
_PRIME, _STEP = 10_007, 7_688


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

    def holds(self) -> list[ColumnElement[bool]]:
        """Return the conditions that a mention is in it, for one backward walk of its index."""
        return [
            Mention.brand_id.in_(self.brand_ids),
            Mention.published_at >= self.since,
            Mention.published_at < self.until,
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
    """Return n so that every n-th mention of a window are at most about `most`."""
    count = session.scalar(select(func.count(Mention.published_at)).where(*window.holds())) or 0
    return max(1, -(-count // most))


def sampled(every: int) -> list[ColumnElement[bool]]:
    """Return the condition that takes every n-th mention, the same ones each time."""
    return [] if every == 1 else [is_nth(Mention.id, every)]


def is_nth(ids: InstrumentedAttribute[int], every: int) -> ColumnElement[bool]:
    """Return the condition that takes about every n-th of these ids of mentions."""
    return ids % _PRIME * _STEP % _PRIME % every == 0
