"""`backtest`: what the burst index would have alerted in a brand's own stored history."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from api.commands.backtest_chart import draw_index, draw_page
from api.commands.common import BrandOption, out, runtime, say
from config.clock import utc_now
from config.db import read_session
from config.durations import format_duration
from config.errors import InputError
from crm_link.mentions import get_brand, list_brands
from sentiment.backtest import Backtest, PastDay, backtest
from sentiment.bursts.config import BurstConfig

#: Days that the chart shows, and its width in characters.
CHART_DAYS = 60
CHART_WIDTH = 28


def add_commands(app: typer.Typer) -> None:
    """Put the command of this module on the command line."""
    app.command("backtest")(replay)


def replay(
    brand: BrandOption = None,
    alert_index: Annotated[
        float, typer.Option(help="Burst index from which on there is an alert.", min=0.5, max=100)
    ] = BurstConfig().alert_index,
    per_week: Annotated[
        float | None,
        typer.Option(help="Choose the index for at most so many alerts a week.", min=0),
    ] = None,
    days: Annotated[int, typer.Option(help="How far back to look.", min=1, max=3650)] = 28,
    html: Annotated[
        Path | None, typer.Option("--html", help="File for a page that draws all of this.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="File for all figures; - for standard output.")
    ] = None,
) -> None:
    """Replay the stored history: what would have been alerted, when, and with other settings.

    A threshold belongs into the protocol as index_gte of a severity, a number of alerts a week
    as `false_alarms`. Times are UTC.
    """
    with runtime() as opened, read_session(opened.sessions) as session:
        keys = [one.key for one in list_brands(session) if one.is_active]
        if brand is None and len(keys) != 1:
            known = ", ".join(keys) or "none yet"
            raise InputError(f"say which brand with --brand; known: {known}")
        key = brand or keys[0]
        found = backtest(
            session,
            get_brand(session, key).id,
            until=utc_now(),
            length=timedelta(days=days),
            alert_index=alert_index,
            per_week=per_week,
        )
    if json is not None:
        content = orjson.dumps({"brand": key, **asdict(found)}, option=orjson.OPT_INDENT_2) + b"\n"
        if str(json) == "-":
            typer.echo(content, nl=False)
            return
        json.write_bytes(content)
        say.print(f"all figures are in {json}", markup=False)
    if html is not None and found.hours:
        html.write_text(draw_page(key, found), encoding="utf-8")
        say.print(f"drawn in {html}", markup=False)
    _print(key, found)


def _print(key: str, found: Backtest) -> None:
    if not found.days:
        out.print(
            f"{key}: no history to replay; a detector has to see a whole day before it judges",
            markup=False,
        )
        return
    out.print(_chart(found))
    width = min(max(out.width - 8, 20), 100)
    out.print(draw_index(found, width=width), markup=False, highlight=False)
    alerts = Table(
        "Alert (UTC)", "About", "Index", "Negative", "Expected", "Within", title="Alerts"
    )
    for alert in found.alerts:
        alerts.add_row(
            f"{alert.at:%Y-%m-%d %H:%M}",
            alert.topic or "whole brand",
            f"{alert.index:.1f}",
            f"{alert.seen:,.0f}",
            f"{alert.expected:,.1f}",
            format_duration(timedelta(seconds=alert.window_s)),
        )
    if found.alerts:
        out.print(alerts)
    choices = Table("index_gte", "Incidents", "A week", title="Other thresholds")
    for choice in found.choices:
        mark = " <" if choice.alert_index == found.alert_index else ""
        choices.add_row(
            f"{choice.alert_index:g}{mark}", str(choice.alerts), f"{choice.per_week:.1f}"
        )
    out.print(choices)
    budgets = Table("At most a week", "Index", "Incidents", title="False-alarm budgets")
    for budget in found.budgets:
        budgets.add_row(
            f"{budget.per_week:g}",
            f"{budget.alert_index:g}",
            str(sum(one.is_new for one in budget.alerts)),
        )
    out.print(budgets)
    out.print("in the protocol: false_alarms: {at_most: 1, per: week}", markup=False)
    out.print(
        f"{key}: {len(found.alerts)} alerts at index {found.alert_index:g} "
        f"from {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M}",
        markup=False,
    )


def _chart(found: Backtest) -> Table:
    shown = found.days[-CHART_DAYS:]
    highest = max(found.alert_index, *(day.highest_index for day in shown))
    alerted = {alert.at.date() for alert in found.alerts}
    table = Table("Day", "Negative", "Highest index", title="Days", box=None)
    table.add_column(no_wrap=True)
    for day in shown:
        table.add_row(
            f"{day.day:%a %Y-%m-%d}",
            f"{day.negatives:,}",
            f"{day.highest_index:.1f}",
            _bar(day, highest, found.alert_index) + (" alert" if day.day in alerted else ""),
        )
    return table


def _bar(day: PastDay, highest: float, alert_index: float) -> str:
    """Return the day's index as a bar, with a line where the threshold is."""
    filled = round(CHART_WIDTH * max(day.highest_index, 0.0) / highest)
    line = min(round(CHART_WIDTH * alert_index / highest), CHART_WIDTH - 1)
    cells = ["█" if number < filled else " " for number in range(CHART_WIDTH)]
    cells[line] = "▓" if line < filled else "│"
    return "".join(cells)
