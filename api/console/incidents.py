"""Incidents: what people must act on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from api import actions, playbook_actions, sharing
from api.console.page import Page, PageDep
from api.console.room import chart_of, claim_words, verdict_words
from api.deps import PrLeadDep
from api.language import gettext
from api.pages import back_to
from api.paging import CursorQuery, decode_id, encode_cursor
from crm_link.escalation.incidents import list_incidents
from crm_link.escalation.models import IncidentStatus
from crm_link.escalation.war_room.incident_desk import view_desk
from crm_link.escalation.war_room.incident_view import view_incident
from crm_link.escalation.war_room.room_posts import BEFORE
from crm_link.escalation.war_room.shares import LIVES_H, list_shares

router = APIRouter(prefix="/incidents")

#: Rows on one page.
ROWS = 25

#: Entries of a timeline that are shown at first, the newest; all of them on request.
LATEST = 60

Line = Annotated[str, Form(max_length=40)]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("")
def incidents(
    page: PageDep,
    status: Annotated[IncidentStatus | None, Query()] = None,
    cursor: CursorQuery = "",
) -> Response:
    """List incidents, the newest first."""
    found = list_incidents(
        page.session,
        statuses=[status] if status else (),
        before_id=decode_id(cursor),
        limit=ROWS + 1,
    )
    return page.show(
        "incidents.html",
        {
            "incidents": found[:ROWS],
            "next_cursor": encode_cursor(found[ROWS - 1].id) if len(found) > ROWS else None,
            "status": status,
            "cursor": cursor,
            "statuses": list(IncidentStatus),
        },
    )


@router.get("/{incident_id}")
def incident(
    page: PageDep, incident_id: int, timeline: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """Show one incident; with `timeline=all`, everything that happened in it."""
    return _show(page, incident_id, is_whole=timeline == "all")


@router.post("/{incident_id}/shares")
def share(
    page: PageDep,
    actor: PrLeadDep,
    incident_id: int,
    name: Annotated[str, Form(max_length=100)],
    hours: Annotated[int, Form()] = LIVES_H[0],
) -> Response:
    """Make a link for people without an account, and show it this once."""
    _, address = sharing.create_share(actor, page.state, incident_id, name=name, hours=hours)
    return _show(page, incident_id, shared_address=address)


@router.post("/{incident_id}/shares/{share_id}/revoke")
def revoke_share(request: Request, actor: PrLeadDep, incident_id: int, share_id: int) -> Response:
    """Make a link useless."""
    sharing.revoke_share(actor, incident_id, share_id)
    return _back(request, incident_id, gettext("The link does not work any more."))


@router.post("/{incident_id}/acknowledge")
def acknowledge(
    request: Request,
    actor: PrLeadDep,
    incident_id: int,
    claim: Line = "",
    cluster: Line = "",
    *,
    crisis_history: Annotated[bool, Form()] = False,
) -> Response:
    """Take an incident on, and say what is known about it if something is."""
    actions.acknowledge(actor, incident_id)
    if claim not in {"", "unknown"}:
        playbook_actions.assess(
            actor,
            incident_id,
            claim=claim,
            cluster=cluster or None,
            crisis_history=crisis_history,
        )
    return _back(request, incident_id, gettext("You are on it; the chain has stopped."))


@router.post("/{incident_id}/note")
def note(
    request: Request,
    actor: PrLeadDep,
    incident_id: int,
    text: Annotated[str, Form(max_length=20_000)],
    *,
    is_decision: Annotated[bool, Form()] = False,
) -> Response:
    """Write into the timeline."""
    actions.add_note(actor, incident_id, text, is_decision=is_decision)
    return _back(request, incident_id, gettext("Your note is in the timeline."))


@router.post("/{incident_id}/escalate")
def escalate(request: Request, actor: PrLeadDep, incident_id: int, reason: Reason = "") -> Response:
    """Tell the next people of the chain now."""
    actions.escalate(actor, incident_id, reason)
    return _back(request, incident_id, gettext("The next people are told now."))


@router.post("/{incident_id}/resolve")
def resolve(request: Request, actor: PrLeadDep, incident_id: int, reason: Reason = "") -> Response:
    """Close an incident."""
    actions.resolve(actor, incident_id, reason)
    return _back(request, incident_id, gettext("The incident is resolved."))


def _back(request: Request, incident_id: int, notice: str) -> Response:
    return back_to(request, f"/incidents/{incident_id}", notice)


def _show(
    page: Page, incident_id: int, *, shared_address: str = "", is_whole: bool = False
) -> Response:
    now = page.state.clock()
    latest = None if is_whole else LATEST
    view = view_incident(page.session, incident_id, now=now, latest=latest)
    return page.show(
        "incident.html",
        {
            "view": view,
            "events": view.events,
            "chart": chart_of(view.size) if view.size else None,
            "posts_since": view.incident.opened_at - BEFORE,
            "claim_words": claim_words,
            "verdict_words": verdict_words,
            "desk": view_desk(page.session, view.incident, reader=page.user.email, now=now),
            "shares": list_shares(page.session, incident_id),
            "share_lives": LIVES_H,
            "shared_address": shared_address,
        },
    )
