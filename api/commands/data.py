"""`import`, `export`, `score` and `detect`: data in and out of files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import typer

from api.commands.common import (
    BrandOption,
    OutOption,
    parse_since,
    progress,
    runtime,
    say,
    settings_with_logs,
)
from api.commands.engine import work_with_progress
from api.runtime import make_pipeline, open_scorer, sync_brands_file
from config.errors import InputError
from config.outputs import whole_file
from crm_link.contacts.exports import export_contacts, export_links
from crm_link.contacts.mirror import import_contacts
from crm_link.escalation.exports import export_incidents
from crm_link.mentions import get_brand
from listener.exports import export_mentions
from listener.imports import import_mentions
from sentiment.bursts.service import forget_bursts
from sentiment.detect_csv import detect_csv
from sentiment.signals.rules import signals_record
from sentiment.signals.service import signal_values
from sentiment.types import ScorableText

#: Texts that are scored together.
SCORE_BATCH = 512

import_app = typer.Typer(help="Bring in mentions or contacts from a file.", no_args_is_help=True)


class Exported(StrEnum):
    """What can be exported."""

    MENTIONS = "mentions"
    INCIDENTS = "incidents"
    LINKS = "links"
    CONTACTS = "contacts"


def add_commands(app: typer.Typer) -> None:
    """Put the commands of this module on the command line."""
    app.add_typer(import_app, name="import")
    for command in (export, score, detect):
        app.command()(command)


@import_app.command("mentions")
def mentions(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or X API v2 pages; also .gz.")],
    brand: BrandOption = None,
    match: Annotated[
        bool, typer.Option("--match", help="Keep only what the brand's query finds.")
    ] = False,
    platform: Annotated[
        str | None, typer.Option(help="Platform of posts that do not say theirs.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times that do not say theirs, e.g. Europe/Madrid.")
    ] = None,
    process: Annotated[
        bool, typer.Option(help="Score, link and triage at once; else `run` or `once` does it.")
    ] = True,
) -> None:
    """Bring in posts from a file; they then go the same way as collected ones."""
    with runtime() as opened:
        known = tuple(entry.id for entry in sync_brands_file(opened).brands)
        key = _brand_key(known, brand)
        with progress(f"import {file.name}") as advance:
            result = import_mentions(
                opened.sessions,
                file,
                brand_key=key,
                match=match,
                platform=platform,
                zone=_zone(timezone),
                keep_raw=opened.settings.keeps_raw,
                on_progress=lambda so_far: advance(so_far.read),
            )
        say.print(
            f"{result.read} posts read: {result.new} new, {result.changed} changed, "
            f"{result.repeated} known, {result.skipped} not matching, "
            f"{result.rejected} not understood"
        )
        for note in (*result.notes, *result.first_errors):
            say.print(f"note: {note}", markup=False)
        if process:
            work_with_progress(make_pipeline(opened))
        if result.new:
            # The burst detectors learn again, from the history as it is now.
            with opened.sessions.begin() as session:
                forget_bursts(session, [get_brand(session, key).id])


@import_app.command("contacts")
def contacts(
    file: Annotated[Path, typer.Argument(help="CSV with a header row.")],
    crm: Annotated[str, typer.Option(help="CRM that the contacts' ids belong to.")] = "csv_file",
    column: Annotated[
        list[str] | None,
        typer.Option("--map", help="FIELD=COLUMN, repeated: which column holds what."),
    ] = None,
) -> None:
    """Bring in contacts from a CSV; known columns are found by themselves."""
    with runtime() as opened, progress(f"import {file.name}") as advance:
        result = import_contacts(
            opened.sessions, file, crm=crm, mapping=_mapping(column or []), on_progress=advance
        )
    say.print(
        f"{result.seen} contacts read: {result.new} new, {result.changed} changed, "
        f"{len(result.rejected)} not understood"
    )
    for problem in result.rejected[:20]:
        say.print(f"not understood: {problem}", markup=False)


def export(
    what: Annotated[Exported, typer.Argument(help="What to export.")],
    out: OutOption,
    brand: BrandOption = None,
    since: Annotated[
        str | None, typer.Option(help="Published since, for example 7d or 2026-03-01 (UTC).")
    ] = None,
) -> None:
    """Write everything of one kind as JSON lines."""
    begin = parse_since(since)
    if what is not Exported.MENTIONS and (brand is not None or begin is not None):
        raise InputError("--brand and --since go with `export mentions` only")
    with runtime() as opened, progress(f"export {what}") as advance:
        if what is Exported.MENTIONS:
            written = export_mentions(
                opened.sessions,
                out,
                brand_key=brand,
                since=begin,
                more=signal_values,
                on_progress=advance,
            )
        else:
            work: dict[Exported, Callable[..., int]] = {
                Exported.INCIDENTS: export_incidents,
                Exported.LINKS: export_links,
                Exported.CONTACTS: export_contacts,
            }
            written = work[what](opened.sessions, out, on_progress=advance)
    say.print(f"{written} {what} written")


def score(
    source: Annotated[
        Path, typer.Option("--in", help='JSON lines: {"id","text","target"?,"lang"?}.')
    ],
    out: OutOption,
    scorer: Annotated[
        str | None, typer.Option(help="Scorer to use instead of GROUNDSWELL_SCORER.")
    ] = None,
) -> None:
    """Judge texts from a file: adds label, score, confidence, lang, scorer and signals to each."""
    settings = settings_with_logs()
    with (
        closing(open_scorer(settings, name=scorer)) as judge,
        _lines(source) as lines,
        whole_file(out) as file,
        progress("score", _count_lines(source)) as advance,
    ):
        done = 0
        while batch := list(islice(lines, SCORE_BATCH)):
            records = [_record(source, number, line) for number, line in batch]
            judged = judge.score_with_heads([_scorable(source, n, r) for n, r in records])
            for (_, record), (found, heads) in zip(records, judged, strict=True):
                added = {
                    "label": found.label,
                    "score": found.score,
                    "confidence": found.confidence,
                    "lang": found.lang,
                    "scorer": found.scorer,
                    "probabilities": None
                    if found.p_negative is None
                    else {
                        "negative": found.p_negative,
                        "neutral": found.p_neutral,
                        "positive": found.p_positive,
                    },
                }
                signals = signals_record(record["text"], found.lang, found.label, heads)
                file.write(orjson.dumps(record | added | signals) + b"\n")
            done += len(batch)
            advance(done)
        say.print(f"{done} texts judged by {judge.version}")


def detect(
    source: Annotated[Path, typer.Option("--in", help="CSV with the columns timestamp,value.")],
    out: OutOption,
) -> None:
    """Score a series of counts for bursts: writes timestamp,anomaly_score (1.0 = alert)."""
    rows = detect_csv(source, out)
    say.print(f"{rows} rows scored")


def _brand_key(known: tuple[str, ...], asked: str | None) -> str:
    if asked is None and len(known) == 1:
        return known[0]
    if asked is None:
        raise InputError(f"there are several brands: say --brand with one of {', '.join(known)}")
    if asked not in known:
        raise InputError(f"there is no brand '{asked}'; known: {', '.join(known)}")
    return asked


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"'{name}' is no time zone; write for example Europe/Madrid") from error


def _mapping(pairs: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise InputError(f"'{pair}' is no mapping: write --map name='Full name'")
        found[name.strip()] = column.strip()
    return found or None


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[tuple[int, bytes]]]:
    if str(path) == "-":
        yield ((number, line) for number, line in enumerate(sys.stdin.buffer, 1) if line.strip())
        return
    with path.open("rb") as file:
        yield ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _count_lines(path: Path) -> int | None:
    """Return how many texts a file has, None for what can be read only once."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _record(path: Path, number: int, line: bytes) -> tuple[int, dict[str, Any]]:
    try:
        record = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}, line {number}: this is no JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise InputError(
            f'{path}, line {number}: needs an object with "text", like {{"id": 1, "text": "..."}}'
        )
    return number, record


def _scorable(path: Path, number: int, record: dict[str, Any]) -> ScorableText:
    target = record.get("target") or ()
    names = (target,) if isinstance(target, str) else target
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InputError(f'{path}, line {number}: "target" is a text or a list of texts')
    lang = record.get("lang")
    return ScorableText(record["text"], tuple(names), lang if isinstance(lang, str) else None)
