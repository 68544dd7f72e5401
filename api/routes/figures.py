"""What a social CRM measures of a brand's people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api import actions
from api.deps import PrLeadDep, SessionDep, State, StateDep, get_user
from api.schemas.base import Out
from config.clock import to_utc
from config.errors import InputError
from crm_link import audience
from crm_link.figures import DEFINITIONS, social_figures
from crm_link.mentions import get_brand
from crm_link.segment_people import list_speakers

BrandQuery = Annotated[str, Query(max_length=100, description="The brand's key.")]

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
    brand: BrandQuery,
    since: datetime | None = None,
    until: datetime | None = None,
    most: Annotated[int, Query(ge=1, le=200, description="Longest list.")] = 20,
) -> SocialFiguresOut:
    """Return segments, leads, churn warnings, journey, reasons, audience; by default 30 days."""
    start, end = _window(state, since, until)
    found = social_figures(session, get_brand(session, brand).id, start, end, most=most)
    return SocialFiguresOut(since=start, until=end, **asdict(found))


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
    people: int | None = Field(description="Null: fewer than ten.")
    share: float | None


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


@router.get("/figures/people")
def read_speakers(
    session: SessionDep,
    state: StateDep,
    brand: BrandQuery,
    group: Annotated[
        Literal["detractor", "ordinary", "promoter", "influential"], Query()
    ] = "detractor",
    since: datetime | None = None,
    until: datetime | None = None,
    most: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> list[SpeakerOut]:
    """Return the people behind a segment, those with the most engagement or reach first."""
    start, end = _window(state, since, until)
    found = list_speakers(session, get_brand(session, brand).id, start, end, group, limit=most)
    return [SpeakerOut.model_validate(one) for one in found]


@router.get("/figures/audience")
def read_audience(
    session: SessionDep,
    state: StateDep,
    brand: BrandQuery,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AudienceOut:
    """Return who speaks about a brand against its target persona; by default 30 days."""
    start, end = _window(state, since, until)
    brand_id = get_brand(session, brand).id
    return AudienceOut.model_validate(audience.read_audience(session, brand_id, start, end))


@router.put("/figures/persona", status_code=204)
def write_persona(actor: PrLeadDep, brand: BrandQuery, body: PersonaIn) -> None:
    """Say whom a brand wants to reach, in place of what was there."""
    actions.write_persona(actor, brand, **body.model_dump())


def _window(
    state: State, since: datetime | None, until: datetime | None
) -> tuple[datetime, datetime]:
    end = to_utc(until) if until else state.clock()
    start = to_utc(since) if since else end - timedelta(days=30)
    if start >= end:
        raise InputError("since must lie before until")
    return start, end
