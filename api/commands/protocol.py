"""`protocol`: what is wrong with a crisis protocol, what it says, and what changed in it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from api.commands.common import BrandOption, out, runtime, say, settings_with_logs
from api.commands.protocol_show import show_protocol
from config.clock import utc_now
from config.db import read_session
from config.errors import InputError
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.diff import Change, diff_protocols
from crm_link.escalation.protocol_parts.file import (
    Finding,
    default_protocol_text,
    inspect_protocol,
    load_protocol,
    parse_protocol,
)
from crm_link.escalation.protocol_parts.history import list_edits, read_version
from crm_link.mentions import get_brand
from listener.brands_file import read_brands

app = typer.Typer(help="The crisis protocol: lint, show, diff, history.", no_args_is_help=True)

FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Protocol files; without one, those that brands.yaml names.", metavar="F"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]

_STYLE = {"error": "red", "warning": "yellow"}
_MARK = {"added": "[green]+[/]", "removed": "[red]-[/]", "changed": "[yellow]~[/]"}

#: A value is cut to so many characters in a table.
SHOWN_CHARS = 90


@app.command()
def lint(
    files: FilesArgument = None,
    json: JsonOption = False,
    errors_only: Annotated[
        bool, typer.Option("--errors-only", help="Only what a running service refuses.")
    ] = False,
) -> None:
    """Say with line numbers what is wrong. Exit code 0: nothing, 1: something, 2: no such file.

    An error: the file is refused. A warning: it is obeyed, and lets people down.
    """
    found = {path: _inspect(path, errors_only=errors_only) for path in files or _named_files()}
    if json:
        rows = [{"file": str(path), **asdict(one)} for path, all_ in found.items() for one in all_]
        out.print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode(), markup=False)
    else:
        for path, findings in found.items():
            _show_findings(path, findings)
    if any(found.values()):
        raise typer.Exit(1)


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="Protocol file.")] = None,
    brand: BrandOption = None,
    severity: Annotated[str | None, typer.Option(help="Only this one, for example SEV-1.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the plan: who is told, when and how; what is done and said then.

    With --brand: as it is in force now; without both: the file that brands.yaml names.
    """
    protocol = _in_force(brand) if brand else load_protocol(file or _only_file())
    if severity and protocol.find_severity(severity) is None:
        known = ", ".join(one.level for one in protocol.severity)
        raise InputError(f"the protocol has no severity '{severity}'; it has {known}")
    if json:
        out.print(protocol.model_dump_json(by_alias=True, indent=2), markup=False)
    else:
        show_protocol(out, protocol, severity)


@app.command()
def diff(
    before: Annotated[
        str, typer.Argument(help="A file, a version's number (see history), or `default`.")
    ],
    after: Annotated[
        str | None, typer.Argument(help="The same; without it, the file of brands.yaml.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what changed between two protocols. Exit code 0: nothing, 1: something."""
    changes = diff_protocols(_get(before), _get(after) if after else load_protocol(_only_file()))
    if json:
        rows = [asdict(one) for one in changes]
        out.print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode(), markup=False)
    else:
        for change in changes:
            _show_change(change)
        say.print(f"{len(changes)} changes" if changes else "no change")
    if changes:
        raise typer.Exit(1)


@app.command()
def history(
    brand: BrandOption = None,
    json: JsonOption = False,
) -> None:
    """List every edit of the protocols that the running service saw, the newest first."""
    with runtime() as opened, read_session(opened.sessions) as session:
        edits = list_edits(session, get_brand(session, brand).id if brand else None)
    if json:
        rows = [asdict(one) for one in edits]
        out.print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode(), markup=False)
        return
    table = Table("seen (UTC)", "brand", "version", "digest", "file", "by", "state", box=None)
    for one in edits:
        state = "[red]broken[/]" if one.problem else "in force from then on"
        number, digest = str(one.version_id or "-"), (one.digest or "-")[:12]
        seen = f"{one.seen_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(seen, one.brand_key, number, digest, one.file, one.by, state)
    out.print(table)
    if not edits:
        say.print("none yet: `groundswell run` writes them down as it sees them")


def _inspect(path: Path, *, errors_only: bool) -> list[Finding]:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8; save the file as UTF-8") from error
    found = inspect_protocol(text, utc_now().date(), str(path))
    return [one for one in found if one.level == "error" or not errors_only]


def _named_files() -> list[Path]:
    path = settings_with_logs().brands_path()
    if not path.is_file():
        raise InputError(f"there is no {path}: name a protocol file, or run `groundswell init`")
    found = sorted({one.protocol for one in read_brands(path).brands if one.protocol})
    if not found:
        raise InputError(f"no brand in {path} names a protocol; name a file")
    return found


def _only_file() -> Path:
    found = _named_files()
    if len(found) > 1:
        raise InputError(f"say which: {', '.join(map(str, found))}")
    return found[0]


def _in_force(brand: str) -> EscalationProtocol:
    with runtime() as opened, read_session(opened.sessions) as session:
        return protocol_in_force(session, get_brand(session, brand).id)


def _get(name: str) -> EscalationProtocol:
    if name == "default":
        return parse_protocol(default_protocol_text(), "the default protocol")
    if not name.isdecimal():
        return load_protocol(Path(name))
    with runtime() as opened, read_session(opened.sessions) as session:
        return read_version(session, int(name))[1]


def _show_findings(path: Path, findings: list[Finding]) -> None:
    for one in findings:
        out.print(f"{path}:{one.line}:", end=" ", markup=False)
        out.print(f"[{_STYLE[one.level]}]{one.level}[/]", end=" ")
        out.print(f"{one.message}  ({one.rule})", markup=False)
    errors = sum(one.level == "error" for one in findings)
    if findings:
        say.print(f"{path}: {errors} errors, {len(findings) - errors} warnings", markup=False)
    else:
        say.print(f"{path}: all is well", style="green", markup=False)


def _show_change(change: Change) -> None:
    out.print(_MARK[change.kind], end=" ")
    out.print(change.place, style="bold", end="  ", markup=False)
    words = [_short(one) for one in (change.before, change.after) if one is not None]
    out.print(" -> ".join(words), markup=False)


def _short(value: Any) -> str:  # noqa: ANN401 - JSON
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"
