"""Drills and reports as the console and the API offer them alike; with the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.deps import Actor, State, may
from api.models import Role, User
from api.reports.render import MEDIA_TYPES, Format, file_name, render_report
from config.errors import InputError, PermissionDeniedError
from crm_link.escalation import drill
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.drills.brands import ordinary_per_hour
from crm_link.escalation.drills.models import Drill
from crm_link.escalation.drills.replay import handles_of, replay_script
from crm_link.escalation.drills.scenarios import Script, shipped_scenarios, write_script
from crm_link.escalation.incidents import get_incident
from crm_link.escalation.report import read_report
from crm_link.escalation.reports.review import Review
from crm_link.escalation.reports.review import write_review as store_review
from crm_link.mentions import get_brand
from crm_link.reporting.files import forget_files
from listener.models import Brand


def report_file(
    session: Session,
    state: State,
    user: User,
    incident_id: int,
    form: Format,
    *,
    with_people: bool,
) -> Response:
    """Return an incident's report as a file that is quickly made.

    Raises:
        PermissionDeniedError: Names of contacts were asked for by a viewer.
    """
    if with_people and not may(user, Role.COMMUNITY_MANAGER):
        raise PermissionDeniedError("a report that names contacts needs the role community_manager")
    found = read_report(session, incident_id, now=state.clock(), with_people=with_people)
    content = render_report(found, form, public_url=state.settings.resolved_public_url())
    name = file_name(found, form)
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def write_review(actor: Actor, incident_id: int, fields: Mapping[str, str]) -> Review:
    """Store what people wrote after an incident."""
    found = store_review(actor.session, incident_id, fields, by=actor.name, now=actor.clock())
    # What was made before does not hold it.
    forget_files(actor.session, incident_id=incident_id)
    actor.record("review written", f"incident {incident_id}")
    return found


def start_drill(
    actor: Actor, *, brand: str = "", scenario: str = "", incident_id: int | None = None
) -> Drill:
    """Begin a drill in real time; the worker runs it.

    Only shipped scenarios: a path on the server is for those who have the server.

    Raises:
        InputError: Neither or both of scenario and incident were given, or there is no such
            scenario.
    """
    now = actor.clock()
    if bool(scenario) == (incident_id is not None):
        raise InputError("give either a scenario, or the incident to replay")
    if incident_id is not None:
        incident = get_incident(actor.session, incident_id)
        rehearsed = incident.brand
        script = replay_script(actor.session, incident_id, keep_handles=handles_of(rehearsed))
    else:
        rehearsed = get_brand(actor.session, brand)
        script = _script(actor.session, rehearsed, scenario, actor)
    found = drill.start_drill(
        actor.session,
        rehearsed,
        script,
        protocol_in_force(actor.session, rehearsed.id),
        by=actor.name,
        now=now,
    )
    actor.record("drill started", f"drill {found.id}")
    return found


def stop_drill(actor: Actor, drill_id: int) -> Drill:
    """End a drill at once."""
    found = drill.stop_drill(actor.session, drill_id, by=actor.name, now=actor.clock())
    actor.record("drill stopped", f"drill {drill_id}")
    return found


def _script(session: Session, brand: Brand, scenario: str, actor: Actor) -> Script:
    shipped = shipped_scenarios()
    if scenario not in shipped:
        raise InputError(
            "there is no scenario '%(scenario)s'; known: %(shipped)s",
            scenario=scenario,
            shipped=", ".join(shipped),
        )
    per_hour = ordinary_per_hour(session, brand.id, actor.clock())
    return write_script(scenario, shipped[scenario], brand_name=brand.name, per_hour=per_hour)
