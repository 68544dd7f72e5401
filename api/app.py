"""The web application: API, console, security headers."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import BaseRoute

from api.assets import Assets
from api.console import router as console
from api.deps import State, StateDep
from api.errors import install_error_handlers
from api.form_answers import FormAnswers
from api.language import ReaderMiddleware, load_catalogues
from api.live import LiveHub
from api.pages import FOLDER
from api.routes import router as api
from api.security import SecurityHeaders
from api.sso import find_sso
from config.clock import Clock, utc_now
from config.db import read_session
from config.errors import InputError
from config.settings import MIN_SECRET, Settings

#: Seconds that a sign-in lasts.
SESSION_S = 12 * 3600

DESCRIPTION = """Brand mentions, what they mean, who wrote them and who must know.

Send an API key as `Authorization: Bearer gsk_...` (make one on the account page). Lists are
pages: give `next_cursor` of one as `cursor` for the next. Times are UTC. Every error has the
shape `{"error": {"kind", "message", "request_id"}}`."""

TAGS = [
    {"name": "mentions", "description": "Posts about brands."},
    {"name": "queue", "description": "Mentions that a person should look at."},
    {"name": "posting replies", "description": "Answers that go out after an approval."},
    {"name": "incidents", "description": "What people must act on."},
    {"name": "playbook", "description": "An incident's desk: assessment, tasks, claims, words."},
    {"name": "escalation", "description": "Who is on call, silences, tests of the alerts."},
    {"name": "replies", "description": "Acknowledging and more from a phone, Slack or by SMS."},
    {"name": "drills and reports", "description": "Rehearsals, readiness, what was learned."},
    {"name": "links", "description": "Which author is which contact."},
    {"name": "contacts", "description": "People in the CRM."},
    {"name": "privacy", "description": "Consent, opt-outs, erasures, what is held of somebody."},
    {"name": "sources", "description": "What is listened to, and what may be missing."},
    {"name": "trends", "description": "Brands, their volume and sentiment over time."},
    {"name": "figures", "description": "What a social CRM measures of a brand's people."},
    {"name": "account", "description": "Who asks, and their API keys."},
    {"name": "users", "description": "Who may come in (admins)."},
]


def create_app(
    settings: Settings,
    sessions: sessionmaker[Session],
    *,
    clock: Clock = utc_now,
    is_demo: bool = False,
) -> FastAPI:
    """Return the application.

    Raises:
        InputError: There is no secret key to sign sessions with, or single sign-on is set up
            wrong.
    """
    secret = settings.secret_key.get_secret_value()
    if len(secret) < MIN_SECRET:
        msg = (
            f"GROUNDSWELL_SECRET_KEY needs at least {MIN_SECRET} characters; `groundswell init` "
            "writes one into .env, or use `openssl rand -hex 32`"
        )
        raise InputError(msg)
    app = FastAPI(
        title="Groundswell",
        version=version("groundswell"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    sso = None if is_demo else find_sso()
    app.state.groundswell = State(settings, sessions, clock, LiveHub(sessions), is_demo, sso)
    install_error_handlers(app)
    load_catalogues()
    is_https = settings.resolved_public_url().startswith("https://")
    app.add_middleware(ReaderMiddleware)
    app.add_middleware(
        SessionMiddleware,
        secret_key=hashlib.sha256(b"session" + secret.encode()).hexdigest(),
        session_cookie="groundswell",
        max_age=SESSION_S,
        same_site="lax",
        https_only=is_https,
    )
    app.add_middleware(FormAnswers)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(SecurityHeaders, is_https=is_https)
    app.mount("/static", Assets(directory=FOLDER / "static"), name="static")

    @app.get("/healthz", include_in_schema=False)
    def healthz(state: StateDep) -> Response:
        """Say whether this process and its database answer."""
        with read_session(state.sessions) as session:
            session.execute(text("SELECT 1"))
        return JSONResponse({"status": "ok"})

    app.router.routes.extend(_routes())
    return app


@cache  # making a third of a thousand routes takes a third of a second
def _routes() -> tuple[BaseRoute, ...]:
    """Return the routes of API and console, which all applications of a process share."""
    router = APIRouter()
    router.include_router(api, prefix="/api/v1")
    router.include_router(console, include_in_schema=False)
    return tuple(router.routes)
