"""`report`: the after-action report of an incident as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.common import runtime, say
from api.reports.render import Format, render_report
from config.clock import utc_now
from config.db import read_session
from config.errors import InputError
from config.outputs import STANDARD_OUTPUT, whole_file
from crm_link.escalation.report import read_report


def add_commands(app: typer.Typer) -> None:
    """Put the command of this module on the command line."""
    app.command()(report)


def report(
    incident: Annotated[int, typer.Argument(help="The incident's number.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A .html, .md or .pdf file; - writes Markdown to the output."),
    ] = None,
    people: Annotated[
        bool, typer.Option("--people", help="Name the contacts who spoke; else they are counted.")
    ] = False,
) -> None:
    """Write the after-action report of an incident: facts, times, decisions, what was said."""
    path = out or Path(f"incident-{incident}-report.html")
    form = _format(path)
    with runtime() as opened:
        with read_session(opened.sessions) as session:
            found = read_report(session, incident, now=utc_now(), with_people=people)
            content = render_report(found, form, public_url=opened.settings.resolved_public_url())
        with whole_file(path) as file:
            file.write(content)
    if str(path) != STANDARD_OUTPUT:
        say.print(f"written: {path} ({len(content):,} bytes)", markup=False)


def _format(path: Path) -> Format:
    if str(path) == STANDARD_OUTPUT:
        return Format.MARKDOWN
    suffix = path.suffix.lower().removeprefix(".")
    known = {
        **{form.value: form for form in Format},
        "htm": Format.HTML,
        "markdown": Format.MARKDOWN,
    }
    if suffix not in known:
        raise InputError(f"{path.name}: name the file .html, .md or .pdf")
    return known[suffix]
