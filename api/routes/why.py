"""Why an incident was raised."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.deps import SessionDep, StateDep, get_user
from api.schemas.why import WhyOut
from crm_link.escalation.reasons.why_view import view_why

router = APIRouter(prefix="/incidents", tags=["incidents"], dependencies=[Depends(get_user)])


@router.get("/{incident_id}/why")
def read_why(session: SessionDep, state: StateDep, incident_id: int) -> WhyOut:
    """Return why an incident was raised: as it is now, and as it was when it opened."""
    view = view_why(session, incident_id, now=state.clock())
    return WhyOut(
        summary=view.summary,
        now=view.now,
        opening=view.opening,
        authors={author_id: view.author_name(author_id) for author_id in view.authors},
    )
