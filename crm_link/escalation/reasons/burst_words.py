"""A burst as people read it, and as an incident keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from config.durations import format_duration
from config.phrases import Number, nphrase
from sentiment.bursts.readings import Burst
from sentiment.ordinary import heard_since, is_ordinary_known


def read_burst(
    session: Session, brand_id: int, burst: Burst | None, now: datetime
) -> dict[str, Any] | None:
    """Return a brand's burst fit for JSON; in the brand's first week it is provisional."""
    if burst is None:
        return None
    is_known = is_ordinary_known(heard_since(session, brand_id), now)
    return burst_facts(burst, is_provisional=not is_known)


def burst_facts(burst: Burst, *, is_provisional: bool = False) -> dict[str, Any]:
    """Return a burst fit for JSON, with its words.

    Args:
        burst: The burst.
        is_provisional: Whether it is of the brand's first week, when nobody knows yet what is
            ordinary: what was expected, and the index that rests on it, say little then.

    """
    return {
        "index": round(burst.index, 2),
        "seen": round(burst.seen),
        "expected": round(burst.expected, 1),
        "window_s": burst.window_s,
        "is_provisional": is_provisional,
        "words": burst_words(burst, is_provisional=is_provisional),
    }


def burst_words(burst: Burst, *, is_provisional: bool = False) -> str:
    """Return a burst in words: `34 negative in 1h, expected 5; index 3.2`."""
    window = format_duration(timedelta(seconds=burst.window_s))
    if is_provisional:
        return nphrase(
            "%(num)s negative in %(window)s; index %(index)s, provisional until a week is known",
            "%(num)s negative in %(window)s; index %(index)s, provisional until a week is known",
            round(burst.seen),
            window=window,
            index=Number(burst.index, 1),
        )
    # Below ten, halves matter: 3 where 0.4 were expected is something, 0 would be nonsense.
    decimals = 0 if burst.expected >= 10 else 1  # noqa: PLR2004 - two digits say enough
    return nphrase(
        "%(num)s negative in %(window)s, expected %(expected)s; index %(index)s",
        "%(num)s negative in %(window)s, expected %(expected)s; index %(index)s",
        round(burst.seen),
        window=window,
        expected=Number(burst.expected, decimals),
        index=Number(burst.index, 1),
    )


def index_in(facts: dict[str, Any]) -> float:
    """Return the burst index that an incident's facts hold, 0 where they hold none."""
    return float((facts.get("burst") or {}).get("index", 0.0))


def worst_facts(peak: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return an incident's peak with what is worse now: the counts, the burst, or both."""
    worst = facts if facts["negatives"] > int(peak.get("negatives", 0)) else peak
    burst = max(peak, facts, key=index_in).get("burst")
    return {**worst, "burst": burst}
