"""Incidents: look, take them on, note, escalate, resolve."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from api import actions
from api.deps import PrLeadDep, SessionDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, decode_id, encode_cursor
from api.schemas.incidents import (
    EventOut,
    IncidentDetailOut,
    IncidentOut,
    NoteIn,
    NotificationOut,
    ReasonIn,
)
from crm_link.escalation import incidents
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.mentions import get_brand

router = APIRouter(prefix="/incidents", tags=["incidents"], dependencies=[Depends(get_user)])


@router.get("")
def read_incidents(
    session: SessionDep,
    brand: Annotated[str, Query(max_length=100)] = "",
    status: Annotated[list[IncidentStatus] | None, Query()] = None,
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[IncidentOut]:
    """List incidents, the newest first."""
    found = incidents.list_incidents(
        session,
        brand_id=get_brand(session, brand).id if brand else None,
        statuses=status or (),
        before_id=decode_id(cursor),
        limit=limit + 1,
    )
    is_more = len(found) > limit
    return Page(
        items=[IncidentOut.model_validate(incident) for incident in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].id) if is_more else None,
    )


@router.get("/{incident_id}")
def read_incident(session: SessionDep, incident_id: int) -> IncidentDetailOut:
    """Return an incident with its timeline and its messages."""
    return _detail(session, incidents.get_incident(session, incident_id))


@router.post("/{incident_id}/acknowledge")
def acknowledge(actor: PrLeadDep, incident_id: int) -> IncidentOut:
    """Take an incident on; the chain stops. Answers 409 if it is not open."""
    return IncidentOut.model_validate(actions.acknowledge(actor, incident_id))


@router.post("/{incident_id}/notes", status_code=201)
def add_note(actor: PrLeadDep, incident_id: int, body: NoteIn) -> IncidentDetailOut:
    """Write into the timeline."""
    return _detail(
        actor.session, actions.add_note(actor, incident_id, body.text, is_decision=body.is_decision)
    )


@router.post("/{incident_id}/escalate")
def escalate(actor: PrLeadDep, incident_id: int, body: ReasonIn) -> IncidentOut:
    """Tell the next people of the chain now. Answers 409 if it is resolved."""
    return IncidentOut.model_validate(actions.escalate(actor, incident_id, body.reason))


@router.post("/{incident_id}/resolve")
def resolve(actor: PrLeadDep, incident_id: int, body: ReasonIn) -> IncidentOut:
    """Close an incident, with a reason. Answers 409 if it is resolved."""
    return IncidentOut.model_validate(actions.resolve(actor, incident_id, body.reason))


def _detail(session: Session, incident: Incident) -> IncidentDetailOut:
    return IncidentDetailOut(
        **IncidentOut.model_validate(incident).model_dump(),
        timeline=[
            EventOut.model_validate(event) for event in incidents.list_events(session, incident.id)
        ],
        notifications=[
            NotificationOut.model_validate(row)
            for row in incidents.list_notifications(session, incident.id)
        ],
    )
