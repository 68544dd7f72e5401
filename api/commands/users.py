"""`groundswell users`: who may sign in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.table import Table

from api.commands.common import out, runtime, say
from api.models import Role
from api.users import (
    audit,
    create_api_key,
    create_user,
    get_user,
    list_users,
    set_active,
    set_password,
    set_role,
)
from config.clock import utc_now
from config.db import read_session

app = typer.Typer(help="Users of the console and the API.", no_args_is_help=True)

#: Who the audit log names for what is done on the command line.
ACTOR = "command line"

Email = Annotated[str, typer.Argument(help="The user's e-mail address.")]


def _ask_password() -> str:
    """Ask at the terminal, or read the first line of standard input in a script."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


@app.command("add")
def add(
    email: Email,
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.COMMUNITY_MANAGER,
    name: Annotated[str, typer.Option(help="Name as others see it.")] = "",
) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    password = _ask_password()
    with runtime() as opened, opened.sessions.begin() as session:
        now = utc_now()
        user = create_user(session, email=email, name=name, role=role, password=password, now=now)
        audit(session, actor=ACTOR, action="user added", subject=f"user {user.id}", now=now)
    say.print(f"added, with the role {role}")


@app.command("list")
def show() -> None:
    """List the users."""
    with runtime() as opened, read_session(opened.sessions) as session:
        table = Table("E-mail", "Name", "Role", "Active", "Last sign-in")
        for user in list_users(session):
            seen = user.last_sign_in_at
            table.add_row(
                user.email,
                user.name,
                user.role,
                "yes" if user.is_active else "no",
                f"{seen:%Y-%m-%d %H:%M} UTC" if seen else "never",
            )
    out.print(table)


@app.command("password")
def password(email: Email) -> None:
    """Set a user's password and end all their sessions."""
    new = _ask_password()
    with runtime() as opened, opened.sessions.begin() as session:
        user = set_password(session, email=email, password=new)
        audit(session, actor=ACTOR, action="password set", subject=f"user {user.id}", now=utc_now())
    say.print("set")


@app.command("role")
def role(email: Email, new_role: Annotated[Role, typer.Argument(metavar="ROLE")]) -> None:
    """Give a user another role."""
    with runtime() as opened, opened.sessions.begin() as session:
        user = set_role(session, email=email, role=new_role)
        audit(
            session,
            actor=ACTOR,
            action=f"role set to {new_role}",
            subject=f"user {user.id}",
            now=utc_now(),
        )
    say.print(f"the role is now {new_role}")


@app.command("disable")
def disable(email: Email) -> None:
    """Switch a user off; sessions and keys end at once."""
    _switch(email, is_active=False)


@app.command("enable")
def enable(email: Email) -> None:
    """Switch a user on again."""
    _switch(email, is_active=True)


def _switch(email: str, *, is_active: bool) -> None:
    word = "enabled" if is_active else "disabled"
    with runtime() as opened, opened.sessions.begin() as session:
        user = set_active(session, email=email, is_active=is_active)
        audit(session, actor=ACTOR, action=f"user {word}", subject=f"user {user.id}", now=utc_now())
    say.print(word)


@app.command("key")
def key(
    email: Email, name: Annotated[str, typer.Option(help="What the key is for.")] = "command line"
) -> None:
    """Make an API key with the user's rights; it is shown once, on standard output."""
    with runtime() as opened, opened.sessions.begin() as session:
        user = get_user(session, email)
        made, secret = create_api_key(session, user=user, name=name, now=utc_now())
        audit(
            session,
            actor=ACTOR,
            action="API key made",
            subject=f"key {made.id}",
            now=utc_now(),
        )
    out.print(secret, markup=False)
