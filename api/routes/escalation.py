"""Who is on call and who is next, silences, and tests of the alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import escalating
from api.deps import PrLeadDep, SessionDep, StateDep, get_user
from api.schemas.escalation import (
    AlertTestIn,
    OverrideIn,
    OverrideOut,
    RotationOut,
    ShiftOut,
    SilenceIn,
    SilenceOut,
)
from api.schemas.incidents import IncidentOut
from crm_link.escalation.delivery import silences
from crm_link.escalation.delivery.silences import Matcher
from crm_link.escalation.duty import on_call
from crm_link.mentions import get_brand

router = APIRouter(tags=["escalation"], dependencies=[Depends(get_user)])

#: Days of the schedule that are given.
DAYS = 14


@router.get("/on-call")
def read_on_call(
    session: SessionDep,
    state: StateDep,
    brand: Annotated[str, Query(max_length=100)] = "",
    days: Annotated[int, Query(ge=1, le=60)] = DAYS,
) -> list[RotationOut]:
    """Say who is on call by each rotation, who is next, and the schedule of the next days."""
    now = state.clock()
    return [
        RotationOut(
            brand=one.brand.key,
            rotation=one.name,
            now=list(one.shifts[0].contacts),
            next=None if one.next is None else ShiftOut.model_validate(one.next),
            shifts=[ShiftOut.model_validate(shift) for shift in one.shifts],
        )
        for one in escalating.rotations(session, brand, now, now + timedelta(days=days))
    ]


@router.get("/on-call/overrides")
def read_overrides(
    session: SessionDep, state: StateDep, brand: Annotated[str, Query(max_length=100)]
) -> list[OverrideOut]:
    """List the overrides of a brand that hold or will."""
    found = on_call.list_overrides(session, get_brand(session, brand).id, now=state.clock())
    return [OverrideOut.model_validate(one) for one in found]


@router.post("/on-call/overrides", status_code=201)
def add_override(actor: PrLeadDep, body: OverrideIn) -> OverrideOut:
    """Put somebody on call in another's place."""
    override = escalating.add_override(
        actor,
        brand=body.brand,
        rotation=body.rotation,
        contact=body.contact,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        reason=body.reason,
    )
    return OverrideOut.model_validate(override)


@router.post("/on-call/overrides/{override_id}/remove")
def remove_override(actor: PrLeadDep, override_id: int) -> OverrideOut:
    """Take an override back."""
    return OverrideOut.model_validate(escalating.remove_override(actor, override_id))


@router.get("/silences")
def read_silences(session: SessionDep, state: StateDep, *, past: bool = False) -> list[SilenceOut]:
    """List silences that hold or will, and past ones where asked."""
    found = silences.list_silences(session, now=state.clock(), with_past=past)
    return [SilenceOut.model_validate(one) for one in found]


@router.post("/silences", status_code=201)
def add_silence(actor: PrLeadDep, body: SilenceIn) -> SilenceOut:
    """Plan a time in which nobody is told."""
    silence = escalating.add_silence(
        actor,
        _matcher(actor.session, body),
        starts_at=body.starts_at or actor.clock(),
        ends_at=body.ends_at,
        comment=body.comment,
    )
    return SilenceOut.model_validate(silence)


@router.post("/silences/preview")
def preview_silence(actor: PrLeadDep, body: SilenceIn) -> list[IncidentOut]:
    """Return what a silence would hide now, and would have hidden in the last 30 days."""
    found = silences.preview(actor.session, _matcher(actor.session, body), now=actor.clock())
    return [IncidentOut.model_validate(one) for one in found]


@router.post("/silences/{silence_id}/end")
def end_silence(actor: PrLeadDep, silence_id: int) -> SilenceOut:
    """End a silence now. Answers 409 if it is over."""
    return SilenceOut.model_validate(escalating.end_silence(actor, silence_id))


@router.post("/alerts/test", status_code=201)
def send_test(actor: PrLeadDep, body: AlertTestIn) -> IncidentOut:
    """Send a marked test message over every channel of the contacts."""
    return IncidentOut.model_validate(escalating.send_test(actor, body.brand, body.contacts))


def _matcher(session: SessionDep, body: SilenceIn) -> Matcher:
    brand_id = get_brand(session, body.brand).id if body.brand else None
    return Matcher(tuple(body.severities), brand_id, tuple(body.topics))
