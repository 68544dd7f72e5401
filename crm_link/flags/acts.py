"""What people can do to a flag, and what came of it: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from config.errors import InputError
from crm_link.flags.models import FlagEvent
from crm_link.types import Priority
from sentiment.types import Label

#: Mentions of one action: a transaction of more would keep the others waiting.
MAX_AT_ONCE = 500

#: What is put off longer is forgotten.
MAX_SNOOZE = timedelta(days=90)


class Act(StrEnum):
    """What a person does to a flag."""

    DONE = "done"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    ANSWER = "answer"
    LABEL = "label"
    PRIORITY = "priority"
    LINK = "link"
    UNLINK = "unlink"
    ESCALATE = "escalate"


#: What an event keeps: what it was before, and what it is after.
Pair = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done.

    Args:
        act: What kind of change.
        assignee: A user's e-mail, for `assign`; None: nobody.
        until: When it comes back, for `snooze`; None: now.
        label: What its sentiment is, for `label`.
        priority: What it asks for, for `priority`.
        note: Why, for `done`, `dismiss` and `escalate`.
        closes: Whether an answered one is done too, for `answer`.
        contact_id: Who the authors are, for `link`; from whom alone, for `unlink`.
        is_expected: It would not surprise the authors, for `link`.
        incident_id: The incident to join, for `escalate`; None: open one of `severity`.

    """

    act: Act
    assignee: str | None = None
    until: datetime | None = None
    label: Label | None = None
    priority: Priority | None = None
    note: str = ""
    closes: bool = False
    contact_id: int | None = None
    is_expected: bool = False
    incident_id: int | None = None
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a change: the events by mention, and why others were left as they are."""

    batch: str
    events: Mapping[int, FlagEvent]
    left: Mapping[int, str]


def check_change(change: Change, number: int, now: datetime) -> None:
    """Refuse a change that is not complete, or for too many.

    Raises:
        InputError: It is; the message says what is missing.

    """
    if number > MAX_AT_ONCE:
        raise InputError(
            "%(number)s mentions are too many at once; at most %(max_at_once)s",
            number=f"{number:,}",
            max_at_once=MAX_AT_ONCE,
        )
    if change.act is Act.SNOOZE and change.until is not None:
        if change.until <= now:
            raise InputError("snooze until a time that is still to come")
        if change.until > now + MAX_SNOOZE:
            raise InputError("snooze for %(days)s days at most", days=MAX_SNOOZE.days)
    if change.act is Act.LABEL and change.label is None:
        raise InputError("say which sentiment it is")
    if change.act is Act.PRIORITY and change.priority is None:
        raise InputError("say which priority it is")
    if change.act is Act.LINK and change.contact_id is None:
        raise InputError("say which contact they are")
    if change.act is Act.ESCALATE and change.incident_id is None and not change.severity:
        raise InputError("say which incident they join, or how severe a new one is")
