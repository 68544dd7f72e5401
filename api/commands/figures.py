"""`groundswell figures`: segments, leads, churn warnings and audience of a brand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.table import Table

from api.commands.common import BrandOption, out, parse_since, runtime, say
from config.clock import utc_now
from config.db import read_session
from config.errors import InputError
from crm_link.figures.overview import DEFINITIONS, Scored, SocialFigures, social_figures
from crm_link.mentions import get_brand, list_brands


def add_commands(app: typer.Typer) -> None:
    """Add the command."""
    app.command("figures")(figures)


def figures(
    brand: BrandOption = None,
    since: Annotated[str, typer.Option(help="Begin: 30d, 2026-03-01 or an ISO time.")] = "30d",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who a brand's people are: segments, leads, churn warnings, journey, audience.

    Every figure comes with its definition.
    """
    start, end = parse_since(since), utc_now()
    with runtime() as opened, read_session(opened.sessions) as session:
        keys = [one.key for one in list_brands(session) if one.is_active]
        if brand is None and len(keys) != 1:
            known = ", ".join(keys) or "none; write brands.yaml"
            raise InputError(f"say which brand with --brand; known: {known}")
        found = social_figures(session, get_brand(session, brand or keys[0]).id, start or end, end)
    if as_json:
        record = {"since": start, "until": end, **asdict(found), "definitions": dict(DEFINITIONS)}
        out.print(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode(), markup=False)
        return
    _show(found)


def _show(found: SocialFigures) -> None:
    table = Table("Segment", "Authors", "Mentions", "Engagement", title="Segments")
    for name, size in found.segments.items():
        numbers = (f"{one:,}" for one in (size.authors, size.mentions, size.engagement))
        table.add_row(name, *numbers)
    out.print(table)
    say.print(DEFINITIONS["segments"], style="dim")
    _people("Leads", found.leads, DEFINITIONS["leads"])
    _people("Churn warnings", found.churn, DEFINITIONS["churn"])
    for title, groups, word in (
        ("Journey", found.journey, "journey"),
        ("Complaints about", found.reasons, "reasons"),
        ("Languages", found.languages, "audience"),
        ("Places", found.places, "audience"),
    ):
        table = Table(title, "")
        for name, count in groups.items():
            table.add_row(name, f"{count:,}")
        out.print(table)
        say.print(DEFINITIONS[word], style="dim")
    if found.median_first_answer_s is not None:
        minutes = found.median_first_answer_s / 60
        out.print(f"First answer: median {minutes:,.0f} min of {found.first_answers:,} answered")


def _people(title: str, people: Sequence[Scored], meaning: str) -> None:
    table = Table("Author", "Platform", "Contact", "Value", "Score", "Why", title=title)
    for one in people:
        value = "" if one.value is None else f"{one.value:,.0f}"
        why = ", ".join(f"{name} {points:+}" for name, points in one.parts.items())
        contact = str(one.contact_id or "")
        table.add_row(str(one.author_id), one.platform, contact, value, str(one.score), why)
    out.print(table)
    say.print(meaning, style="dim")
