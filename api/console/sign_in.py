"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import users
from api.deps import SessionDep, State, StateDep, require_same_origin
from api.language import gettext
from api.models import User
from api.pages import render
from api.security import HOME, safe_next
from config.errors import NotFoundError, PermissionDeniedError

router = APIRouter()

SameOrigin = Depends(require_same_origin)


@router.get("/")
def home() -> Response:
    """Lead to where work begins."""
    return RedirectResponse(HOME, status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request, state: StateDep, next: str = "") -> Response:  # noqa: A002 - the address says it
    """Show the sign-in page."""
    return _page(request, state, next)


@router.post("/sign-in", dependencies=[SameOrigin])
def sign_in(
    request: Request,
    state: StateDep,
    email: Annotated[str, Form(max_length=320)],
    password: Annotated[str, Form(max_length=2000)],
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the form says it
) -> Response:
    """Sign in with address and password."""
    if state.sso is not None and not state.sso.settings.passwords:
        raise PermissionDeniedError(
            "passwords are switched off here; sign in with %(name)s", name=state.sso.settings.name
        )
    now = state.clock()
    user = users.sign_in(state.sessions, email=email, password=password, now=now)
    if user is None:
        # One message for every reason, so that nobody learns which addresses are known.
        problem = gettext(
            "E-mail address or password is wrong, or the account is locked for "
            "%(minutes)s minutes after %(number)s wrong passwords.",
            minutes=users.LOCK.seconds // 60,
            number=users.MAX_FAILURES,
        )
        return _page(request, state, next, email=email, problem=problem, status_code=401)
    return let_in(request, user, next)


@router.post("/sign-in/demo", dependencies=[SameOrigin])
def sign_in_demo(
    request: Request,
    state: StateDep,
    session: SessionDep,
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the form says it
) -> Response:
    """Sign in as the demo's user; there is none outside the demo."""
    user = users.find_demo_user(session) if state.is_demo else None
    if user is None:
        raise NotFoundError("this is not a demo; sign in with your e-mail address and password")
    return let_in(request, user, next)


@router.post("/sign-out", dependencies=[SameOrigin])
def sign_out(request: Request) -> Response:
    """End this session."""
    request.session.clear()
    return RedirectResponse("/sign-in", status_code=303)


def let_in(request: Request, user: User, target: str) -> Response:
    """Begin a user's session and lead on to `target`."""
    # Nothing that was in the session before belongs to whoever signs in.
    request.session.clear()
    request.session.update(user_id=user.id, epoch=user.session_epoch)
    return RedirectResponse(safe_next(target), status_code=303)


def _page(
    request: Request,
    state: State,
    target: str,
    *,
    email: str = "",
    problem: str = "",
    status_code: int = 200,
) -> Response:
    context = {
        "next": safe_next(target) if target else "",
        "email": email,
        "problem": problem,
        "is_demo": state.is_demo,
        "sso": state.sso.settings if state.sso else None,
    }
    return render(request, "sign_in.html", context, status_code=status_code)
