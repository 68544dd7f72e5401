"""What routes ask for: settings, a session, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from api.brand_limits import BrandIds, brands_of, limit_session, limited_sessions
from api.errors import SignInRequiredError
from api.language import read_as
from api.live import LiveHub
from api.models import ApiKey, Role, User
from api.sso import SingleSignOn
from api.users import KEY_PREFIX, USE_RESOLUTION, audit, find_api_key
from config.clock import Clock
from config.db import read_session
from config.errors import PermissionDeniedError
from config.settings import Settings

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ROLE_ORDER = tuple(Role)


@dataclass(frozen=True, slots=True)
class State:
    """What one process serves from; `app.state.groundswell` holds it."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock
    live: LiveHub
    is_demo: bool = False
    sso: SingleSignOn | None = None


def get_state(request: Request) -> State:
    """Return what this process serves from."""
    state: State = request.app.state.groundswell
    return state


StateDep = Annotated[State, Depends(get_state)]


def get_session(request: Request, state: StateDep) -> Iterator[Session]:
    """Give a session for this request: reading for GET, else one transaction.

    It has the scope of the function, so that it commits before the answer leaves. What it reads
    is narrowed to the brands of whoever asks, once that is known.
    """
    if request.method in READ_METHODS:
        with read_session(state.sessions) as session:
            limit_session(session, lambda: brands_of_request(request))
            yield session
    else:
        with state.sessions.begin() as session:
            limit_session(session, lambda: brands_of_request(request))
            yield session


def brands_of_request(request: Request) -> BrandIds:
    """Return the brands that whoever asks may see; None for all, and where nobody must sign in."""
    found: BrandIds = getattr(request.state, "brands", None)
    return found


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


def get_user(request: Request, state: StateDep) -> User:
    """Return who is asking, by API key or by the console's session.

    Raises:
        SignInRequiredError: Nobody, or somebody who may not come in any more.
        PermissionDeniedError: A browser was sent here by another site.
    """
    secret = _bearer(request)
    if secret:
        holder = _user_of_key(state, secret)
        with read_session(state.sessions) as session:
            request.state.brands = brands_of(session, holder)
        return holder
    found = request.session.get("user_id") if "session" in request.scope else None
    if found is None:
        raise SignInRequiredError("sign in, or send an API key as `Authorization: Bearer gsk_...`")
    with read_session(state.sessions) as session:
        user = session.get(User, found)
        request.state.brands = brands_of(session, user) if user is not None else frozenset()
        session.expunge_all()
    if user is None or not user.is_active or user.session_epoch != request.session.get("epoch"):
        request.session.clear()
        raise SignInRequiredError("this session has ended; sign in again")
    if request.method not in READ_METHODS:
        require_same_origin(request)
    request.state.user = user
    read_as(language=user.language, zone=user.zone)
    return user


UserDep = Annotated[User, Depends(get_user)]


def get_sessions(request: Request, state: StateDep, _user: UserDep) -> sessionmaker[Session]:
    """Give a factory of sessions that read the brands of whoever asks, for what takes longer."""
    brands = brands_of_request(request)
    return state.sessions if brands is None else limited_sessions(state.sessions, brands)


SessionsDep = Annotated[sessionmaker[Session], Depends(get_sessions)]


def require_role(role: Role) -> Callable[[User], User]:
    """Return a dependency that lets users with at least this role through."""

    def check(user: UserDep) -> User:
        if not may(user, role):
            raise PermissionDeniedError(
                "this needs the role %(role)s; yours is %(role2)s", role=role, role2=user.role
            )
        return user

    return check


def may(user: User, role: str) -> bool:
    """Say whether a user has at least this role."""
    return ROLE_ORDER.index(user.role) >= ROLE_ORDER.index(Role(role))


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who changes something, in the transaction of their request."""

    session: Session
    user: User
    clock: Clock
    brands: BrandIds = None

    @property
    def name(self) -> str:
        """Who it was, as timelines and the audit log say it."""
        return self.user.email

    def record(self, action: str, subject: str) -> None:
        """Write into the audit log what was done to what."""
        audit(self.session, actor=self.name, action=action, subject=subject, now=self.clock())


def actor_with(role: Role) -> Callable[..., Actor]:
    """Return a dependency that gives who acts, if they have at least this role."""
    allowed = Depends(require_role(role))

    # The role is checked before the transaction begins, because keywords are solved in order.
    def give(
        request: Request, *, user: User = allowed, session: SessionDep, state: StateDep
    ) -> Actor:
        return Actor(session, user, state.clock, brands_of_request(request))

    return give


#: Who may change something, by the least role that it needs.
AnybodyDep = Annotated[Actor, Depends(actor_with(Role.VIEWER))]
CommunityManagerDep = Annotated[Actor, Depends(actor_with(Role.COMMUNITY_MANAGER))]
PrLeadDep = Annotated[Actor, Depends(actor_with(Role.PR_LEAD))]
AdminDep = Annotated[Actor, Depends(actor_with(Role.ADMIN))]

#: Reads that are for those who work the queue.
CommunityManagerUserDep = Annotated[User, Depends(require_role(Role.COMMUNITY_MANAGER))]

#: Reads that admins alone may do.
AdminUserDep = Annotated[User, Depends(require_role(Role.ADMIN))]


def require_same_origin(request: Request) -> None:
    """Refuse a change that another site's page makes a signed-in browser send.

    Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`; a request that
    carries a cookie and says neither is not from a browser of this decade.

    Raises:
        PermissionDeniedError: It comes from elsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site in {"same-origin", "none"} and origin is None:
        return
    if origin is not None and urlsplit(origin).netloc == request.headers.get("host"):
        return
    raise PermissionDeniedError("this request does not come from a page of this console")


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value else None


def _user_of_key(state: State, secret: str) -> User:
    with read_session(state.sessions) as session:
        key = find_api_key(session, secret) if secret.startswith(KEY_PREFIX) else None
        session.expunge_all()
    if key is None:
        raise SignInRequiredError("this API key is not valid; an admin can make a new one")
    now = state.clock()
    if key.last_used_at is None or now - key.last_used_at > USE_RESOLUTION:
        with state.sessions.begin() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))
    return key.user
