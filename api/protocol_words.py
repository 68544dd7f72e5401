"""A crisis protocol in words, for the command line and the console."""

from __future__ import annotations

from datetime import timedelta

from api.language import gettext, later
from config.durations import format_duration
from crm_link.escalation.protocol import Condition, Severity

#: A condition's thresholds: how the number is written, and what it is of.
_THRESHOLDS = {
    "index_gte": ("{:g}", later("burst index of %(number)s or more")),
    "negatives_gte": ("{:,}", later("%(number)s negative mentions")),
    "negatives_per_hour_gte": ("{:g}", later("%(number)s negative mentions an hour")),
    "negative_share_gte": ("{:.0%}", later("%(number)s negative")),
    "mentions_gte": ("{:,}", later("%(number)s mentions")),
    "reach_gte": ("{:,}", later("a reach of %(number)s")),
    "negative_trend_days_gte": (
        "{}",
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


def condition_words(condition: Condition) -> str:
    """Return a condition as people say it."""
    window = format_duration(condition.window)
    parts = [
        gettext(words, number=shape.format(value))
        for name, (shape, words) in _THRESHOLDS.items()
        if (value := getattr(condition, name)) is not None
    ]
    about = sorted(condition.only_topics)
    either = f" {gettext('or')} "
    parts += [gettext("about %(topics)s", topics=either.join(about))] if about else []
    if condition.source:
        parts.append(gettext("on %(platforms)s", platforms=either.join(condition.source)))
    what = ", ".join(parts) or gettext("a mention")
    return gettext("%(what)s in %(window)s", what=what, window=window)
