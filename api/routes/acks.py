"""Acknowledging by a message's signed link, for programs that carry messages on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.deps import SessionDep, StateDep
from api.schemas.incidents import IncidentOut
from crm_link.escalation.delivery import acks
from crm_link.escalation.incidents import acknowledge

router = APIRouter(prefix="/acknowledge", tags=["replies"])


@router.post("")
def use_link(
    session: SessionDep,
    state: StateDep,
    token: Annotated[str, Body(embed=True, max_length=500)],
) -> IncidentOut:
    """Acknowledge with the last part of a message's link; no key is needed, and it works once.

    Answers 404 to what is no link of ours, and 409 to one that is too old, was used, or whose
    incident is not open.
    """
    key = state.settings.secret_key.get_secret_value()
    link = acks.use_link(session, token, key=key, clock=state.clock)
    contact = link.notification.contact
    done = acknowledge(
        session, link.incident.id, by=f"{contact} (link)", contact=contact, clock=state.clock
    )
    return IncidentOut.model_validate(done)
