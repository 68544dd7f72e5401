"""What a command or a process works with, opened from the settings."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy import make_url, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.protocol_files import ProtocolFiles
from config.clock import utc_now
from config.db import make_engine, make_sessions, read_session
from config.errors import ConflictError, InputError, TransientError
from config.migrate import current_revision, require_current, upgrade
from config.settings import Settings
from crm_link.calls.budget_meter import use_meters
from crm_link.crm import make_crms
from crm_link.escalation.protocols import Protocols
from listener.brands_file import BrandsFile, read_brands
from listener.models import Brand
from listener.sources import sync_brands
from sentiment.late_scorer import LateScorer
from sentiment.scorer import Scorer, make_scorer

#: New objects after which Python looks for cycles among the youngest.
GC_THRESHOLD = 50_000


@dataclass(frozen=True, slots=True)
class Runtime:
    """Settings and an open, current database."""

    settings: Settings
    engine: DatabaseEngine
    sessions: sessionmaker[Session]


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """Give the open database, with its tables.

    An empty database, and an embedded one of an older version, get their tables here; an
    older PostgreSQL database is left for `groundswell migrate`.

    Raises:
        TransientError: The database does not answer.
        ConflictError: It is of another version.
    """
    engine = make_engine(settings.resolved_database_url())
    try:
        try:
            if engine.dialect.name == "sqlite" or current_revision(engine) is None:
                upgrade(engine)
            require_current(engine)
        except OperationalError as error:
            raise TransientError(_unreachable(settings, error)) from error
        yield Runtime(settings, engine, make_sessions(engine))
    finally:
        engine.dispose()


def _unreachable(settings: Settings, error: OperationalError) -> str:
    where = make_url(settings.resolved_database_url()).render_as_string(hide_password=True)
    reason = str(error.orig).strip().splitlines()[0]
    return f"the database {where} does not answer ({reason}); see GROUNDSWELL_DATABASE_URL"


def sync_brands_file(runtime: Runtime) -> BrandsFile:
    """Read brands.yaml and bring brands and sources in the database to what it says."""
    path = runtime.settings.brands_path()
    if not path.is_file():
        msg = (
            f"there is no {path}; `groundswell init` writes one, "
            "and GROUNDSWELL_HOME names its folder"
        )
        raise InputError(msg)
    file = read_brands(path)
    with runtime.sessions.begin() as session:
        sync_brands(session, file, utc_now())
    return file


def make_pipeline(runtime: Runtime) -> Engine:
    """Return the pipeline's steps, with brands, protocols, scorers and CRM as set."""
    sync_brands_file(runtime)
    settings = runtime.settings
    # Batches make many short-lived objects and no cycles: looking for cycles every 700 of them
    # costs time and finds nothing.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    crms = make_crms(settings.crm)
    use_meters(crms, runtime.sessions)
    return Engine(
        settings=settings,
        sessions=runtime.sessions,
        scorer=open_scorer(settings),
        lexicon=_lexicon(settings),
        protocols=Protocols(runtime.sessions, ProtocolFiles(settings.brands_path())),
        crms=crms,
    )


def open_scorer(settings: Settings, *, name: str | None = None) -> LateScorer:
    """Return the scorer that is set, or the one that `name` names, with its processes.

    Raises:
        InputError: There is no such scorer.
    """
    return LateScorer(name or settings.scorer, processes=settings.scoring_processes)


def _lexicon(settings: Settings) -> Scorer | None:
    """Return what judges at once; None where the scorer itself does, or where it is not wanted."""
    if not settings.fast_scorer or settings.fast_scorer == settings.scorer:
        return None
    return make_scorer(settings.fast_scorer)


def protocol_paths(runtime: Runtime, file: BrandsFile) -> dict[int, Path]:
    """Return the protocol file of each brand that has one, by the brand's id."""
    with read_session(runtime.sessions) as session:
        ids = dict(session.execute(select(Brand.key, Brand.id)).all())
    return {ids[brand.id]: brand.protocol for brand in file.brands if brand.protocol is not None}


def brand_protocol_path(runtime: Runtime, brand_id: int) -> Path | None:
    """Return the protocol file of a brand, None where it goes by the default protocol."""
    return protocol_paths(runtime, read_brands(runtime.settings.brands_path())).get(brand_id)


@contextmanager
def only_one_worker(settings: Settings) -> Iterator[None]:
    """Keep a second worker off an embedded database; PostgreSQL takes any number.

    Raises:
        ConflictError: Another process works on this file already.
    """
    url = make_url(settings.resolved_database_url())
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        yield
        return
    lock = FileLock(f"{url.database}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        msg = (
            f"another `groundswell run` or `worker` works on {url.database} already; stop it, "
            "give this one its own GROUNDSWELL_HOME, or use PostgreSQL for more than one"
        )
        raise ConflictError(msg) from error
    try:
        yield
    finally:
        lock.release()
