"""The command line: `groundswell --help`."""

from __future__ import annotations

import gc
import sys
from importlib.metadata import version
from typing import Annotated

import typer

# What is imported stays: to look for garbage among it again and again takes a sixth of the start.
gc.disable()

from api.commands import (
    backtest,
    crm,
    data,
    demo,
    drill,
    engine,
    figures,
    link,
    privacy,
    protocol,
    report,
    sentiment,
    setup,
    users,
)
from api.commands.common import explain, out, say

gc.enable()

app = typer.Typer(
    name="groundswell",
    help="Self-hosted social CRM listening and sentiment: from a mention to an alert and a "
    "CRM record. Settings come from GROUNDSWELL_... variables or .env in GROUNDSWELL_HOME.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
setup.add_commands(app)
engine.add_commands(app)
data.add_commands(app)
demo.add_commands(app)
drill.add_commands(app)
report.add_commands(app)
sentiment.add_commands(app)
backtest.add_commands(app)
figures.add_commands(app)
link.add_commands(app)
app.add_typer(crm.app, name="crm")
app.add_typer(privacy.app, name="privacy")
app.add_typer(protocol.app, name="protocol")
app.add_typer(users.app, name="users")


def _version(value: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if value:
        out.print(version("groundswell"))
        raise typer.Exit


@app.callback()
def _options(
    _show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take options that stand before the command."""


def main() -> None:
    """Run a command; an error becomes a message and an exit code, a bug stays a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        message, code = explained
        say.print("[bold red]error:[/]", end=" ")
        say.print(message, markup=False)
        sys.exit(code)


if __name__ == "__main__":
    main()
