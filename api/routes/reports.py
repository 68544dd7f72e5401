"""Readiness, drills, after-action reports."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from api import report_files, reviewing
from api.deps import PrLeadDep, SessionDep, SessionsDep, StateDep, UserDep, get_user
from api.reports.render import Format
from api.routes.report_files import MADE_APART, AskerDep
from api.schemas.reports import (
    DrillIn,
    DrillOut,
    ReadinessOut,
    ReportOut,
    ReviewIn,
    ReviewOut,
    TimingOut,
)
from config.db import read_session
from crm_link.escalation.drill import get_drill
from crm_link.escalation.drills.result import list_drills
from crm_link.escalation.duty.readiness import read_readiness
from crm_link.escalation.report import Report, read_report
from crm_link.escalation.war_room.milestones import Timing
from crm_link.mentions import get_brand

#: Whether contacts are named.
NamePeople = Annotated[bool, Query(description="Name the contacts who spoke.")]

router = APIRouter(tags=["drills and reports"], dependencies=[Depends(get_user)])

Brand = Annotated[str, Query(max_length=100, description="Its key; empty: all.")]


@router.get("/readiness")
def readiness(session: SessionDep, state: StateDep, brand: Brand = "") -> list[ReadinessOut]:
    """Say how ready each brand's people are, and what to do."""
    brand_id = get_brand(session, brand).id if brand else None
    found = read_readiness(session, state.clock(), brand_id)
    return [ReadinessOut.model_validate(one) for one in found]


@router.get("/drills")
def drills(
    session: SessionDep, brand: Brand = "", limit: Annotated[int, Query(ge=1, le=100)] = 25
) -> list[DrillOut]:
    """List drills, the newest first."""
    brand_id = get_brand(session, brand).id if brand else None
    return [
        DrillOut.model_validate(one) for one in list_drills(session, brand_id=brand_id, limit=limit)
    ]


@router.get("/drills/{drill_id}")
def drill(session: SessionDep, drill_id: int) -> DrillOut:
    """Return a drill."""
    return DrillOut.model_validate(get_drill(session, drill_id))


@router.post("/drills", status_code=201)
def start_drill(actor: PrLeadDep, body: DrillIn) -> DrillOut:
    """Begin a drill in real time. Answers 409 if one of the brand is running."""
    found = reviewing.start_drill(
        actor, brand=body.brand, scenario=body.scenario, incident_id=body.incident_id
    )
    return DrillOut.model_validate(found)


@router.post("/drills/{drill_id}/stop")
def stop_drill(actor: PrLeadDep, drill_id: int) -> DrillOut:
    """End a drill at once. Answers 409 if it is over."""
    return DrillOut.model_validate(reviewing.stop_drill(actor, drill_id))


@router.get("/incidents/{incident_id}/report")
def report(session: SessionDep, state: StateDep, incident_id: int) -> ReportOut:
    """Return the figures of an incident's report."""
    return _out(read_report(session, incident_id, now=state.clock()))


@router.get("/incidents/{incident_id}/report.{form}", response_class=Response, responses=MADE_APART)
def report_file(
    asker: AskerDep,
    sessions: SessionsDep,
    state: StateDep,
    user: UserDep,
    incident_id: int,
    form: Format,
    people: NamePeople = False,  # noqa: FBT002 - a query
) -> Response:
    """Return the report as a file: html, md or pdf. A PDF is made in the background."""
    if form is Format.PDF:
        return asker.ask(
            lambda actor: report_files.wanted_report(actor, incident_id, with_people=people)
        )
    with read_session(sessions) as session:
        return reviewing.report_file(session, state, user, incident_id, form, with_people=people)


@router.put("/incidents/{incident_id}/review")
def write_review(actor: PrLeadDep, incident_id: int, body: ReviewIn) -> ReviewOut:
    """Store what people wrote after an incident. Answers 409 if it is not resolved."""
    return ReviewOut.model_validate(reviewing.write_review(actor, incident_id, body.fields))


def _out(found: Report) -> ReportOut:
    peak = found.curve.peak
    return ReportOut(
        incident_id=found.incident.id,
        title=found.incident.title,
        is_drill=found.incident.is_drill,
        worst_severity=found.worst_severity,
        made_at=found.made_at,
        since=found.since,
        until=found.until,
        times=[_timing(one) for one in found.times],
        mentions=found.people.mentions,
        negatives=found.people.negatives,
        authors=found.people.authors,
        contacts=found.people.contacts,
        contacts_by_tier=dict(found.people.tiers),
        topics=dict(found.said.topics),
        platforms=dict(found.said.platforms),
        claims=dict(Counter(claim.verdict for claim in found.said.claims)),
        peak_at=None if peak is None else peak.at,
        peak_mentions=None if peak is None else peak.mentions,
        net_sentiment=found.curve.net.value,
        rebound_days=found.curve.rebound.days,
        coverage=found.coverage.share,
        told=found.told,
        review=ReviewOut.model_validate(found.review),
    )


def _timing(one: Timing) -> TimingOut:
    return TimingOut(
        what=one.what.value,
        took_s=None if one.took is None else one.took.total_seconds(),
        limit_s=None if one.limit is None else one.limit.total_seconds(),
        is_met=one.is_met,
    )
