"""How much of an attack was seen: sources that failed or missed posts while it lasted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from listener.coverage import coverage
from listener.models import Gap, Source

#: Gaps that are shown.
MOST_GAPS = 50


@dataclass(frozen=True, slots=True)
class Missed:
    """A stretch of time in which a source may have missed posts."""

    source: str
    platform: str
    from_at: datetime | None
    to_at: datetime | None
    detail: str
    is_filled: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the figures of a report are based on.

    Args:
        share: The share of the time that the brand's sources have read, 0 to 1; None where it
            has none.
        sources: Name, platform and state of each active source.
        missed: Gaps that lie in the time, open ones first.

    """

    share: float | None
    sources: Sequence[tuple[str, str, str]]
    missed: Sequence[Missed]


def read_coverage(session: Session, brand_id: int, *, since: datetime, until: datetime) -> Coverage:
    """Return how much of a time was seen."""
    sources = session.execute(
        select(Source.name, Source.platform, Source.state)
        .where(Source.brand_id == brand_id, Source.is_active)
        .order_by(Source.name)
    ).all()
    gaps = session.execute(
        select(Gap, Source.name, Source.platform)
        .join(Source, Source.id == Gap.source_id)
        .where(
            Source.brand_id == brand_id,
            or_(Gap.from_at.is_(None), Gap.from_at < until),
            or_(Gap.to_at.is_(None), Gap.to_at > since),
            Gap.found_at >= since,
        )
        .order_by(Gap.filled_at.is_not(None), Gap.found_at, Gap.id)
        .limit(MOST_GAPS)
    ).all()
    return Coverage(
        share=coverage(session, brand_id, since, until),
        sources=[(row.name, row.platform, row.state.value) for row in sources],
        missed=[
            Missed(
                source=name,
                platform=platform,
                from_at=gap.from_at,
                to_at=gap.to_at,
                detail=gap.detail,
                is_filled=gap.filled_at is not None,
            )
            for gap, name, platform in gaps
        ],
    )
