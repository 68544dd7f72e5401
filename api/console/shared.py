"""What executives see by a link: one incident, read-only, without names of private persons."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.console.room import chart_of, verdict_words
from api.deps import SessionDep, StateDep
from api.language import told
from api.pages import render
from api.rate_limit import RateLimit
from api.sharing import count_look
from config.errors import NotFoundError
from crm_link.escalation.playbook.playbook_models import StatementState
from crm_link.escalation.war_room.incident_desk import view_desk
from crm_link.escalation.war_room.incident_view import view_incident
from crm_link.escalation.war_room.shares import find_share

router = APIRouter(prefix="/s")

#: Looks of one address in a minute: a page asks for itself once.
PER_MINUTE = 60

#: Seconds after which an open page asks for itself again.
AGAIN_S = 60

_limit = RateLimit(PER_MINUTE)


@router.get("/{token}")
def shared(request: Request, session: SessionDep, state: StateDep, token: str) -> Response:
    """Show the incident that a link is for."""
    _limit.require(request.client.host if request.client else "")
    now = state.clock()
    key = state.settings.secret_key.get_secret_value()
    try:
        share = find_share(session, token, key=key, now=now)
    except NotFoundError as error:
        return _private(
            render(request, "shared_gone.html", {"problem": told(error.said)}, status_code=404)
        )
    view = view_incident(session, share.incident_id, now=now)
    desk = view_desk(session, view.incident, reader="", now=now)
    answer = render(
        request,
        "shared.html",
        {
            "share": share,
            "view": view,
            "desk": desk,
            "published": [
                one.statement
                for one in (desk.statements if desk else ())
                if one.statement.state is StatementState.PUBLISHED
            ],
            "chart": chart_of(view.size) if view.size else None,
            "verdict_words": verdict_words,
            "now": now,
            "again_s": AGAIN_S,
        },
    )
    count_look(state, share)
    return _private(answer)


def _private(answer: Response) -> Response:
    """Keep the page out of search engines, and its address from where its links lead."""
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
