"""`evaluate sentiment` and `sentiment recalibrate`: how good the scorer is, and mending it."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select

from api.commands.common import BrandOption, out, progress, runtime, say, settings_with_logs
from api.runtime import open_scorer
from config.clock import utc_now
from config.errors import NotFoundError
from listener.models import Brand
from sentiment.evaluate import (
    POLARITIES,
    Evaluation,
    Figures,
    evaluate,
    read_labelled,
    shuffle_targets,
)
from sentiment.recalibration import Recalibrated, recalibrate
from sentiment.types import Label

#: Languages and targets that the tables show; the JSON has them all.
SHOWN_GROUPS = 20

#: Characters of a group's name that the tables show.
LONGEST_NAME = 14

evaluate_app = typer.Typer(help="Measure on labelled data.", no_args_is_help=True)
sentiment_app = typer.Typer(help="Look after the sentiment scorer.", no_args_is_help=True)


def add_commands(app: typer.Typer) -> None:
    """Put the commands of this module on the command line."""
    app.add_typer(evaluate_app, name="evaluate")
    app.add_typer(sentiment_app, name="sentiment")


@evaluate_app.callback()
def _evaluate() -> None:
    """Measure on labelled data."""


@sentiment_app.callback()
def _sentiment() -> None:
    """Look after the sentiment scorer."""


@sentiment_app.command("recalibrate")
def recalibrate_brands(brand: BrandOption = None) -> None:
    """Learn from people's corrections; used only where held-out corrections say it helps.

    Mentions judged before are then judged again in the background, newest first.
    """
    with runtime() as opened, opened.sessions.begin() as session:
        known = session.scalar(select(Brand.id).where(Brand.key == brand)) is not None
        if brand is not None and not known:
            raise NotFoundError(f"there is no brand '{brand}'; see brands.yaml")
        found = recalibrate(session, brand, clock=utc_now)
    if not found:
        out.print("no corrections yet: correct or confirm mentions in the console first")
        return
    out.print(_recalibrated(found))


@evaluate_app.command("sentiment")
def evaluate_sentiment(
    file: Annotated[
        Path, typer.Argument(help='JSON lines: {"text","label","target"?,"lang"?}; also .gz.')
    ],
    scorer: Annotated[
        str | None, typer.Option(help="Scorer to use instead of GROUNDSWELL_SCORER.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", help="File for all figures; - for standard output, without tables."),
    ] = None,
    shuffle: Annotated[
        bool,
        typer.Option(
            "--shuffle-targets",
            help="Give every text another row's target: the control that must lose.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the shuffle.")] = 0,
) -> None:
    """Compare a scorer with labelled texts: recall, F1, calibration, by language and target."""
    rows = read_labelled(file)
    if shuffle:
        rows = shuffle_targets(rows, seed=seed)
    with (
        closing(open_scorer(settings_with_logs(), name=scorer)) as judge,
        progress(f"evaluate {file.name}", len(rows)) as advance,
    ):
        found = evaluate(judge, rows, on_progress=advance)
    figures = orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2) + b"\n"
    if json is not None and str(json) == "-":
        sys.stdout.buffer.write(figures)
        return
    if json is not None:
        json.write_bytes(figures)
        say.print(f"all figures are in {json}", markup=False)
    _print(found)


def _recalibrated(found: list[Recalibrated]) -> Table:
    table = Table("Brand", "Scorer", "Corrections", "Log loss", "ECE", "Calibration", "Why")
    for one in found:
        trial = one.trial
        table.add_row(
            one.brand,
            one.scorer,
            str(trial.corrections),
            f"{trial.log_loss_before:.3f} -> {trial.log_loss_after:.3f}",
            f"{_percent(trial.ece_before)} -> {_percent(trial.ece_after)}",
            trial.calibration.kind,
            trial.reason,
        )
    return table


def _print(found: Evaluation) -> None:
    overall = found.overall
    out.print(f"{found.scorer}: {overall.rows} texts, {overall.judged} judged", markup=False)
    out.print(
        "percent; Recall and F1: mean of the labels; Neg, Neu, Pos: their recalls; Risk: mean "
        "share of wrong labels among the surest"
    )
    out.print(_summary({"all": overall}, "Set", cpu_ms=found.cpu_ms_per_text))
    out.print(_confusion(overall))
    risk = _table("Surest share", *(f"{share:.0%}" for share, _ in overall.risk_coverage))
    risk.add_row("wrong", *(_percent(wrong) for _, wrong in overall.risk_coverage))
    out.print(risk)
    for name, groups in (("Language", found.by_lang), ("Target", found.by_target)):
        if len(groups) > 1:
            out.print(_summary(dict(list(groups.items())[:SHOWN_GROUPS]), name))
            if len(groups) > SHOWN_GROUPS:
                out.print(f"{len(groups) - SHOWN_GROUPS} more with --json")


def _summary(groups: dict[str, Figures], name: str, *, cpu_ms: float | None = None) -> Table:
    """Return the figures in percent, narrow enough for a terminal of 80 columns."""
    table = _table(name, "Texts", "Judged", "Right", "Recall", "F1", "Neg", "Neu", "Pos", "ECE")
    for title in ["Risk"] + (["CPU ms"] if cpu_ms is not None else []):
        table.add_column(title, justify="right", no_wrap=True)
    for key, one in groups.items():
        table.add_row(
            escape(key[:LONGEST_NAME]),
            str(one.rows),
            _percent(one.judged / one.rows),
            _percent(one.accuracy),
            _percent(one.macro_recall),
            _percent(one.macro_f1),
            *(_percent(one.recall.get(label.value)) for label in POLARITIES),
            _percent(one.ece),
            _percent(one.risk_area),
            *([f"{cpu_ms:.2f}"] if cpu_ms is not None else []),
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _confusion(one: Figures) -> Table:
    table = _table("True label", *(f"said {label}" for label in (*POLARITIES, Label.UNKNOWN)))
    for label, answers in one.confusion.items():
        table.add_row(label, *(str(count) for count in answers.values()))
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f}"
