"""Whether accounts post the same thing inside short windows: coordinated, or organic. Pure.

After CooRTweet (N. Righetti and P. Balluff, https://github.com/nicolarighetti/CooRTweet):
accounts that share the same object within a short time are connected, and a connection's
weight is the number of different objects. What many share, some share in the same minute by
chance; so a pair counts when it did so with two objects or more, and a group when many
accounts post one text as their own within a minute. Reposts by the platform's button count
toward pairs only: everybody's repost of one famous post is no plot.

Limits: what is found are patterns, not intentions: a newsroom's accounts, or fans who copy a
template, look the same. A person has to look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: Two posts belong together within this time. CooRTweet's examples use 10 to 60 s.
WINDOW = timedelta(seconds=60)

#: Different objects that two accounts must have shared together.
LEAST_OBJECTS = 2

#: Accounts that must post one text as their own within the window to be a group.
LEAST_GROUP = 5

#: Neighbours in time that a post is compared with: a text copied ten thousand times in a
#: minute must not make fifty million pairs.
MOST_NEIGHBOURS = 25

#: From these shares of all posts by connected accounts on it is coordinated, or partly.
COORDINATED_SHARE, PARTLY_SHARE = 0.3, 0.1

#: Fewer posts than this say nothing.
LEAST_POSTS = 10


class Verdict(StrEnum):
    """How the posts came about."""

    COORDINATED = "coordinated"
    PARTLY = "partly coordinated"
    ORGANIC = "organic"
    TOO_FEW = "too few posts to say"


@dataclass(frozen=True, slots=True)
class SharedPost:
    """One post.

    Args:
        author: Who posted.
        at: When.
        things: What it shares with others: its story, its links.
        is_repost: Whether it is another's post, passed on by the platform's button.

    """

    author: int
    at: datetime
    things: tuple[Hashable, ...]
    is_repost: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """Two accounts that shared the same things inside the window."""

    one: int
    other: int
    things: int


@dataclass(frozen=True, slots=True)
class Coordination:
    """What the network shows.

    Args:
        verdict: In a word.
        share: Share of the posts that are by connected accounts, 0 to 1.
        accounts: Connected accounts, with their posts, the busiest first.
        edges: Their connections, the strongest first.
        quickest_s: Median seconds between two posts of the same thing by connected accounts.

    """

    verdict: Verdict
    share: float
    accounts: tuple[tuple[int, int], ...]
    edges: tuple[Edge, ...]
    quickest_s: float | None


def find_coordination(posts: Sequence[SharedPost], *, window: timedelta = WINDOW) -> Coordination:
    """Return which accounts post the same inside short windows.

    Args:
        posts: The posts of a burst, in any order.
        window: How close in time two posts must be.

    """
    pairs, pauses, groups = _co_posts(posts, window)
    kept = {
        pair: len(things)
        for pair, things in pairs.items()
        if len(things) >= LEAST_OBJECTS or any((thing, *pair) in groups for thing in things)
    }
    members = {author for pair in kept for author in pair}
    by_author = Counter(post.author for post in posts)
    theirs = sum(by_author[author] for author in members)
    share = theirs / len(posts) if posts else 0.0
    waits = sorted(wait for pair in kept for wait in pauses[pair])
    return Coordination(
        verdict=_verdict(len(posts), share, len(members)),
        share=share,
        accounts=tuple(
            sorted(
                ((author, by_author[author]) for author in members),
                key=lambda one: (-one[1], one[0]),
            )
        ),
        edges=tuple(
            Edge(*pair, things)
            for pair, things in sorted(kept.items(), key=lambda one: (-one[1], one[0]))
        ),
        quickest_s=waits[len(waits) // 2] if waits else None,
    )


_Pair = tuple[int, int]


def _co_posts(
    posts: Sequence[SharedPost], window: timedelta
) -> tuple[dict[_Pair, set[Hashable]], Mapping[_Pair, list[float]], set[tuple[Hashable, int, int]]]:
    """Return pairs with what they shared, how soon, and the pairs inside a group."""
    by_thing: dict[Hashable, list[SharedPost]] = defaultdict(list)
    for post in sorted(posts, key=lambda one: (one.at, one.author)):
        for thing in set(post.things):
            by_thing[thing].append(post)
    pairs: dict[_Pair, set[Hashable]] = defaultdict(set)
    pauses: dict[_Pair, list[float]] = defaultdict(list)
    groups: set[tuple[Hashable, int, int]] = set()
    for thing, shared in by_thing.items():
        for place, first in enumerate(shared):
            near = [
                other
                for other in shared[place + 1 : place + 1 + MOST_NEIGHBOURS]
                if other.at - first.at <= window
            ]
            own = {one.author for one in (first, *near) if not one.is_repost}
            for other in near:
                if other.author == first.author:
                    continue
                pair = (min(first.author, other.author), max(first.author, other.author))
                pairs[pair].add(thing)
                pauses[pair].append((other.at - first.at).total_seconds())
                if len(own) >= LEAST_GROUP and set(pair) <= own:
                    groups.add((thing, *pair))
    return pairs, pauses, groups


def _verdict(posts: int, share: float, accounts: int) -> Verdict:
    if posts < LEAST_POSTS:
        return Verdict.TOO_FEW
    if accounts >= LEAST_GROUP and share >= COORDINATED_SHARE:
        return Verdict.COORDINATED
    if accounts >= 2 and share >= PARTLY_SHARE:  # noqa: PLR2004 - a pair
        return Verdict.PARTLY
    return Verdict.ORGANIC
