"""Where a collection of X starts, and where a walk that was cut short goes on. Pure."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from config.phrases import phrase
from listener.overlap import DENSE
from listener.types import GapKind, GapReport
from listener.x_api.models import Id, time_of
from listener.x_api.payload import XPage


class OpenWalk(BaseModel):
    """A walk that has pages left.

    Args:
        bound: The id above which it reads, the same for all its pages.
        started_at: When it began.
        token: Where it goes on; None before its first page.
        candidate: The newest id of its first page: what `since` becomes after the last.
        seen: Items read so far.
        oldest_at: When the oldest of them was published.
        known: How many of them are not newer than what was known.
        is_sweep: Whether it reads the whole overlap again.

    """

    model_config = ConfigDict(frozen=True)

    bound: Id
    started_at: AwareDatetime
    token: str | None = None
    candidate: Id = "0"
    seen: int = 0
    oldest_at: AwareDatetime | None = None
    known: int = 0
    is_sweep: bool = True


class SearchState(BaseModel):
    """How far one search text has been read.

    Args:
        since: The highest id up to which everything was read.
        checked_at: When the last walk began that came so far.
        swept_at: When the overlap was last read again, where it is dense.
        walk: A walk that is not finished.

    """

    model_config = ConfigDict(frozen=True)

    since: Id | None = None
    checked_at: AwareDatetime | None = None
    swept_at: AwareDatetime | None = None
    walk: OpenWalk | None = None

    def after_page(self, walk: OpenWalk) -> SearchState:
        """Return the state once a page of `walk` is stored.

        `since` moves only after the last page: it is the newest id of the *first* page,
        and what lies between the two would be lost if the walk ended in between.
        """
        if walk.token is not None:
            return self.model_copy(update={"walk": walk})
        newest = max(int(self.since or 0), int(walk.candidate), int(walk.bound))
        swept_at = self.swept_at
        if walk.is_sweep:
            swept_at = walk.started_at if walk.known > DENSE else None
        return SearchState(since=str(newest), checked_at=walk.started_at, swept_at=swept_at)


class XCursor(BaseModel):
    """The states of all search texts of a query, by the texts' hashes."""

    model_config = ConfigDict(frozen=True)

    searches: dict[str, SearchState] = Field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> XCursor:
        """Return the cursor that `text` says; a fresh one where it cannot be read.

        Starting afresh reads again what is known already, and loses nothing.
        """
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def with_state(self, key: str, state: SearchState) -> XCursor:
        """Return this cursor with another state of one search."""
        return XCursor(searches=self.searches | {key: state})

    def dump(self) -> str:
        """Return the cursor as JSON."""
        return self.model_dump_json(exclude_none=True)


def advanced(walk: OpenWalk, page: XPage, since: int) -> OpenWalk:
    """Return the walk after a page; only the first page's newest id is remembered."""
    times = [post.published_at for post in page.posts]
    oldest = min([*times, *filter(None, [walk.oldest_at])], default=None)
    return OpenWalk(
        bound=walk.bound,
        started_at=walk.started_at,
        token=None if page.next_token == walk.token else page.next_token,
        candidate=str(page.newest_id or 0) if walk.token is None else walk.candidate,
        seen=walk.seen + len(page.posts) + len(page.rejected),
        oldest_at=oldest,
        known=walk.known + sum(int(post.external_id) <= since for post in page.posts),
        is_sweep=walk.is_sweep,
    )


def stuck(walk: OpenWalk, page: XPage) -> tuple[GapReport, ...]:
    """Report a walk that X does not let go on: it gives the token that it was given."""
    if page.next_token is None or page.next_token != walk.token:
        return ()
    detail = phrase("X gave the same page token again, so older posts could not be read")
    return (GapReport(GapKind.TRUNCATED, time_of(int(walk.bound)), walk.oldest_at, detail),)


def hidden(state: SearchState, bound: int, horizon: datetime) -> tuple[GapReport, ...]:
    """Report what lies before the horizon and was not read in time."""
    since = state.checked_at or time_of(bound)
    if since is not None and since >= horizon:
        return ()
    detail = phrase("X's recent search looks back 7 days only")
    return (GapReport(GapKind.HORIZON, since, horizon, detail),)
