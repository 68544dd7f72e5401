"""What changed, as it changes: server-sent events for open pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response, StreamingResponse

from api.deps import StateDep, UserDep

router = APIRouter(prefix="/events")

#: The id of the last event that somebody has seen.
Seen = Annotated[str, Query(max_length=60)]


@router.get("")
async def events(
    state: StateDep,
    user: UserDep,
    after: Seen = "",
    last_event_id: Annotated[str, Header(max_length=60)] = "",
) -> Response:
    """Stream the names of what changes; the browser's own `Last-Event-ID` wins."""
    del user  # asked for, so that only people who are signed in listen
    state.live.require_room()
    return StreamingResponse(
        state.live.stream(last_event_id or after),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
