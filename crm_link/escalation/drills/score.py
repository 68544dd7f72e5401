"""How well a drill went, 0 to 100: each time against what the protocol allows. Pure.

A time within its limit gives all of its points, three times the limit or more gives none, and
in between the points fall evenly. What the protocol sets no limit for, and what nobody could
do, is left out, and the other parts count for more.
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_link.escalation.war_room.milestones import Milestone, Timing

#: Points of each part. Acknowledging weighs most: until somebody does, nothing else begins.
#: The first public reply is the holding statement in a drill, so that it is not counted twice.
WEIGHTS = {
    Milestone.DETECT: 25,
    Milestone.ACKNOWLEDGE: 30,
    Milestone.HOLDING: 25,
    Milestone.RESOLVE: 20,
}

#: At so many times the limit there is no point left.
WORTHLESS_AT = 3.0


def points(timing: Timing) -> float | None:
    """Return the share of its points that a time earns, 0 to 1; None: it does not count."""
    if timing.limit is None or not timing.is_asked or timing.what not in WEIGHTS:
        return None
    if timing.took is None:
        return 0.0
    limit_s = max(timing.limit.total_seconds(), 1.0)
    times = timing.took.total_seconds() / limit_s
    return min(1.0, max(0.0, (WORTHLESS_AT - times) / (WORTHLESS_AT - 1.0)))


def score(timed: Iterable[Timing]) -> int | None:
    """Return the score of a drill, None where nothing could be measured."""
    earned = [(WEIGHTS[one.what], share) for one in timed if (share := points(one)) is not None]
    whole = sum(weight for weight, _ in earned)
    return round(100 * sum(weight * share for weight, share in earned) / whole) if whole else None
