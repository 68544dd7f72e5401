"""Silences: for what, until when and why nobody is told, and what that hides."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import escalating
from api.console.page import PageDep
from api.console.times import read_time
from api.deps import PrLeadDep
from api.language import gettext
from api.pages import back_to
from config.errors import InputError
from crm_link.escalation.delivery import silences
from crm_link.escalation.delivery.silences import Matcher, end_of
from crm_link.escalation.protocol_parts.base import LEVELS
from crm_link.mentions import get_brand, list_brands

router = APIRouter(prefix="/silences")

#: What is ticked at first: what wakes people is silenced on purpose only.
TICKED = ("SEV-3", "SEV-4")

Brand = Annotated[str, Form(max_length=100)]
Topics = Annotated[str, Form(max_length=2000)]
Severities = Annotated[list[str] | None, Form()]


@router.get("")
def show(page: PageDep) -> Response:
    """List silences, with a form for a new one."""
    return page.show("silences.html", _context(page))


@router.post("/preview")
def preview(
    page: PageDep,
    brand: Brand = "",
    topics: Topics = "",
    severities: Severities = None,
    starts: Annotated[str, Form(max_length=40)] = "",
    hours: Annotated[str, Form(max_length=10)] = "",
    comment: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Show what a silence would hide, before it is set."""
    matcher = _matcher(page, brand, topics, severities)
    form = {
        "brand": brand,
        "topics": topics,
        "severities": matcher.severities,
        "starts": starts,
        "hours": hours,
        "comment": comment,
    }
    hidden = silences.preview(page.session, matcher, now=page.state.clock())
    return page.show("silences.html", _context(page) | {"form": form, "hidden": hidden})


@router.post("")
def add(
    request: Request,
    actor: PrLeadDep,
    hours: Annotated[float, Form(gt=0, le=744)],
    comment: Annotated[str, Form(max_length=1000)] = "",
    brand: Brand = "",
    topics: Topics = "",
    severities: Severities = None,
    starts: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Set a silence."""
    begin = read_time(starts, actor.clock())
    brand_id = get_brand(actor.session, brand).id if brand else None
    escalating.add_silence(
        actor,
        Matcher(tuple(severities or ()), brand_id, _words(topics)),
        starts_at=begin,
        ends_at=begin + timedelta(hours=hours),
        comment=comment,
    )
    return back_to(request, "/silences", gettext("The silence is set."))


@router.post("/{silence_id}/end")
def end(request: Request, actor: PrLeadDep, silence_id: int) -> Response:
    """End a silence now."""
    escalating.end_silence(actor, silence_id)
    said = gettext("The silence is over; what is still on is told now.")
    return back_to(request, "/silences", said)


def _context(page: PageDep) -> dict[str, object]:
    now = page.state.clock()
    return {
        "silences": silences.list_silences(page.session, now=now, with_past=True, limit=100),
        "end_of": end_of,
        "brands": list_brands(page.session),
        "levels": LEVELS,
        "form": {"severities": TICKED},
        "hidden": None,
    }


def _matcher(page: PageDep, brand: str, topics: str, severities: list[str] | None) -> Matcher:
    if not severities:
        raise InputError("say which severities are silenced: %(levels)s", levels=", ".join(LEVELS))
    brand_id = get_brand(page.session, brand).id if brand else None
    return Matcher(tuple(severities), brand_id, _words(topics))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
