"""`report`: of an incident, of a brand's week, or of response times, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.common import BrandOption, parse_since, runtime, say
from api.language import LANGUAGES, SOURCE, reading_as
from api.reports.periodic import PeriodicForm, PeriodicKind, read_periodic, render_periodic
from api.reports.render import Format, render_report
from config.clock import utc_now
from config.db import read_session
from config.errors import InputError
from config.outputs import STANDARD_OUTPUT, whole_file
from crm_link.escalation.report import read_report
from crm_link.mentions import get_brand, list_brands
from crm_link.reporting.response_times import week_of


def add_commands(app: typer.Typer) -> None:
    """Put the command of this module on the command line."""
    app.command()(report)


def report(
    what: Annotated[
        str, typer.Argument(help="An incident's number, or `weekly` or `responses` of a brand.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="A .html, .md, .pdf or .csv file; - writes to the output (.md, .csv)."
        ),
    ] = None,
    people: Annotated[
        bool, typer.Option("--people", help="Name the contacts who spoke; else they are counted.")
    ] = False,
    brand: BrandOption = None,
    until: Annotated[
        str | None,
        typer.Option(help="End of a brand's report: a date or an ISO time; else the last Monday."),
    ] = None,
    language: Annotated[str, typer.Option(help="What it is written in: en or es.")] = SOURCE,
) -> None:
    """Write a report: of an incident (facts, times, decisions), or of a brand's week.

    `weekly` is a brand's last week: volume, net sentiment, topics, incidents, response times.
    `responses` are eight weeks of response times by priority, person and week.
    """
    if language not in LANGUAGES:
        raise InputError(f"'{language}' is no language of reports; known: {', '.join(LANGUAGES)}")
    with reading_as(language):
        if what in set(PeriodicKind):
            _periodic(PeriodicKind(what), out, brand, until)
        else:
            _incident(what, out, people=people)


def _incident(what: str, out: Path | None, *, people: bool) -> None:
    if not what.isdigit():
        raise InputError(f"'{what}' is no incident's number, nor weekly or responses")
    incident = int(what)
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


def _periodic(kind: PeriodicKind, out: Path | None, brand: str | None, until: str | None) -> None:
    path = out or Path(f"{kind}.html")
    to_output = str(path) == STANDARD_OUTPUT
    suffix = "csv" if to_output else path.suffix.lower().removeprefix(".")
    if suffix not in set(PeriodicForm):
        raise InputError(f"{path.name}: name the file .html, .pdf or .csv")
    with runtime() as opened:
        with read_session(opened.sessions) as session:
            keys = [one.key for one in list_brands(session) if one.is_active]
            if brand is None and len(keys) != 1:
                known = ", ".join(keys) or "none; write brands.yaml"
                raise InputError(f"say which brand with --brand; known: {known}")
            now = utc_now()
            found = read_periodic(
                session,
                kind,
                get_brand(session, brand or keys[0]),
                parse_since(until) or week_of(now),
                now=now,
            )
            content = render_periodic(
                found, PeriodicForm(suffix), public_url=opened.settings.resolved_public_url()
            )
        with whole_file(path) as file:
            file.write(content)
    if not to_output:
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
