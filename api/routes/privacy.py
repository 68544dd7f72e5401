"""Erasing a person, and telling a person what is held. For admins."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api import privacy_actions as actions
from api.deps import AdminDep, AdminUserDep, SessionDep, StateDep
from api.schemas.privacy import ErasureIn, ErasureOut, ErasurePreviewOut, GoneIn, GoneOut, PersonIn
from crm_link.privacy.requests import get_erasure, list_erasures, preview_erasure

router = APIRouter(prefix="/privacy", tags=["privacy"])


@router.get("/erasures")
def read_erasures(_admin: AdminUserDep, session: SessionDep) -> list[ErasureOut]:
    """List the newest erasures with their receipts."""
    return [ErasureOut.model_validate(one) for one in list_erasures(session)]


@router.get("/erasures/{erasure_id}")
def read_erasure(_admin: AdminUserDep, state: StateDep, erasure_id: int) -> ErasureOut:
    """Return an erasure: how far it is, and a receipt for each system."""
    return ErasureOut.model_validate(get_erasure(state.sessions, erasure_id))


@router.post("/erasures/preview")
def preview(_admin: AdminUserDep, session: SessionDep, body: PersonIn) -> ErasurePreviewOut:
    """Say what an erasure would take, and change nothing."""
    subject, rows = preview_erasure(session, **body.model_dump())
    return ErasurePreviewOut(subject=subject.label, rows=dict(rows))


@router.post("/erasures", status_code=202)
def erase(actor: AdminDep, body: ErasureIn) -> ErasureOut:
    """Erase a person: `run` or `worker` does it within seconds; ask again for the receipts."""
    return ErasureOut.model_validate(actions.erase_person(actor, **body.model_dump()))


@router.post("/gone")
def mark_gone(actor: AdminDep, body: GoneIn) -> GoneOut:
    """Take over what a platform says is deleted, protected or suspended.

    Posts and profiles are emptied at once, and links withdrawn within seconds.
    """
    return actions.mark_gone(actor, body.platform, body.posts, body.accounts)


@router.post("/export")
def export(actor: AdminDep, body: PersonIn) -> dict[str, Any]:
    """Return all that is held about a person, its sources, and the logic of the match."""
    return dict(actions.tell_person(actor, **body.model_dump()))
