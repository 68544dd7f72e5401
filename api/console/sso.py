"""Signing in through the company's provider.

These wait for the provider, so they are the console's coroutines; the database is asked in a
thread.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.console.sign_in import let_in
from api.deps import State, StateDep
from api.models import User
from api.security import safe_next
from api.sso import Identity, SingleSignOn
from api.sso_users import sign_in_identity
from config.errors import NotFoundError

router = APIRouter(prefix="/sign-in/sso")

CALLBACK = "/sign-in/sso/callback"


@router.get("")
async def begin(request: Request, state: StateDep, next: str = "") -> Response:  # noqa: A002 - the address says it
    """Send somebody to the provider."""
    provider = _provider(state)
    request.session["next"] = safe_next(next) if next else ""
    callback = state.settings.resolved_public_url() + CALLBACK
    return await provider.redirect(request, callback)


@router.get("/callback")
async def end(request: Request, state: StateDep) -> Response:
    """Let in whom the provider sent back."""
    identity = await _provider(state).identify(request)
    user = await run_in_threadpool(_sign_in, state, identity)
    return let_in(request, user, request.session.get("next", ""))


def _sign_in(state: State, identity: Identity) -> User:
    with state.sessions.begin() as session:
        return sign_in_identity(session, identity, now=state.clock())


def _provider(state: State) -> SingleSignOn:
    if state.sso is None:
        raise NotFoundError("there is no single sign-on here; see GROUNDSWELL_SSO_ISSUER")
    return state.sso
