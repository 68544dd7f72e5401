"""Sources: how listening does, and what may be missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import SessionDep, StateDep, get_user
from api.paging import LimitQuery
from api.schemas.listening import CoverageOut, GapOut, SourceHealthOut
from config.clock import to_utc
from crm_link.mentions import get_brand
from listener.coverage import coverage, find_gaps, source_health

router = APIRouter(prefix="/sources", tags=["sources"], dependencies=[Depends(get_user)])


@router.get("")
def read_sources(session: SessionDep, state: StateDep) -> list[SourceHealthOut]:
    """List the active sources with their health."""
    return [SourceHealthOut.model_validate(one) for one in source_health(session, state.clock())]


@router.get("/gaps")
def read_gaps(
    session: SessionDep,
    brand: Annotated[str, Query(max_length=100)] = "",
    source_id: int | None = None,
    open_only: Annotated[bool, Query(description="Not those that were read again.")] = True,  # noqa: FBT002 - a query parameter
    limit: LimitQuery = 50,
) -> list[GapOut]:
    """List the stretches of time in which posts may be missing, the last found first."""
    brand_id = get_brand(session, brand).id if brand else None
    gaps = find_gaps(
        session, brand_id=brand_id, source_id=source_id, open_only=open_only, limit=limit
    )
    return [GapOut.model_validate(gap) for gap in gaps]


@router.get("/coverage")
def read_coverage(
    session: SessionDep,
    state: StateDep,
    brand: Annotated[str, Query(max_length=100)],
    since: datetime | None = None,
    until: datetime | None = None,
) -> CoverageOut:
    """Return the share of a time that a brand's sources have read; without times, one day."""
    end = to_utc(until) if until else state.clock()
    start = to_utc(since) if since else end - timedelta(days=1)
    share = coverage(session, get_brand(session, brand).id, start, end)
    return CoverageOut(since=start, until=end, share=share)
