"""Drills: how ready we are, rehearsals that run and that were."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import reviewing
from api.console.page import PageDep
from api.deps import PrLeadDep
from api.language import gettext
from api.pages import back_to
from api.reports.words import TIME_WORDS
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.drills.models import DrillMode, DrillState
from crm_link.escalation.drills.result import first_incident, list_drills
from crm_link.escalation.drills.scenarios import shipped_scenarios
from crm_link.escalation.duty.readiness import read_readiness
from crm_link.mentions import list_brands

router = APIRouter(prefix="/drills")

#: Past drills on the page.
ROWS = 30

Words = Annotated[str, Form(max_length=100)]


@router.get("")
def drills(page: PageDep) -> Response:
    """Show readiness, the drill that runs, and past ones."""
    found = list_drills(page.session, limit=ROWS)
    running = [drill for drill in found if drill.state is DrillState.RUNNING]
    brands = [brand for brand in list_brands(page.session) if brand.is_active]
    ways = {brand.id: protocol_in_force(page.session, brand.id).drills.channels for brand in brands}
    context = {
        "readiness": read_readiness(page.session, page.state.clock()),
        "running": [(drill, first_incident(page.session, drill)) for drill in running],
        "past": [drill for drill in found if drill.state is not DrillState.RUNNING],
        "scenarios": shipped_scenarios(),
        "brands": brands,
        "ways": ways,
        "names": {name.value: words for name, words in TIME_WORDS.items()},
        "fast": DrillMode.FAST,
    }
    return page.show("drills.html", context)


@router.post("")
def start(request: Request, actor: PrLeadDep, brand: Words, scenario: Words) -> Response:
    """Begin a drill."""
    drill = reviewing.start_drill(actor, brand=brand, scenario=scenario)
    said = gettext("Drill %(number)s has begun: act as if it were real.", number=drill.id)
    return back_to(request, "/drills", said)


@router.post("/replay/{incident_id}")
def replay(request: Request, actor: PrLeadDep, incident_id: int) -> Response:
    """Begin a drill with a past attack."""
    drill = reviewing.start_drill(actor, incident_id=incident_id)
    said = gettext(
        "Drill %(number)s replays incident %(incident)s.", number=drill.id, incident=incident_id
    )
    return back_to(request, "/drills", said)


@router.post("/{drill_id}/stop")
def stop(request: Request, actor: PrLeadDep, drill_id: int) -> Response:
    """End a drill at once."""
    reviewing.stop_drill(actor, drill_id)
    said = gettext("Drill %(number)s is over; what it made is deleted.", number=drill_id)
    return back_to(request, "/drills", said)
