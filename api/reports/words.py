"""What the entries of a timeline say, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.formats import duration, event_words, percent, signed, things, words
from crm_link.escalation.milestones import Milestone, Timing
from crm_link.escalation.report_curve import Rebound

#: How each time is called.
TIME_WORDS = {
    Milestone.DETECT: "Detected",
    Milestone.ACKNOWLEDGE: "Acknowledged",
    Milestone.HOLDING: "Holding statement out",
    Milestone.REPLY: "First public reply",
    Milestone.RESOLVE: "Resolved",
}

#: Parts of an entry that a reader has no use for.
_LEFT_OUT = frozenset({"round", "step", "window_s", "platforms", "burst", "severity", "mentions"})


def entry_words(kind: str, detail: Mapping[str, Any]) -> str:
    """Return what an entry says beside its kind; empty where it says nothing more."""
    if kind in {"opened", "grew", "reopened"} and "negatives" in detail:
        return _size(detail)
    if kind == "note":
        return str(detail.get("text", ""))
    if kind == "severity":
        reason = detail.get("reason")
        return f"{detail.get('from')} to {detail.get('to')}" + (f": {reason}" if reason else "")
    if kind in {"notified", "last_resort"}:
        return "told: " + (", ".join(detail.get("contacts", [])) or "nobody new")
    if kind == "raised":
        return str(detail.get("reason", ""))
    return "; ".join(
        f"{words(name)}: {_value(value)}"
        for name, value in detail.items()
        if name not in _LEFT_OUT and value not in (None, "", [], {}, False)
    )


def entry_title(kind: str) -> str:
    """Return what an entry is about."""
    return event_words(kind)


def time_words(timing: Timing) -> str:
    """Return how long something took, or that it did not happen."""
    if timing.took is not None:
        return duration(timing.took)
    waited = "" if timing.waited is None else f" in {duration(timing.waited)}"
    return f"not{waited}"


def verdict_words(timing: Timing) -> str:
    """Return whether a time kept its limit."""
    if timing.is_met is None:
        return ""
    return "in time" if timing.is_met else "too late"


def rebound_words(found: Rebound) -> str:
    """Return when things were ordinary again, in a sentence."""
    if found.band is None:
        return "Not known: the brand was not watched long enough before to say what is ordinary."
    ordinary = (
        f"Ordinary is up to {found.band.volume_high:,.0f} mentions a day"
        + (
            ""
            if found.band.net_low is None
            else f" and a net sentiment of {signed(found.band.net_low)} or more"
        )
        + f" (of {found.band.days} days before)."
    )
    if found.days is not None:
        return f"Ordinary again on day {found.days}. {ordinary}"
    if not found.looked_days:
        return f"Not known yet: no whole day has passed since it began. {ordinary}"
    parts = [
        f"{what} {'not yet' if days is None else f'on day {days}'}"
        for what, days, is_judged in (
            ("volume", found.volume_days, True),
            ("net sentiment", found.net_days, found.band.net_low is not None),
        )
        if is_judged
    ]
    return f"Not ordinary after {things(found.looked_days, 'day')}: {', '.join(parts)}. {ordinary}"


def _size(detail: Mapping[str, Any]) -> str:
    said = things(detail["negatives"], "negative mention")
    if detail.get("window_s"):
        said += f" in {duration(timedelta(seconds=float(detail['window_s'])))}"
    if detail.get("negative_share"):
        said += f", {percent(detail['negative_share'])} of {detail.get('mentions')}"
    return said


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{words(name)} {_value(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(one) for one in value)
    return "yes" if value is True else str(value)
