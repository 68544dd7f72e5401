"""`drill`: rehearse an attack, in real time with people or compressed for the machine alone."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from api.commands.common import BrandOption, out, progress, runtime, say
from api.engine import Engine
from api.formats import drill_part, duration
from api.rehearsal import Rehearsal
from api.runtime import Runtime, brand_protocol_path, make_pipeline, only_one_worker
from api.worker import Worker
from config.clock import utc_now
from config.db import read_session
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.drill import find_running, get_drill, start_drill, stop_drill
from crm_link.escalation.drills.brands import ordinary_per_hour
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.drills.replay import handles_of, replay_script
from crm_link.escalation.drills.result import first_incident, list_drills, store_rehearsal
from crm_link.escalation.drills.scenarios import (
    Script,
    load_scenario,
    shipped_scenarios,
    write_script,
)
from crm_link.escalation.incidents import get_incident
from listener.models import Brand
from listener.sources import get_brand

#: Seconds between two looks at a drill that runs.
LOOK_EVERY_S = 2.0

#: Who began a drill on the command line.
BY = "the command line"


def add_commands(app: typer.Typer) -> None:
    """Put the command of this module on the command line."""
    app.command("drill")(run_drill)


def run_drill(
    scenario: Annotated[
        str | None, typer.Argument(help="A shipped scenario, or the path of one in YAML.")
    ] = None,
    brand: BrandOption = None,
    from_incident: Annotated[
        int | None, typer.Option("--from", help="Replay the stored posts of this incident.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Compress time: tests the machine, tells nobody.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the drill that runs.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Show the scenarios, and what past drills came to.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another number gives other posts.", min=0)] = 1,
) -> None:
    """Rehearse an attack through the real detector, queue and chain.

    Messages are marked DRILL and go to the drill channels of the protocol only; posts are kept
    apart from the brand's and deleted at the end. With --fast exit code 1 means: not detected.
    """
    asked = [scenario is not None, from_incident is not None, stop, listed]
    if sum(asked) > 1:
        raise InputError("give one of: a scenario, --from, --stop, --list")
    with runtime() as opened:
        if stop:
            _stop(opened, brand)
        elif scenario is None and from_incident is None:
            _list(opened)
        else:
            pipeline = make_pipeline(opened)
            with read_session(opened.sessions) as session:
                brand_id, script = _script(
                    session, brand, scenario, from_incident, seed, pipeline.clock()
                )
            (_rehearse if fast else _hold)(opened, pipeline, brand_id, script)


def _script(
    session: Session,
    brand_key: str | None,
    scenario: str | None,
    incident_id: int | None,
    seed: int,
    now: datetime,
) -> tuple[int, Script]:
    """Return the brand that is rehearsed for, and what is said."""
    if incident_id is not None:
        brand = get_incident(session, incident_id).brand
        if brand_key not in {None, brand.key}:
            raise InputError(f"incident {incident_id} is of '{brand.key}', not of '{brand_key}'")
        return brand.id, replay_script(session, incident_id, keep_handles=handles_of(brand))
    brand = get_brand(session, brand_key)
    key, found = load_scenario(scenario or "")
    per_hour = ordinary_per_hour(session, brand.id, now)
    return brand.id, write_script(key, found, brand_name=brand.name, per_hour=per_hour, seed=seed)


def _rehearse(opened: Runtime, pipeline: Engine, brand_id: int, script: Script) -> None:
    protocol = pipeline.protocols.by_brand()[brand_id]
    rehearsal = Rehearsal(
        pipeline,
        brand_id,
        brand_protocol_path(opened, brand_id),
        protocol,
        folder=opened.settings.home,
    )
    whole = script.lasts + protocol.drills.resolve_within
    with progress(script.title, round(whole / timedelta(minutes=1))) as advance:
        drill = rehearsal.run(
            script, by=BY, on_progress=lambda past: advance(round(past / timedelta(minutes=1)))
        )
    with opened.sessions.begin() as session:
        store_rehearsal(session, drill)
    _show(drill)
    if not _is_detected(drill):
        raise typer.Exit(1)


def _hold(opened: Runtime, pipeline: Engine, brand_id: int, script: Script) -> None:
    protocol = pipeline.protocols.by_brand()[brand_id]
    with opened.sessions.begin() as session:
        brand = session.get_one(Brand, brand_id)
        drill_id = start_drill(session, brand, script, protocol, by=BY, now=pipeline.clock()).id
    ways = ", ".join(dict.fromkeys(way.kind for way in protocol.drills.channels))
    say.print(
        f"drill {drill_id} begins: {script.title}, {len(script.posts)} posts in "
        f"{duration(script.lasts)}; messages go to: {ways}",
        markup=False,
    )
    with ExitStack() as stack:
        with suppress(ConflictError):
            stack.enter_context(only_one_worker(opened.settings))
            worker = Worker(pipeline)
            worker.start()
            stack.callback(worker.stop)
        try:
            _show(_watch(opened, pipeline, drill_id))
        except KeyboardInterrupt:
            say.print(
                "the drill is not over: it goes on with the next `groundswell run`; "
                "`groundswell drill --stop` ends it"
            )
            raise


def _watch(opened: Runtime, pipeline: Engine, drill_id: int) -> Drill:
    """Say what happens until a drill is over; return it."""
    seen: set[str] = set()
    while True:
        with read_session(opened.sessions) as session:
            drill = get_drill(session, drill_id)
            incident = first_incident(session, drill)
            session.expunge_all()
        news = (
            {}
            if incident is None
            else {
                f"detected after {duration(incident.opened_at - drill.started_at)}: "
                f"{incident.severity}, {opened.settings.resolved_public_url()}/incidents/"
                f"{incident.id}": True,
                f"acknowledged by {incident.acknowledged_by}": incident.acknowledged_by is not None,
            }
        )
        for words, happened in news.items():
            if happened and words not in seen:
                seen.add(words)
                past = pipeline.clock() - drill.started_at
                say.print(f"{duration(past)}: {words}", markup=False)
        if drill.state is not DrillState.RUNNING:
            return drill
        time.sleep(LOOK_EVERY_S)


def _stop(opened: Runtime, brand_key: str | None) -> None:
    with opened.sessions.begin() as session:
        brand_id = None if brand_key is None else get_brand(session, brand_key).id
        running = find_running(session, brand_id)
        if running is None:
            raise NotFoundError("no drill is running")
        stop_drill(session, running.id, by=BY, now=utc_now())
        say.print(f"drill {running.id} is over; what it made is deleted")


def _list(opened: Runtime) -> None:
    scenarios = Table("Scenario", "What it is", "Lasts", title="Scenarios")
    for name, scenario in shipped_scenarios().items():
        scenarios.add_row(name, scenario.name, duration(scenario.lasts))
    out.print(scenarios)
    with read_session(opened.sessions) as session:
        drills = list_drills(session)
        rows = [_row(drill) for drill in drills]
    if not rows:
        out.print("no drill so far: groundswell drill false_rumour --fast", markup=False)
        return
    past = Table("Drill", "Brand", "Began (UTC)", "How", "What", "State", "Score", title="Drills")
    past.add_column("Detected")
    past.add_column("Acknowledged")
    for row in rows:
        past.add_row(*row)
    out.print(past)


def _row(drill: Drill) -> tuple[str, ...]:
    times = {str(part["what"]): part for part in drill.result.get("times", [])}
    return (
        str(drill.id),
        drill.brand.key,
        f"{drill.started_at:%Y-%m-%d %H:%M}",
        drill.mode.value,
        drill.scenario,
        drill.state.value,
        "–" if drill.score is None else str(drill.score),  # noqa: RUF001 - stands for nothing
        drill_part(times.get("time_to_detect")),
        drill_part(times.get("time_to_ack")),
    )


def _show(drill: Drill) -> None:
    table = Table("Part", "Took", "Allowed", "Points", title=f"Drill: {drill.title}")
    part: dict[str, Any]
    for part in drill.result.get("times", []):
        limit = part["limit_s"]
        table.add_row(
            str(part["what"]).removeprefix("time_to_").replace("_", " "),
            drill_part(part),
            "–" if not limit else duration(timedelta(seconds=limit)),  # noqa: RUF001 - nothing
            "–" if part["points"] is None else str(part["points"]),  # noqa: RUF001 - nothing
        )
    out.print(table)
    told = ", ".join(drill.result.get("told", [])) or "nobody"
    how = "would have been told" if drill.mode is DrillMode.FAST else "were told"
    out.print(f"{how}: {told}", markup=False)
    if drill.state is DrillState.STOPPED:
        out.print("stopped before its end: not scored")
    else:
        out.print(
            f"score: {drill.score} of 100" if _is_detected(drill) else "not detected: 0 of 100"
        )


def _is_detected(drill: Drill) -> bool:
    return any(
        part["what"] == "time_to_detect" and part["took_s"] is not None
        for part in drill.result.get("times", [])
    )
