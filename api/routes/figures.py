"""What a social CRM measures of a brand's people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.deps import SessionDep, StateDep, get_user
from config.clock import to_utc
from config.errors import InputError
from crm_link.figures import DEFINITIONS, social_figures
from crm_link.mentions import get_brand

router = APIRouter(tags=["figures"], dependencies=[Depends(get_user)])


class SegmentOut(BaseModel):
    """Authors of a segment, their mentions, and the likes, reposts and replies of these."""

    authors: int
    mentions: int
    engagement: int


class PersonOut(BaseModel):
    """An author with a score from 0 to 100 and its parts."""

    author_id: int
    platform: str
    contact_id: int | None = Field(description="The confirmed contact, if there is one.")
    value: float | None = Field(description="The contact's value in the CRM.")
    score: int
    parts: dict[str, int]


class SocialFiguresOut(BaseModel):
    """A window's figures, with their definitions."""

    since: datetime
    until: datetime
    segments: dict[str, SegmentOut]
    leads: list[PersonOut]
    churn: list[PersonOut]
    journey: dict[str, int]
    reasons: dict[str, int]
    languages: dict[str, int]
    places: dict[str, int]
    first_answers: int
    median_first_answer_s: float | None
    definitions: Mapping[str, str] = Field(default=DEFINITIONS)


@router.get("/figures")
def read_figures(
    session: SessionDep,
    state: StateDep,
    brand: Annotated[str, Query(max_length=100, description="The brand's key.")],
    since: datetime | None = None,
    until: datetime | None = None,
    most: Annotated[int, Query(ge=1, le=200, description="Longest list.")] = 20,
) -> SocialFiguresOut:
    """Return segments, leads, churn warnings, journey, reasons, audience; by default 30 days."""
    end = to_utc(until) if until else state.clock()
    start = to_utc(since) if since else end - timedelta(days=30)
    if start >= end:
        raise InputError("since must lie before until")
    found = social_figures(session, get_brand(session, brand).id, start, end, most=most)
    return SocialFiguresOut(since=start, until=end, **asdict(found))
