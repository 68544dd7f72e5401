"""`groundswell crm`: our fields in the CRM, what was written there, and taking it back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from api.commands.common import out, parse_since, progress, runtime, say
from api.commands.users import ACTOR
from api.users import audit
from config.clock import utc_now
from config.db import read_session
from config.errors import InputError, TransientError
from crm_link.contacts import sync_contacts
from crm_link.crm import make_crm
from crm_link.journal import newest_entries
from crm_link.journal_undo import undo as undo_writes

app = typer.Typer(help="The CRM: contacts in, our fields, what was written.", no_args_is_help=True)


@app.command("setup")
def setup() -> None:
    """Create our fields in the CRM; those that are there stay."""
    with runtime() as opened:
        created = make_crm(opened.settings.crm).setup()
    for name in created:
        out.print(name, markup=False)
    say.print(f"created {len(created)} fields" if created else "all fields are there")


@app.command("sync")
def sync() -> None:
    """Bring what changed in the CRM into our mirror, now."""
    with runtime() as opened, progress("contacts") as advance:
        name = opened.settings.crm
        found = sync_contacts(opened.sessions, make_crm(name), name=name, on_progress=advance)
    say.print(
        f"seen {found.seen:,}: {found.new:,} new, {found.changed:,} changed, "
        f"{found.deleted:,} deleted, {len(found.rejected):,} not understood"
    )
    for reason in found.rejected[:20]:
        say.print(f"  {reason}", markup=False)


@app.command("journal")
def journal(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many writes.")] = 20,
) -> None:
    """Show what was written into the CRM, newest first, with what stood there before."""
    with runtime() as opened, read_session(opened.sessions) as session:
        rows = newest_entries(session, opened.settings.crm, limit)
    table = Table("Written", "Record", "Field", "Before", "After", "State")
    for row in rows:
        state = "undone" if row.undone_at else "written" if row.done_at else "not confirmed"
        for name in row.before:
            before, after = (str(one.get(name) or "") for one in (row.before, row.after))
            when = row.at.isoformat(timespec="seconds")
            table.add_row(when, row.external_id, name, before, after, state)
    out.print(table)


@app.command("undo")
def undo(
    since: Annotated[
        str, typer.Option(help="Writes from here on: 7d, 2026-03-01 or an ISO time (UTC).")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put back what stood in the CRM's records before our writes.

    Fields that a person has changed since are left alone.
    """
    when = parse_since(since)
    if when is None:
        raise InputError("--since needs a time, for example 7d")
    if not yes:
        typer.confirm(f"Take back what was written since {when:%Y-%m-%d %H:%M} UTC?", abort=True)
    with runtime() as opened:
        name = opened.settings.crm
        with progress("records") as advance:
            found = undo_writes(
                opened.sessions, make_crm(name), name=name, since=when, on_progress=advance
            )
        with opened.sessions.begin() as session:
            subject = f"{name} since {when.isoformat()}"
            audit(session, actor=ACTOR, action="crm writes undone", subject=subject, now=utc_now())
    say.print(f"restored {found.restored} records; {found.kept} have fields that a person changed")
    if found.failed:
        raise TransientError(f"{found.failed} records could not be restored: run it again")
