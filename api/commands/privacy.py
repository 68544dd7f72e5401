"""`groundswell privacy`: erasing a person, and telling a person what is held."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table
from sqlalchemy.orm import Session, sessionmaker

from api.commands.common import OutOption, out, runtime, say
from api.commands.users import ACTOR
from api.users import audit
from config.clock import utc_now
from config.db import read_session
from config.errors import ConflictError, InputError, TransientError
from config.outputs import whole_file
from crm_link.context import load_context
from crm_link.privacy.access import export_person
from crm_link.privacy.erasure import run_erasure
from crm_link.privacy.models import ErasureRequest, ErasureState
from crm_link.privacy.requests import list_erasures, preview_erasure, request_erasure
from crm_link.privacy.subject import find_subject

app = typer.Typer(help="Erasing a person, and what is held about one.", no_args_is_help=True)

AuthorOption = Annotated[
    str, typer.Option("--author", help="PLATFORM:ID, with the account's id or handle.")
]
ContactOption = Annotated[str, typer.Option("--contact", help="CRM:ID, with the record's id.")]
PersonOption = Annotated[
    bool,
    typer.Option("--person", help="Every account and record that is confirmed to be theirs."),
]


@app.command("erase")
def erase(
    author: AuthorOption = "",
    contact: ContactOption = "",
    person: PersonOption = False,
    reason: Annotated[
        str, typer.Option(help="Where the request is on file, for example a ticket's number.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it, only show what.")] = False,
) -> None:
    """Erase a person everywhere, and in our fields in the CRM; shows what, until --yes.

    What was erased cannot be brought back. A run that was broken off, or that waits for a CRM,
    goes on with `privacy resume`, and by itself while `run` or `worker` works.
    """
    with runtime() as opened:
        if not yes:
            with read_session(opened.sessions) as session:
                subject, counts = preview_erasure(
                    session, author=author, contact=contact, whole_person=person
                )
            table = Table("Table", "Rows about them")
            for name, rows in sorted(counts.items()):
                table.add_row(name, f"{rows:,}")
            out.print(table)
            say.print(
                f"{subject.label}: nothing was changed. Other rows that name them are found while "
                "erasing. Erase with --yes and --reason."
            )
            return
        if not reason.strip():
            raise InputError("--yes needs --reason: where the request is on file")
        with opened.sessions.begin() as session:
            request = request_erasure(
                session,
                author=author,
                contact=contact,
                whole_person=person,
                reason=reason,
                by=ACTOR,
                context=load_context(),
            )
            audit(
                session,
                actor=ACTOR,
                action="erasure requested",
                subject=f"erasure {request.id}",
                now=utc_now(),
            )
        _run(opened.sessions, request.id)


@app.command("resume")
def resume(request_id: Annotated[int, typer.Argument(help="The erasure's number.")]) -> None:
    """Take an erasure on that was broken off, or that waits for a CRM; show its receipts."""
    with runtime() as opened:
        _run(opened.sessions, request_id)


@app.command("list")
def show() -> None:
    """List the erasures, newest first."""
    with runtime() as opened, read_session(opened.sessions) as session:
        table = Table("No.", "Whom", "Requested", "State", "Waits for")
        for one in list_erasures(session):
            when = one.requested_at.isoformat(timespec="minutes")
            table.add_row(str(one.id), one.subject, when, one.state.value, one.last_error or "")
    out.print(table)


@app.command("export")
def export(
    target: OutOption = Path("-"),
    author: AuthorOption = "",
    contact: ContactOption = "",
    person: PersonOption = False,
) -> None:
    """Write all that is held about a person, with its sources and the logic of the match."""
    with runtime() as opened:
        with read_session(opened.sessions) as session:
            subject = find_subject(session, author=author, contact=contact, whole_person=person)
            held = export_person(session, subject, now=utc_now())
        with whole_file(target) as file:
            file.write(orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        with opened.sessions.begin() as session:
            audit(
                session,
                actor=ACTOR,
                action="person exported",
                subject=subject.label,
                now=utc_now(),
            )


def _run(sessions: sessionmaker[Session], request_id: int) -> None:
    with say.status("erasing") as shown:
        request = run_erasure(
            sessions, request_id, on_stage=lambda stage: shown.update(f"erasing: {stage.value}")
        )
    print_receipts(request)
    if request.state is ErasureState.CRMS:
        raise TransientError(
            f"{request.last_error}; all else is erased: `privacy resume {request.id}` goes on"
        )
    if request.state is not ErasureState.DONE:
        raise ConflictError(f"{request.last_error}; `privacy resume {request.id}` goes on")


def print_receipts(request: ErasureRequest) -> None:
    """Print what was erased where."""
    table = Table("System", "What", "State", "Rows", "Note")
    for one in request.receipts:
        rows = f"{one['rows']:,}" if one["rows"] else ""
        table.add_row(one["system"], one["item"], one["state"], rows, one["detail"])
    out.print(table)
    say.print(f"erasure {request.id} ({request.subject}): {request.state.value}")
