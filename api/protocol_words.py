"""A crisis protocol in words, for the command line and the console."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from api.language import gettext, later, ngettext
from config.durations import format_duration
from config.phrases import Number, Share, nlater
from crm_link.escalation.protocol import Condition, Severity


def _number(value: float) -> Number:
    return Number(value, 2)


#: A condition's thresholds: how the number is written, and what it is of: one, and many.
_THRESHOLDS: Mapping[str, tuple[Callable[[float], Number | Share], str | tuple[str, str]]] = {
    "index_gte": (_number, later("burst index of %(number)s or more")),
    "negatives_gte": (
        _number,
        nlater("%(number)s negative mention", "%(number)s negative mentions"),
    ),
    "negatives_per_hour_gte": (
        _number,
        nlater("%(number)s negative mention an hour", "%(number)s negative mentions an hour"),
    ),
    "negative_share_gte": (Share, later("%(number)s negative")),
    "mentions_gte": (_number, nlater("%(number)s mention", "%(number)s mentions")),
    "reach_gte": (_number, later("a reach of %(number)s")),
    "negative_trend_days_gte": (
        _number,
        later("more negative mentions each day, %(number)s days in a row"),
    ),
}


def times_of(severity: Severity) -> list[str]:
    """Return by when what has to happen."""
    times: list[tuple[str, timedelta | None]] = [
        (gettext("acknowledge within"), severity.ack),
        (gettext("holding statement within"), severity.holding_statement),
        (gettext("updates every"), severity.updates),
        (gettext("again open after"), severity.ack_expires),
        (gettext("let go after"), severity.auto_resolve),
    ]
    said = [f"{words} {format_duration(time)}" for words, time in times if time is not None]
    waits = severity.respects_quiet_hours
    return [*said, gettext("waits for quiet hours") if waits else gettext("wakes people")]


def _threshold(name: str, value: float) -> str:
    figure, words = _THRESHOLDS[name]
    if isinstance(words, str):
        return gettext(words, number=figure(value))
    # A half is several.
    return ngettext(*words, 1 if value == 1 else 2, number=figure(value))


def condition_words(condition: Condition) -> str:
    """Return a condition as people say it."""
    window = format_duration(condition.window)
    parts = [
        _threshold(name, value)
        for name in _THRESHOLDS
        if (value := getattr(condition, name)) is not None
    ]
    about = sorted(condition.only_topics)
    either = f" {gettext('or')} "
    parts += [gettext("about %(topics)s", topics=either.join(about))] if about else []
    if condition.source:
        parts.append(gettext("on %(platforms)s", platforms=either.join(condition.source)))
    what = ", ".join(parts) or gettext("a mention")
    return gettext("%(what)s in %(window)s", what=what, window=window)
