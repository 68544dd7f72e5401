"""What the entries of a timeline say, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.formats import count, decimal, duration, event_words, percent, signed, words
from api.language import gettext, later, looked_up, ngettext, told
from config.phrases import Phrase
from crm_link.escalation.reports.curve import Band, Rebound
from crm_link.escalation.war_room.milestones import Milestone, Timing

#: How each time is called.
TIME_WORDS = {
    Milestone.DETECT: later("Detected"),
    Milestone.ACKNOWLEDGE: later("Acknowledged"),
    Milestone.HOLDING: later("Holding statement out"),
    Milestone.REPLY: later("First public reply"),
    Milestone.RESOLVE: later("Resolved"),
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
        reason = told(detail.get("reason"))
        change = gettext("%(low)s to %(high)s", low=detail.get("from"), high=detail.get("to"))
        return change + (f": {reason}" if reason else "")
    if kind in {"notified", "last_resort"}:
        names = ", ".join(detail.get("contacts", [])) or gettext("nobody new")
        return gettext("told: %(who)s", who=names)
    if kind == "raised":
        return str(told(detail.get("reason", "")))
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
    if timing.waited is None:
        return gettext("not")
    return gettext("not in %(time)s", time=duration(timing.waited))


def verdict_words(timing: Timing) -> str:
    """Return whether a time kept its limit."""
    if timing.is_met is None:
        return ""
    return gettext("in time") if timing.is_met else gettext("too late")


def rebound_words(found: Rebound) -> str:
    """Return when things were ordinary again, in a sentence."""
    if found.band is None:
        return gettext(
            "Not known: the brand was not watched long enough before to say what is ordinary."
        )
    return f"{_rebound(found)} {_ordinary(found.band)}"


def _rebound(found: Rebound) -> str:
    if found.days is not None:
        return gettext("Ordinary again on day %(day)s.", day=found.days)
    if not found.looked_days:
        return gettext("Not known yet: no whole day has passed since it began.")
    parts = [
        gettext("Not ordinary after %(days)s.", days=_days(found.looked_days)),
        gettext("Volume not yet.")
        if found.volume_days is None
        else gettext("Volume on day %(day)s.", day=found.volume_days),
    ]
    if found.band is not None and found.band.net_low is not None:
        parts.append(
            gettext("Net sentiment not yet.")
            if found.net_days is None
            else gettext("Net sentiment on day %(day)s.", day=found.net_days)
        )
    return " ".join(parts)


def _ordinary(band: Band) -> str:
    volume = decimal(round(band.volume_high), "#,##0")
    if band.net_low is None:
        return ngettext(
            "Ordinary is up to %(volume)s mention a day (of %(days)s before).",
            "Ordinary is up to %(volume)s mentions a day (of %(days)s before).",
            round(band.volume_high),
            volume=volume,
            days=_days(band.days),
        )
    return ngettext(
        "Ordinary is up to %(volume)s mention a day and a net sentiment of %(net)s or more "
        "(of %(days)s before).",
        "Ordinary is up to %(volume)s mentions a day and a net sentiment of %(net)s or more "
        "(of %(days)s before).",
        round(band.volume_high),
        volume=volume,
        net=signed(band.net_low),
        days=_days(band.days),
    )


def _days(number: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", number)


def _size(detail: Mapping[str, Any]) -> str:
    negatives = detail["negatives"]
    said = ngettext(
        "%(number)s negative mention",
        "%(number)s negative mentions",
        negatives,
        number=count(negatives),
    )
    if detail.get("window_s"):
        window = duration(timedelta(seconds=float(detail["window_s"])))
        said = gettext("%(what)s in %(window)s", what=said, window=window)
    if detail.get("negative_share"):
        share = gettext(
            "%(share)s of %(mentions)s",
            share=percent(detail["negative_share"]),
            mentions=detail.get("mentions"),
        )
        said += f", {share}"
    return said


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{words(name)} {_value(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(one) for one in value)
    if isinstance(value, Phrase):
        return told(value)
    return gettext("yes") if value is True else looked_up(str(value))
