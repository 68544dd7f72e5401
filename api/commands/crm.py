"""`groundswell crm`: our fields in the CRMs, what was written there, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.orm import Session, sessionmaker

from api.commands.common import out, parse_since, progress, runtime, say
from api.commands.users import ACTOR
from api.users import audit
from config.clock import utc_now
from config.db import read_session
from config.errors import AppError, InputError, TransientError
from config.settings import Settings
from crm_link.calls.budget_meter import use_meters
from crm_link.contacts.mirror import sync_contacts
from crm_link.crm import Crm, crms_in, make_crm
from crm_link.crm_status import BudgetStatus, CrmStatus, budget_status, crm_status
from crm_link.outbox.dead_letters import dead_letters, drop_letter, retry_letters
from crm_link.outbox.journal import newest_entries
from crm_link.outbox.journal_undo import UndoResult
from crm_link.outbox.journal_undo import undo as undo_writes

app = typer.Typer(help="The CRMs: contacts in, our fields, what was written.", no_args_is_help=True)

#: Records that are shown at most.
MOST_LETTERS = 200

CrmOption = Annotated[
    str | None,
    typer.Option("--crm", help="One of GROUNDSWELL_CRM, such as hubspot:emea; else all of them."),
]


@app.command("setup")
def setup(
    *,
    crm: CrmOption = None,
    cases: Annotated[
        bool, typer.Option("--cases", help="Also what cases and notes need there.")
    ] = False,
) -> None:
    """Create our fields in the CRMs; those that are there stay."""

    def set_up(name: str) -> None:
        with _opened(name, opened.sessions) as made:
            created = made.setup() + (made.setup_records() if cases else [])
        for field in created:
            out.print(field, markup=False)
        did = f"created {len(created)} fields" if created else "all fields are there"
        say.print(f"{name}: {did}", markup=False)

    with runtime() as opened:
        _in_each(_names(opened.settings, crm), set_up)


@app.command("sync")
def sync(crm: CrmOption = None) -> None:
    """Bring what changed in the CRMs into our mirror, now."""
    with runtime() as opened:

        def sync_one(name: str) -> None:
            with _opened(name, opened.sessions) as made, progress(f"contacts of {name}") as advance:
                found = sync_contacts(opened.sessions, made, name=name, on_progress=advance)
            say.print(
                f"{name}: seen {found.seen:,}: {found.new:,} new, {found.changed:,} changed, "
                f"{found.deleted:,} deleted, {len(found.rejected):,} not understood",
                markup=False,
            )
            for reason in found.rejected[:20]:
                say.print(f"  {reason}", markup=False)

        _in_each(_names(opened.settings, crm), sync_one)


@app.command("status")
def status() -> None:
    """Show how far each CRM is: contacts, the last sync, what waits and what is dead."""
    with runtime() as opened, read_session(opened.sessions) as session:
        names = crms_in(opened.settings.crm)
        rows = crm_status(session, names)
        budgets = budget_status(session, names, utc_now())
    table = Table("CRM", "Contacts", "Last sync (UTC)", "Waiting", "Dead", "Last error")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.contacts:,}",
            f"{row.synced_at:%Y-%m-%d %H:%M:%S}" if row.synced_at else "never",
            str(row.waiting),
            str(row.dead),
            _problem(row),
        )
    out.print(table)
    if budgets:
        _print_budgets(budgets)


def _problem(row: CrmStatus) -> str:
    if row.failing_since:
        return f"fails since {row.failing_since:%Y-%m-%d %H:%M} UTC: {row.failing}"
    return row.last_error or ""


def _print_budgets(budgets: Sequence[BudgetStatus]) -> None:
    table = Table("CRM", "Limit", "Calls", "Free now", "Left, says the CRM", "Paused until (UTC)")
    for row in budgets:
        window = f"in {row.window_s:,g} s" if row.window_s else "at one moment"
        paused = f"{row.paused_until:%Y-%m-%d %H:%M:%S}: {row.reason}" if row.paused_until else ""
        size = f"{row.size:,} {window}"
        table.add_row(row.crm, row.limit, size, f"{row.free:,}", row.said, paused)
    out.print(table)


@app.command("dead")
def dead(
    crm: CrmOption = None,
    *,
    retry: Annotated[bool, typer.Option("--retry", help="Try all of them again.")] = False,
    drop: Annotated[
        list[int] | None, typer.Option(min=1, help="Give this one up, by its number; repeatable.")
    ] = None,
) -> None:
    """Show records that were given up, with the reason in words; retry or drop them."""
    with runtime() as opened:
        names = _names(opened.settings, crm)
        with opened.sessions.begin() as session:
            for letter_id in drop or ():
                drop_letter(session, letter_id)
                _record(session, "write-back dropped", f"write-back {letter_id}")
            if retry:
                count = retry_letters(session, names, now=utc_now())
                _record(session, "write-backs retried", f"{count} of {', '.join(names)}")
                say.print(f"{count} are tried again")
        with read_session(opened.sessions) as session:
            found = dead_letters(session, names, limit=MOST_LETTERS)
    table = Table("Number", "CRM", "Record", "Since (UTC)", "Why, and what helps", "It said")
    for one in found.letters:
        since = f"{one.since:%Y-%m-%d %H:%M}"
        table.add_row(str(one.id), one.crm, one.external_id, since, one.reason, one.said)
    if found.letters:
        out.print(table)
    else:
        say.print("no record was given up")
    if found.after:
        say.print(f"and more: these are the first {MOST_LETTERS}")


def _record(session: Session, action: str, subject: str) -> None:
    audit(session, actor=ACTOR, action=action, subject=subject, now=utc_now())


@app.command("journal")
def journal(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many writes.")] = 20,
    crm: CrmOption = None,
) -> None:
    """Show what was written into the CRMs, newest first, with what stood there before."""
    with runtime() as opened, read_session(opened.sessions) as session:
        rows = newest_entries(session, _names(opened.settings, crm), limit)
    table = Table("Written", "CRM", "Record", "Field", "Before", "After", "State")
    for row in rows:
        state = "undone" if row.undone_at else "written" if row.done_at else "not confirmed"
        for name in row.before:
            before, after = (str(one.get(name) or "") for one in (row.before, row.after))
            when = row.at.isoformat(timespec="seconds")
            table.add_row(when, row.crm, row.external_id, name, before, after, state)
    out.print(table)


@app.command("undo")
def undo(
    since: Annotated[
        str, typer.Option(help="Writes from here on: 7d, 2026-03-01 or an ISO time (UTC).")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    crm: CrmOption = None,
) -> None:
    """Put back what stood in the CRMs' records before our writes.

    Fields that a person has changed since are left alone.
    """
    when = parse_since(since)
    if when is None:
        raise InputError("--since needs a time, for example 7d")
    with runtime() as opened:
        names = _names(opened.settings, crm)
        if not yes:
            asked = f"Take back what was written into {', '.join(names)} since"
            typer.confirm(f"{asked} {when:%Y-%m-%d %H:%M} UTC?", abort=True)
        found = UndoResult()
        for name in names:
            with _opened(name, opened.sessions) as made, progress(f"records of {name}") as advance:
                found += undo_writes(
                    opened.sessions, made, name=name, since=when, on_progress=advance
                )
            with opened.sessions.begin() as session:
                subject = f"{name} since {when.isoformat()}"
                audit(
                    session, actor=ACTOR, action="crm writes undone", subject=subject, now=utc_now()
                )
    say.print(f"restored {found.restored} records; {found.kept} have fields that a person changed")
    if found.failed:
        raise TransientError(f"{found.failed} records could not be restored: run it again")


def _in_each(names: Sequence[str], work: Callable[[str], None]) -> None:
    """Do something in each CRM; one that fails is told, and its error raised when all are done."""
    failed: AppError | None = None
    for name in names:
        try:
            work(name)
        except AppError as error:
            if len(names) > 1:
                say.print(f"{name}: {error}", markup=False)
            failed = failed or error
    if failed is not None:
        raise failed


@contextmanager
def _opened(name: str, sessions: sessionmaker[Session]) -> Iterator[Crm]:
    made = make_crm(name)
    use_meters({name: made}, sessions)
    try:
        yield made
    finally:
        made.close()


def _names(settings: Settings, crm: str | None) -> tuple[str, ...]:
    """Return the CRM that is asked for, or all that are set.

    Raises:
        InputError: It is none of them, or none is set.

    """
    names = crms_in(settings.crm)
    if not names:
        raise InputError("no CRM is set: see GROUNDSWELL_CRM")
    if crm is None:
        return names
    if crm not in names:
        raise InputError(f"--crm {crm}: GROUNDSWELL_CRM has {', '.join(names)}")
    return (crm,)
