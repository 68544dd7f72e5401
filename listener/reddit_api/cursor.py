"""Where a collection of a Reddit listing starts, and where a cut walk goes on. Pure.

Reddit has no "since", and a place in a listing is named by a thing that may be deleted. So
time decides how far back a walk reads, and the names serve to go on and to prove that a
walk came back to what was known.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from config.phrases import phrase
from listener.overlap import DENSE
from listener.reddit_api.payload import Listing
from listener.types import GapKind, GapReport, Post

#: Names kept of the newest things, and of the last things of a page.
ANCHORS = 25
PAGE_ANCHORS = 5
#: Things that a listing holds. Source: https://www.reddit.com/dev/api#listings ("about
#: 1,000"); deleted ones count, so that fewer may come.
HORIZON = 950


class OpenWalk(BaseModel):
    """A walk that has pages left.

    Args:
        started_at: When it began.
        bound_at: Things before this are known, or not wanted.
        after: Names of the last things of the last page, the last one first.
        names: Names of the newest things of its first page.
        newest_at: When the newest of them was published.
        oldest_at: When the oldest thing read was published.
        seen: Things read.
        met: Whether a thing of the last walk was seen.
        restarted: Whether it began again, because all names in `after` were gone.
        known: How many things read are not newer than what was known.
        is_sweep: Whether it reads the whole overlap again.

    """

    model_config = ConfigDict(frozen=True)

    started_at: AwareDatetime
    bound_at: AwareDatetime
    after: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    newest_at: AwareDatetime | None = None
    oldest_at: AwareDatetime | None = None
    seen: int = 0
    met: bool = False
    restarted: bool = False
    known: int = 0
    is_sweep: bool = True

    def advanced(self, page: Listing, state: ListingState) -> OpenWalk:
        """Return the walk after a page."""
        since = state.newest_at
        names = [item.name for item in page.items]
        times = [item.created_at for item in page.items]
        tail = names[-PAGE_ANCHORS:][::-1]
        if page.after:
            tail = [page.after, *(name for name in tail if name != page.after)]
        is_first = not self.after
        return self.model_copy(
            update={
                "after": tuple(tail),
                "names": tuple(names[:ANCHORS]) if is_first else self.names,
                "newest_at": max(times, default=None) if is_first else self.newest_at,
                "oldest_at": min([*times, *filter(None, [self.oldest_at])], default=None),
                "seen": self.seen + page.size,
                "met": self.met or not set(state.names).isdisjoint(names),
                "known": self.known + sum(since is not None and at <= since for at in times),
            }
        )


class ListingState(BaseModel):
    """How far one listing has been read.

    Args:
        start_at: Older things were not wanted when this source began.
        newest_at: When the newest thing was published up to which everything was read.
        names: Names of the newest things then.
        checked_at: When the last walk began that came so far.
        swept_at: When the overlap was last read again, where it is dense.
        walk: A walk that is not finished.

    """

    model_config = ConfigDict(frozen=True)

    start_at: AwareDatetime
    newest_at: AwareDatetime | None = None
    names: tuple[str, ...] = ()
    checked_at: AwareDatetime | None = None
    swept_at: AwareDatetime | None = None
    walk: OpenWalk | None = None

    def wants(self, post: Post, until: datetime | None) -> bool:
        """Say whether a post lies within what this source is to read."""
        return post.published_at >= self.start_at and (until is None or post.published_at <= until)

    def finished(self, walk: OpenWalk) -> ListingState:
        """Return the state once the last page of `walk` is stored."""
        newest = max(filter(None, [self.newest_at, walk.newest_at]), default=None)
        names = tuple(dict.fromkeys([*walk.names, *self.names]))[:ANCHORS]
        swept_at = self.swept_at
        if walk.is_sweep:
            swept_at = walk.started_at if walk.known > DENSE else None
        return ListingState(
            start_at=self.start_at,
            newest_at=newest,
            names=names,
            checked_at=walk.started_at,
            swept_at=swept_at,
        )

    def gaps(self, walk: OpenWalk, *, is_lost: bool) -> tuple[GapReport, ...]:
        """Report what a walk that ended before its bound could not reach.

        A walk that met a thing of the last one has come far enough whatever its time.
        """
        since = self.checked_at or walk.bound_at
        reached = walk.oldest_at is None or walk.oldest_at <= walk.bound_at or walk.met
        if is_lost:
            detail = phrase("every thing that marked the place in Reddit's listing is gone")
            return (GapReport(GapKind.ANCHOR_LOST, since, walk.oldest_at, detail),)
        if reached or walk.seen < HORIZON:
            return ()
        detail = phrase("Reddit shows the newest 1,000 things of a listing only")
        return (GapReport(GapKind.HORIZON, since, walk.oldest_at, detail),)


class RedditCursor(BaseModel):
    """The states of all listings of a source, by the listings' hashes."""

    model_config = ConfigDict(frozen=True)

    listings: dict[str, ListingState] = Field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> RedditCursor:
        """Return the cursor that `text` says; a fresh one where it cannot be read."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def with_state(self, key: str, state: ListingState) -> RedditCursor:
        """Return this cursor with another state of one listing."""
        return RedditCursor(listings=self.listings | {key: state})

    def dump(self) -> str:
        """Return the cursor as JSON."""
        return self.model_dump_json(exclude_none=True)


def is_first_page_again(page: Listing, walk: OpenWalk) -> bool:
    """Say whether Reddit gave the top of the listing instead of what follows an anchor."""
    return bool(walk.after) and any(item.name in walk.names for item in page.items)
