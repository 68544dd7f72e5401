"""What the commands share: the console, progress, exit codes."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from sqlalchemy.exc import DBAPIError, OperationalError

from api.runtime import Runtime, open_runtime
from config.clock import to_utc, utc_now
from config.durations import parse_duration
from config.errors import (
    AppError,
    BudgetExhaustedError,
    ConflictError,
    InputError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
    TransientError,
)
from config.logs import set_up_logs
from config.settings import Settings, load_settings

#: Results go to standard output, everything said to people to standard error.
out = Console(highlight=False, soft_wrap=True)
say = Console(stderr=True, highlight=False, soft_wrap=True)

#: Exit codes: 0 done, 1 a check failed, 2 wrong input; from 64 on as in sysexits.h.
EXIT_CODES: Final[tuple[tuple[type[AppError], int], ...]] = (
    (InputError, 2),
    (NotFoundError, 3),
    (ConflictError, 4),
    (PermissionDeniedError, 77),
    (BudgetExhaustedError, 75),
    (TransientError, 75),
    (PermanentError, 69),
)
EXIT_FULL = 74

#: SQLSTATE of PostgreSQL's error.
_POSTGRES_DISK_FULL = "53100"

BrandOption = Annotated[
    str | None, typer.Option("--brand", help="Key of the brand; needed where there are several.")
]
OutOption = Annotated[Path, typer.Option("--out", help="File to write; - for standard output.")]


def settings_with_logs() -> Settings:
    """Return the settings, with logs set up as they say."""
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)
    return settings


@contextmanager
def runtime() -> Iterator[Runtime]:
    """Give the open database of the settings."""
    with open_runtime(settings_with_logs()) as opened:
        yield opened


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show progress on standard error; the value is a function that takes how many are done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=say, transient=say.is_terminal) as shown:
        task = shown.add_task(label, total=total)

        def advance(done: int) -> None:
            shown.update(task, completed=done)

        yield advance


def parse_since(value: str | None) -> datetime | None:
    """Return a time from what a person writes: `7d`, `2026-03-01` or a full ISO time.

    A date or a time without a zone is taken as UTC, and that is said in the help.

    Raises:
        InputError: It is none of these.
    """
    if value is None:
        return None
    try:
        return utc_now() - parse_duration(value)
    except InputError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        msg = f"'{value}' is no time: write 7d, 2026-03-01 or 2026-03-01T12:00:00+00:00"
        raise InputError(msg) from error
    return to_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def exit_code(error: Exception) -> int:
    """Return the exit code that tells a script what happened."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def explain(error: Exception) -> tuple[str, int] | None:
    """Return message and exit code of an error that is no bug; None for a bug."""
    if isinstance(error, AppError):
        return str(error), exit_code(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; nothing half-written was kept: make room and try again", EXIT_FULL
    if isinstance(error, DBAPIError):
        original = error.orig
        reason = (str(original).strip().splitlines() or [type(original).__name__])[0]
        if _is_full(original, reason):
            message = f"the disk is full or cannot be written ({reason}); the last batch was not "
            return f"{message}stored: make room and try again", EXIT_FULL
        if isinstance(error, OperationalError) or error.connection_invalidated:
            return f"the database does not answer ({reason}); try again", 75
    if isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
        return f"{error.filename}: {error.strerror}", 2
    return None


def _is_full(original: BaseException | None, reason: str) -> bool:
    """Say whether a database refused to write because there is no room."""
    if getattr(original, "sqlstate", None) == _POSTGRES_DISK_FULL:
        return True
    # A limit on the size of files shows as an I/O error.
    is_sqlite = isinstance(original, sqlite3.OperationalError)
    return is_sqlite and ("full" in reason or "disk I/O error" in reason)
