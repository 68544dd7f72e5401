"""`init`, `check` and `migrate`: setting up, and finding what is wrong."""

from __future__ import annotations

import secrets
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from api.checks import CheckResult, run_checks
from api.commands.common import out, say, settings_with_logs
from config.db import make_engine
from config.errors import InputError
from config.migrate import current_revision, head_revision, upgrade

#: Name in `config/defaults` -> name in the user's folder.
FILES = {"brands.yaml": "brands.yaml", "protocol.yaml": "protocol.yaml", "env.example": ".env"}


def add_commands(app: typer.Typer) -> None:
    """Put the commands of this module on the command line."""
    for command in (init, check, migrate):
        app.command()(command)


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")] = Path(),
) -> None:
    """Write a commented brands.yaml, protocol.yaml and .env; nothing is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        path = folder / name
        text = files("config").joinpath("defaults", source).read_text("utf-8")
        text = text.replace("SECRET_KEY=\n", f"SECRET_KEY={secrets.token_hex(32)}\n")
        try:
            # A secret is in it: nobody else may read it, from the first byte on.
            path.touch(0o600 if name == ".env" else 0o644, exist_ok=False)
        except FileExistsError:
            say.print(f"kept: {path} is there already", markup=False)
            continue
        path.write_text(text, "utf-8")
        say.print(f"written: {path}", markup=False)
    (folder / "inbox").mkdir(exist_ok=True)  # the source that brands.yaml begins with watches it
    say.print(
        "next: edit brands.yaml and .env, then `groundswell check`, "
        "`groundswell users add YOU@EXAMPLE.ORG --role admin`, `groundswell run`",
        markup=False,
    )


def check(
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the platforms and the CRM.")
    ] = False,
) -> None:
    """Validate settings, files, database, credentials and channels; say how to mend them."""
    failed = 0
    for result in run_checks(settings_with_logs(), offline=offline):
        _show(result)
        failed += not result.is_ok
    if failed:
        say.print(f"{failed} to mend", style="red")
        raise typer.Exit(1)
    say.print("all is well", style="green")


def _show(result: CheckResult) -> None:
    out.print("[green]ok   [/]" if result.is_ok else "[red]wrong[/]", end=" ")
    out.print(f"{result.what}: {result.message}", markup=False)


def migrate() -> None:
    """Bring the database to the tables that this version needs; safe to run again."""
    settings = settings_with_logs()
    engine = make_engine(settings.resolved_database_url())
    try:
        before = current_revision(engine)
        if before is not None and before > head_revision():
            msg = (
                f"the database is at revision {before}, newer than this version's "
                f"{head_revision()}: install the newer Groundswell"
            )
            raise InputError(msg)
        upgrade(engine)
        say.print(f"from {before or 'empty'} to {current_revision(engine)}")
    finally:
        engine.dispose()
