"""Users who see some brands only: every query of their requests is narrowed to these.

The narrowing is in the session, not in each query: whatever a request reads through a table
that has a `brand_id` leaves other brands' rows out, so that a list, a sum, a count or an object
that is asked for by its id cannot forget it. Contacts, authors and links belong to no brand and
are seen by all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import event, or_, select
from sqlalchemy.orm import (
    ORMExecuteState,
    Session,
    sessionmaker,
    with_loader_criteria,
)
from sqlalchemy.orm.interfaces import ORMOption

from api.models import Role, TeamBrand, TeamMember, User
from config.db import Base
from config.errors import PermissionDeniedError
from listener.models import Brand

#: Ids of the brands that somebody sees; None: all of them.
BrandIds = frozenset[int] | None

_KEY = "brands_of_reader"


def brands_of(session: Session, user: User) -> BrandIds:
    """Return the brands that a user sees, with the copies for their drills and competitors."""
    if user.role is Role.ADMIN:
        return None
    teams = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
    if session.scalar(teams.limit(1)) is None:
        return None
    own = select(TeamBrand.brand_id).where(TeamBrand.team_id.in_(teams))
    query = select(Brand.id).where(
        or_(Brand.id.in_(own), Brand.drill_of_id.in_(own), Brand.competitor_of_id.in_(own))
    )
    return frozenset(session.scalars(query))


def limit_session(session: Session, brands: Callable[[], BrandIds]) -> None:
    """Narrow what a session reads to what `brands` says at the time of each query."""
    session.info[_KEY] = brands


def limited_sessions(sessions: sessionmaker[Session], brands: BrandIds) -> sessionmaker[Session]:
    """Return a factory whose sessions read these brands only."""
    return sessionmaker(**{**sessions.kw, "info": {_KEY: lambda: brands}})


def require_every_brand(brands: BrandIds, what: str) -> None:
    """Refuse what is about every brand to somebody who sees some only.

    Raises:
        PermissionDeniedError: They see some brands only.
    """
    if brands is not None:
        raise PermissionDeniedError(
            "%(what)s is for those who see every brand; name one of yours", what=what
        )


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    give = state.session.info.get(_KEY)
    if give is None or state.is_column_load or state.is_relationship_load:
        return
    brands: BrandIds = give()
    if brands is None or not (state.is_select or state.is_update or state.is_delete):
        return
    state.statement = state.statement.options(*_criteria(brands))


@lru_cache(maxsize=256)
def _criteria(brands: frozenset[int]) -> tuple[ORMOption, ...]:
    """Return the narrowing to these brands, made once: it took a third of a page's time."""
    ids = sorted(brands)
    return (
        with_loader_criteria(Brand, lambda cls: cls.id.in_(ids), include_aliases=True),
        *(
            # A function of the class: a plain condition is not adapted to an alias in a join.
            with_loader_criteria(
                model,
                (lambda cls: or_(cls.brand_id.in_(ids), cls.brand_id.is_(None)))
                if is_for_all
                else (lambda cls: cls.brand_id.in_(ids)),
                include_aliases=True,
            )
            for model, is_for_all in _models()
        ),
    )


def _models() -> list[tuple[type[Base], bool]]:
    """Return what belongs to a brand, and whether a row without one is for all."""
    return [
        (mapper.class_, mapper.column_attrs["brand_id"].columns[0].nullable is True)
        for mapper in Base.registry.mappers
        if "brand_id" in mapper.column_attrs
    ]
