"""On call: who is, who is next, overrides, and the test button."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import escalating
from api.console.page import PageDep
from api.console.times import read_time
from api.deps import PrLeadDep
from api.language import gettext
from api.pages import back_to
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.duty import on_call
from crm_link.mentions import list_brands

router = APIRouter(prefix="/on-call")

#: Days of the schedule that are shown.
DAYS = 14

Words = Annotated[str, Form(max_length=100)]


@router.get("")
def show(page: PageDep) -> Response:
    """Show who is on call by each rotation, and who can be reached how."""
    now = page.state.clock()
    brands = [
        (brand, protocol_in_force(page.session, brand.id)) for brand in list_brands(page.session)
    ]
    context = {
        "rotations": escalating.rotations(page.session, "", now, now + timedelta(days=DAYS)),
        "overrides": {
            brand.id: on_call.list_overrides(page.session, brand.id, now=now) for brand, _ in brands
        },
        "brands": brands,
        "problems": escalating.calendar_problems(page.session),
        "days": DAYS,
    }
    return page.show("on_call.html", context)


@router.post("/overrides")
def add(
    request: Request,
    actor: PrLeadDep,
    brand: Words,
    rotation: Words,
    contact: Words,
    hours: Annotated[float, Form(gt=0, le=2160)],
    starts: Annotated[str, Form(max_length=40)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Put somebody on call in another's place."""
    begin: datetime = read_time(starts, actor.clock())
    escalating.add_override(
        actor,
        brand=brand,
        rotation=rotation,
        contact=contact,
        starts_at=begin,
        ends_at=begin + timedelta(hours=hours),
        reason=reason,
    )
    return back_to(request, "/on-call", gettext("The override is set."))


@router.post("/overrides/{override_id}/remove")
def remove(request: Request, actor: PrLeadDep, override_id: int) -> Response:
    """Take an override back."""
    escalating.remove_override(actor, override_id)
    return back_to(request, "/on-call", gettext("The override is taken back."))


@router.post("/test")
def send_test(request: Request, actor: PrLeadDep, brand: Words, contact: Words = "") -> Response:
    """Send a marked test message, to one contact or to all."""
    incident = escalating.send_test(actor, brand, [contact] if contact else [])
    notice = gettext("The test is on its way; below is who got it.")
    return back_to(request, f"/incidents/{incident.id}", notice)
