"""Making the first pages before anybody asks for them.

Templates are compiled when they are first used, statements and connections are made then too: on
a slow machine the first page after a start took a second. The server does that before it says
that it is ready.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from http import HTTPStatus

import httpx
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from api.deps import State
from api.models import Role, User
from api.pages import templates
from config.db import read_session
from config.logs import get_logger
from crm_link.escalation.models import Incident

log = get_logger(__name__)

#: What is asked for once: the pages that people begin with, and those with the most parts.
PAGES = (
    "/queue?brand=",
    "/mentions",
    "/incidents",
    "/board",
    "/board/topics",
    "/board/signals",
    "/board/reach",
    "/people",
    "/links",
    "/reports",
    "/api/v1/queue",
)


def warm_up(app: FastAPI) -> int:
    """Compile every template and answer each page once; return how many were answered well.

    Nothing is written. The pages are made inside the application as its first admin would see
    them, by its routes and without its middleware: no cookie is made that could be used. Where
    there is no admin yet, the templates alone are compiled. A page that fails here is logged, and
    fails again for whoever asks for it.
    """
    for name in templates.env.list_templates():
        templates.env.get_template(name)
    state: State = app.state.groundswell
    try:
        with read_session(state.sessions) as session:
            reader = session.scalar(
                select(User).where(User.role == Role.ADMIN, User.is_active).order_by(User.id)
            )
            incident = session.scalar(select(Incident.id).order_by(Incident.id.desc()).limit(1))
    except SQLAlchemyError as error:
        log.warning("pages not warmed up", kind=type(error).__name__)
        return 0
    if reader is None:
        return 0
    paths = PAGES if incident is None else (*PAGES, f"/incidents/{incident}")
    session_of_reader = {"user_id": reader.id, "epoch": reader.session_epoch}
    # In a thread of its own: whoever calls may have a loop that runs.
    with start_blocking_portal() as portal:
        return portal.call(_ask, app, session_of_reader, paths)


def keep_what_is_there() -> None:
    """Leave what exists now to itself: the garbage collector need not look at it again.

    A full collection goes through all modules, templates and statements, a request's pause of
    270 to 330 ms. For a process that goes on to serve: what is not reachable any more among
    what exists now is never freed.
    """
    gc.collect()
    gc.freeze()


async def _ask(app: FastAPI, session: dict[str, int], paths: Sequence[str]) -> int:
    async def as_reader(scope: Scope, receive: Receive, send: Send) -> None:
        await app.router({**scope, "app": app, "session": dict(session)}, receive, send)

    # What FastAPI keeps for the length of a request hangs on this one of its middlewares.
    inside = AsyncExitStackMiddleware(as_reader)
    transport = httpx.ASGITransport(inside, raise_app_exceptions=False)
    answered = 0
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in paths:
            status = (await client.get(path)).status_code
            if status == HTTPStatus.OK:
                answered += 1
            else:
                log.warning("page not warmed up", path=path, status=status)
    return answered
