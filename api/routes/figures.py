"""What a social CRM measures of a brand's people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api import actions
from api.deps import PrLeadDep, SessionDep, State, StateDep, get_user
from api.figures import figures_now
from api.schemas.base import Out
from config.clock import to_utc
from config.errors import InputError
from crm_link.figures.overview import DEFINITIONS
from crm_link.figures.reading import Figures
from crm_link.figures.windows import between, last_days
from crm_link.mentions import get_brand

BrandQuery = Annotated[str, Query(max_length=100, description="The brand's key.")]
DaysQuery = Annotated[
    int, Query(ge=1, le=366, description="The last days up to now, where no `since` is given.")
]

#: What a large window answers until it is counted.
WAITS: dict[int | str, dict[str, Any]] = {
    503: {"description": "A large window is still to be counted: ask again after `Retry-After`."}
}

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
    counted_at: datetime = Field(description="When: large windows are counted in advance.")
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


@router.get("/figures", responses=WAITS)
def read_figures(
    session: SessionDep,
    state: StateDep,
    brand: BrandQuery,
    since: datetime | None = None,
    until: datetime | None = None,
    days: DaysQuery = 30,
    most: Annotated[int, Query(ge=1, le=200, description="Longest list.")] = 20,
) -> SocialFiguresOut:
    """Return segments, leads, churn warnings, journey, reasons, audience; by default 30 days."""
    found = _figures(state, session, brand, since, until, days)
    return SocialFiguresOut(
        since=found.since,
        until=found.until,
        counted_at=found.counted_at,
        **asdict(found.social(most=most)),
    )


class SpeakerOut(Out):
    """An author of a group."""

    author_id: int
    platform: str
    handle: str | None
    name: str | None
    followers: int | None
    mentions: int
    mean: float = Field(description="Mean score of the judged mentions; 0 where none was.")
    engagement: int
    reach: int | None = Field(description="Followers times mentions.")
    contact_id: int | None
    contact_name: str | None
    tier: str | None
    value: float | None


class FitOut(Out):
    """How many of the audience are as the persona is in one respect."""

    kind: str
    wanted: str
    people: int | None = Field(description="Null: fewer than ten, or not counted yet.")
    share: float | None
    is_counted: bool = Field(description="False until a new wish is counted in a large window.")


class AudienceOut(Out):
    """Who speaks about a brand, in groups of ten people and more."""

    people: int
    with_bio: int
    with_place: int
    languages: dict[str, int]
    places: dict[str, int]
    interests: dict[str, int]
    fits: list[FitOut]


class PersonaIn(BaseModel):
    """Whom a brand wants to reach."""

    languages: list[str] = Field(default=[], max_length=20)
    places: list[str] = Field(default=[], max_length=20)
    interests: list[str] = Field(default=[], max_length=20, examples=[["coffee", "outdoors"]])


@router.get("/figures/people", responses=WAITS)
def read_speakers(
    session: SessionDep,
    state: StateDep,
    brand: BrandQuery,
    group: Annotated[
        Literal["detractor", "ordinary", "promoter", "influential"], Query()
    ] = "detractor",
    since: datetime | None = None,
    until: datetime | None = None,
    days: DaysQuery = 30,
    most: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> list[SpeakerOut]:
    """Return the people behind a segment, those with the most engagement or reach first."""
    found = _figures(state, session, brand, since, until, days)
    return [SpeakerOut.model_validate(one) for one in found.speakers(group, limit=most)]


@router.get("/figures/audience", responses=WAITS)
def read_audience(
    session: SessionDep,
    state: StateDep,
    brand: BrandQuery,
    since: datetime | None = None,
    until: datetime | None = None,
    days: DaysQuery = 30,
) -> AudienceOut:
    """Return who speaks about a brand against its target persona; by default 30 days."""
    found = _figures(state, session, brand, since, until, days)
    return AudienceOut.model_validate(found.audience())


@router.put("/figures/persona", status_code=204)
def write_persona(actor: PrLeadDep, brand: BrandQuery, body: PersonaIn) -> None:
    """Say whom a brand wants to reach, in place of what was there."""
    actions.write_persona(actor, brand, **body.model_dump())


def _figures(
    state: State,
    session: Session,
    brand: str,
    since: datetime | None,
    until: datetime | None,
    days: int,
) -> Figures:
    brand_id, now = get_brand(session, brand).id, state.clock()
    if since is None and until is None:
        return figures_now(state, session, brand_id, last_days(days, now))
    end = to_utc(until) if until else now
    start = to_utc(since) if since else end - timedelta(days=days)
    if start >= end:
        raise InputError("since must lie before until")
    window = between(start, end if until else None, now)
    return figures_now(state, session, brand_id, window)
