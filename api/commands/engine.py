"""`run`, `serve`, `worker`, `once`, `collect` and `status`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import func, select

from api.commands.common import BrandOption, out, parse_since, progress, runtime, say
from api.engine import Engine
from api.models import User
from api.report_making import making_files
from api.runtime import Runtime, make_pipeline, only_one_worker, sync_brands_file
from api.status import read_status
from api.worker import Worker
from config.clock import utc_now
from config.db import read_session
from config.errors import AppError, ConflictError, NotFoundError
from config.migrate import current_revision
from config.settings import Settings
from listener.models import Brand, Source
from listener.results import CollectResult
from listener.service import collect as collect_source

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]


def add_commands(app: typer.Typer) -> None:
    """Put the commands of this module on the command line."""
    for command in (run, serve, worker, once, collect, status):
        app.command()(command)


def run(host: Host = None, port: Port = None) -> None:
    """Run everything in one process: scheduler, pipeline, API and console."""
    with runtime() as opened, only_one_worker(opened.settings):
        work = Worker(_loaded(make_pipeline(opened)))
        with_users(opened)
        work.start()
        try:
            serve_app(opened, _where(opened.settings, host, port))
        finally:
            work.stop()


def _loaded(pipeline: Engine) -> Engine:
    """Load the scorer, so that one that is not there is said at the start, not in the log."""
    with say.status("loading the scorer"):
        say.print(f"scorer: {pipeline.scorer.version}", markup=False)
    return pipeline


def serve(host: Host = None, port: Port = None) -> None:
    """Serve the API and the console only; `worker` does the rest elsewhere."""
    with runtime() as opened:
        with_users(opened)
        where = _where(opened.settings, host, port)
        with making_files(opened.sessions, public_url=where.resolved_public_url()):
            serve_app(opened, where)


def worker() -> None:
    """Run scheduler and pipeline only, without the web; PostgreSQL takes any number of these."""
    with runtime() as opened, only_one_worker(opened.settings):
        work = Worker(_loaded(make_pipeline(opened)))
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        work.start()
        say.print("working; stop with Ctrl-C")
        stopped.wait()
        work.stop()


def once() -> None:
    """Do every step once: collect what is due, score, link, triage, escalate, deliver."""
    with runtime() as opened:
        done = make_pipeline(opened).run_once()
    for name, count in done.items():
        out.print(f"{name}: {count}")


def collect(
    source: Annotated[
        str | None, typer.Argument(help="Name of the source; all active ones where left out.")
    ] = None,
    brand: BrandOption = None,
    since: Annotated[
        str | None,
        typer.Option(help="Read back to here, for example 7d or 2026-03-01 (UTC): a backfill."),
    ] = None,
) -> None:
    """Collect now, whatever the schedule says, and work through what came in."""
    begin = parse_since(since)
    with runtime() as opened:
        pipeline = make_pipeline(opened)
        failures: list[AppError] = []
        for source_id, name in _sources(opened, source, brand):
            with progress(name) as advance:
                try:
                    result = collect_source(
                        opened.sessions,
                        source_id,
                        since=begin,
                        keep_raw=opened.settings.keeps_raw,
                        on_page=partial(_show_seen, advance),
                    )
                except AppError as error:
                    failures.append(error)
                    say.print(f"[red]{name}:[/] ", end="")
                    say.print(str(error), markup=False)
                    continue
            say.print(
                f"{name}: {result.seen} seen, {result.new} new, {result.changed} changed, "
                f"{result.rejected} not understood, {result.gaps} gaps",
                markup=False,
            )
        work_with_progress(pipeline)
    if failures:
        raise failures[0]


def _show_seen(advance: Callable[[int], None], result: CollectResult) -> None:
    advance(result.seen)


def status() -> None:
    """Show backlog, sources, incidents and what waits to be delivered."""
    with runtime() as opened, read_session(opened.sessions) as session:
        found = read_status(session, utc_now())
        revision = current_revision(opened.engine)
    out.print(f"database: {opened.engine.dialect.name}, revision {revision}")
    table = Table("What", "How many")
    for name, count in found.counts.items():
        table.add_row(name, str(count))
    out.print(table)
    sources = Table("Source", "Brand", "State", "Last success", "Newest post", "Gaps", "Error")
    for line in found.sources:
        sources.add_row(*line)
    out.print(sources)
    ready = Table("Brand", "Readiness", "To do first")
    for one in found.readiness:
        missing = [part for part in one.parts if part.to_do]
        worst = max(missing, key=lambda part: part.points - part.earned, default=None)
        ready.add_row(one.brand_key, f"{one.score} of 100", worst.to_do if worst else "nothing")
    out.print(ready)


def work_with_progress(pipeline: Engine) -> None:
    """Score, link and triage what waits, showing how far it is; the model comes last."""
    _with_progress("score, link, triage", pipeline.backlog_steps(), pipeline.work_backlog)
    _with_progress("judge", pipeline.backlog_judgements(), pipeline.judge_backlog)
    pipeline.work_backlog()
    pipeline.find_signals()


def _with_progress(title: str, total: int, work: Callable[..., int]) -> None:
    if not total:
        return
    with progress(title, total) as advance:
        done = 0

        def count(_: object, number: int) -> None:
            nonlocal done
            done += number
            advance(done)

        work(on_batch=count)


def _where(settings: Settings, host: str | None, port: int | None) -> Settings:
    changes = {"host": host, "port": port}
    # Port 0, which takes a free one, is a choice too.
    return settings.model_copy(
        update={key: value for key, value in changes.items() if value is not None}
    )


def serve_app(
    opened: Runtime, settings: Settings, *, is_demo: bool = False, seconds: float | None = None
) -> None:
    """Serve until somebody says stop, or for so many seconds.

    Raises:
        ConflictError: The port is taken.
    """
    # The web takes a third of the time that all imports take: only who serves waits for it.
    from api.app import create_app  # noqa: PLC0415 - slow to import
    from api.serving import Server  # noqa: PLC0415 - the same
    from api.warming import keep_what_is_there, warm_up  # noqa: PLC0415 - the same
    from api.why import load_scorers  # noqa: PLC0415 - the same

    app = create_app(settings, opened.sessions, is_demo=is_demo)
    server = Server(app, host=settings.host, port=settings.port)
    try:
        listening = server.config.bind_socket()
    except SystemExit as error:
        msg = f"port {settings.port} of {settings.host} is taken; choose another with --port"
        raise ConflictError(msg) from error
    with say.status("making the first pages"):
        warm_up(app)
        keep_what_is_there()
    load_scorers(settings)
    say.print(f"console: http://{settings.host}:{listening.getsockname()[1]}")
    if seconds is not None:
        timer = threading.Timer(seconds, lambda: setattr(server, "should_exit", True))
        timer.daemon = True
        timer.start()
    server.run(sockets=[listening])


def with_users(opened: Runtime) -> None:
    """Say what to do where nobody could sign in."""
    with read_session(opened.sessions) as session:
        if not session.scalar(select(func.count()).select_from(User)):
            say.print(
                "[yellow]nobody can sign in yet:[/] "
                "groundswell users add YOU@EXAMPLE.ORG --role admin"
            )


def _sources(opened: Runtime, name: str | None, brand: str | None) -> list[tuple[int, str]]:
    sync_brands_file(opened)
    query = (
        select(Source.id, Source.name)
        .join(Brand, Brand.id == Source.brand_id)
        .where(Source.is_active, Brand.is_active)
        .order_by(Source.id)
    )
    if name is not None:
        query = query.where(Source.name == name)
    if brand is not None:
        query = query.where(Brand.key == brand)
    with read_session(opened.sessions) as session:
        found = [(row.id, row.name) for row in session.execute(query)]
        known = session.scalars(select(Source.name).where(Source.is_active)).all()
    if not found:
        msg = f"there is no such active source; known: {', '.join(known) or 'none'} (brands.yaml)"
        raise NotFoundError(msg)
    return found
