"""The figures of people that a request asks for, or that they are still to be counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from api.deps import State
from config.errors import TransientError
from crm_link.figures.reading import Figures, find_figures, waits_since
from crm_link.figures.windows import Window, ask_window

#: Seconds after which it is worth to ask again.
RETRY_AFTER_S = 15


def figures_or_wait(
    state: State, session: Session, brand_id: int, window: Window
) -> Figures | datetime:
    """Return a window's figures, or since when somebody waits for them.

    A large window that is not counted yet is asked for here, in a transaction of its own: the
    request itself only reads.
    """
    now = state.clock()
    found = find_figures(session, brand_id, window, now)
    if found is None or found.is_to_ask:
        with state.sessions.begin() as asking:
            ask_window(asking, brand_id, window, now)
    if found is not None:
        return found
    return waits_since(session, brand_id, window) or now


def figures_now(state: State, session: Session, brand_id: int, window: Window) -> Figures:
    """Return a window's figures.

    Raises:
        TransientError: They are still to be counted.

    """
    found = figures_or_wait(state, session, brand_id, window)
    if isinstance(found, Figures):
        return found
    raise TransientError(
        "a window of so many mentions is counted in the background; ask again in "
        "%(seconds)s seconds",
        retry_after_s=RETRY_AFTER_S,
        seconds=RETRY_AFTER_S,
    )
