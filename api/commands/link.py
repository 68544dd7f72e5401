"""`link`: two files, and training the weights of linking."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.commands.common import out, progress, say, settings_with_logs
from config.errors import InputError
from crm_link.context import load_context
from crm_link.linking.link_files import link_files
from crm_link.linking.weights import load_weights
from crm_link.linking_training.train import Method, train_files
from crm_link.policy import read_table

#: Rows of a file that were not understood, shown at most.
SHOWN_REJECTED = 10

link_app = typer.Typer(
    help="Link the authors of one file to the contacts of another, with evidence.",
    invoke_without_command=True,
)


class Origin(StrEnum):
    """Where contacts come from, for the policy gate."""

    CRM = "crm"
    PUBLIC_DIRECTORY = "public-directory"
    CONSENT = "consent"


_SOURCES = {
    Origin.CRM: "prior_relationship",
    Origin.PUBLIC_DIRECTORY: "public_directory",
    Origin.CONSENT: "consent",
}


def add_commands(app: typer.Typer) -> None:
    """Put the commands of this module on the command line."""
    app.add_typer(link_app, name="link")


@link_app.callback()
def link(
    context: typer.Context,
    contacts: Annotated[Path | None, typer.Option(help="Contacts: CSV, TSV or JSON lines.")] = None,
    authors: Annotated[Path | None, typer.Option(help="Authors: CSV, TSV or JSON lines.")] = None,
    result: Annotated[
        Path | None,
        typer.Option("--out", help="File to write, CSV or JSON lines by its name; - is stdout."),
    ] = None,
    contacts_origin: Annotated[
        Origin | None,
        typer.Option(
            help="Where all the contacts come from. Without it each row's relationship_source "
            "counts, and a row that does not say is a customer (crm)."
        ),
    ] = None,
    platform: Annotated[
        str, typer.Option(help="Platform of the accounts, if the file has no such column.")
    ] = "",
    weights: Annotated[Path | None, typer.Option(help="Weights that `link train` wrote.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Rules of the platforms, YAML.")] = None,
) -> None:
    """Say which author is which contact: confirmed, suggested or none, and why.

    A customer is confirmed only by what the CRM holds (handle, e-mail, phone) or a link that
    the platform verified; a person of a public directory also by name and place or site.
    """
    if context.invoked_subcommand is not None:
        return
    if contacts is None or authors is None or result is None:
        msg = "give --contacts, --authors and --out; see groundswell link --help"
        raise InputError(msg)
    settings_with_logs()
    with progress(f"link {authors.name}") as advance:
        report = link_files(
            contacts,
            authors,
            result,
            context=load_context(),
            origin=_SOURCES[contacts_origin] if contacts_origin else None,
            platform=platform,
            weights=load_weights(weights),
            table=read_table(policy) if policy else None,
            on_progress=advance,
        )
    say.print(
        f"{report.authors} authors, {report.contacts} contacts: {report.confirmed} confirmed, "
        f"{report.suggested} suggested, {report.none} none; regions read as those of "
        f"{report.country or 'no one country'}"
    )
    if report.refused:
        say.print(f"refused, as the terms of their platforms forbid linking: {report.refused}")
    for line in report.rejected[:SHOWN_REJECTED]:
        say.print(line, markup=False)
    if len(report.rejected) > SHOWN_REJECTED:
        say.print(f"... and {len(report.rejected) - SHOWN_REJECTED} rows more were left out")


@link_app.command("train")
def train(
    contacts: Annotated[Path, typer.Option(help="Contacts, as for `link`.")],
    authors: Annotated[Path, typer.Option(help="Authors, as for `link`.")],
    result: Annotated[Path, typer.Option("--out", help="Weights to write, JSON.")],
    decisions: Annotated[
        Path | None,
        typer.Option(help="What people decided: author_id, contact_id (empty: none of them)."),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(help="splink learns from what nobody decided, too; counts from decisions."),
    ] = Method.SPLINK,
    platform: Annotated[
        str, typer.Option(help="Platform of the accounts, if the file has no such column.")
    ] = "",
) -> None:
    """Train the weights of linking, with Splink (extra `link-training`).

    Nothing changes until the weights are named with --weights or GROUNDSWELL_LINK_WEIGHTS.
    """
    settings_with_logs()
    trained = train_files(
        contacts,
        authors,
        decisions,
        result,
        context=load_context(),
        method=method,
        platform=platform,
    )
    out.print(trained.trained, markup=False)
    for kind, levels in (("name", trained.name), ("place", trained.place), ("site", trained.web)):
        for level, one in levels.items():
            out.print(f"{kind} {level}: {one.bits:+.1f} bits", markup=False)
    say.print(f"weights are in {result}", markup=False)
