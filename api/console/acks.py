"""The page that a message's link opens on a phone: one button, no sign-in.

Looking changes nothing, so that a messenger that fetches links to preview them acknowledges
nothing; only the button does. It is posted from this page: another site has no link to post.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import SessionDep, StateDep
from api.language import told
from api.pages import render
from config.errors import ConflictError, NotFoundError
from crm_link.escalation.delivery import acks
from crm_link.escalation.incidents import acknowledge, get_incident
from crm_link.escalation.models import IncidentStatus

router = APIRouter(prefix="/a")


@router.get("/{token}")
def show(request: Request, session: SessionDep, state: StateDep, token: str) -> Response:
    """Show what the link is for, and its button while there is something to acknowledge."""
    key = state.settings.secret_key.get_secret_value()
    try:
        link = acks.open_link(session, token, key=key, now=state.clock())
    except ConflictError as error:
        return render(request, "ack.html", {"problem": told(error.said)}, status_code=410)
    except NotFoundError as error:
        return render(request, "ack.html", {"problem": told(error.said)}, status_code=404)
    context = {"incident": link.incident, "problem": link.problem, "token": token}
    return render(request, "ack.html", context)


@router.post("/{token}")
def use(request: Request, session: SessionDep, state: StateDep, token: str) -> Response:
    """Acknowledge."""
    key = state.settings.secret_key.get_secret_value()
    try:
        link = acks.use_link(session, token, key=key, clock=state.clock)
        contact = link.notification.contact
        acknowledge(
            session, link.incident.id, by=f"{contact} (link)", contact=contact, clock=state.clock
        )
    except ConflictError as error:
        return render(request, "ack.html", {"problem": told(error.said)}, status_code=409)
    except NotFoundError as error:
        return render(request, "ack.html", {"problem": told(error.said)}, status_code=404)
    incident = get_incident(session, link.incident.id)
    waits = incident.status is IncidentStatus.OPEN
    context = {"incident": incident, "done": True, "waits": waits, "contact": contact}
    return render(request, "ack.html", context)
