"""A burst as people read it, and as an incident keeps it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from config.durations import format_duration
from config.phrases import Number, nphrase
from sentiment.bursts.readings import Burst


def burst_facts(burst: Burst) -> dict[str, Any]:
    """Return a burst fit for JSON, with its words."""
    return {
        "index": round(burst.index, 2),
        "seen": round(burst.seen),
        "expected": round(burst.expected, 1),
        "window_s": burst.window_s,
        "words": burst_words(burst),
    }


def burst_words(burst: Burst) -> str:
    """Return a burst in words: `34 negative in 1h, expected 5; index 3.2`."""
    window = format_duration(timedelta(seconds=burst.window_s))
    # Below ten, halves matter: 3 where 0.4 were expected is something, 0 would be nonsense.
    decimals = 0 if burst.expected >= 10 else 1  # noqa: PLR2004
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
