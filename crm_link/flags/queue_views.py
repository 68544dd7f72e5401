"""Saved views of the queue: filters under a name, one's own and those that others share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from config.bulk import upsert
from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from crm_link.flags.models import QueueView

#: Characters of a view's name.
MAX_NAME = 60

#: Views of one user.
MAX_VIEWS = 50


def list_views(session: Session, who: str) -> Sequence[QueueView]:
    """Return a user's own views and the shared ones, by name; their own first."""
    found = session.scalars(
        select(QueueView).where(or_(QueueView.owner == who, QueueView.is_shared))
    ).all()
    return sorted(found, key=lambda view: (view.owner != who, view.name.lower(), view.id))


def default_view(session: Session, who: str) -> QueueView | None:
    """Return the view that a user's queue begins with; None: all of it."""
    return session.scalar(
        select(QueueView).where(QueueView.owner == who, QueueView.is_default).limit(1)
    )


def save_view(
    session: Session,
    who: str,
    name: str,
    filters: Mapping[str, str],
    *,
    clock: Clock,
    is_shared: bool = False,
    is_default: bool = False,
) -> QueueView:
    """Keep filters under a name; the same name again changes the view.

    Raises:
        InputError: The name is empty or too long.
        ConflictError: There are too many.

    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise InputError("a view needs a name of 1 to %(max_name)s characters", max_name=MAX_NAME)
    count = session.scalar(
        select(func.count()).where(QueueView.owner == who, QueueView.name != name)
    )
    if (count or 0) >= MAX_VIEWS:
        raise ConflictError(
            "there are %(max_views)s views already; remove one first", max_views=MAX_VIEWS
        )
    if is_default:
        session.execute(update(QueueView).where(QueueView.owner == who).values(is_default=False))
    row = {
        "owner": who,
        "name": name,
        "filters": {key: value for key, value in filters.items() if value},
        "is_shared": is_shared,
        "is_default": is_default,
        "created_at": clock(),
    }
    changed = ("filters", "is_shared", "is_default")
    upsert(session, QueueView, [row], key=("owner", "name"), update_columns=changed)
    return session.scalars(
        select(QueueView)
        .where(QueueView.owner == who, QueueView.name == name)
        .execution_options(populate_existing=True)
    ).one()


def remove_view(session: Session, who: str, view_id: int) -> QueueView:
    """Remove one of a user's own views.

    Raises:
        NotFoundError: There is none.
        PermissionDeniedError: It is somebody else's.

    """
    view = session.get(QueueView, view_id)
    if view is None or (view.owner != who and not view.is_shared):
        raise NotFoundError("there is no view %(view_id)s", view_id=view_id)
    if view.owner != who:
        raise PermissionDeniedError(
            "view %(view_id)s is shared by %(owner)s, who alone can remove it",
            view_id=view_id,
            owner=view.owner,
        )
    session.delete(view)
    session.flush()
    return view
