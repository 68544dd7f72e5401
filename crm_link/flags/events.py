"""What was done to a flag, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.phrases import Phrase, phrase
from crm_link.flags.models import FlagEvent

#: Events of one mention that are shown.
MAX_EVENTS = 100

#: Units of an age, largest first: seconds, and how it is written.
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def events_of(session: Session, mention_id: int) -> Sequence[FlagEvent]:
    """Return what was done to a mention's flag, the newest first."""
    return session.scalars(
        select(FlagEvent)
        .where(FlagEvent.mention_id == mention_id)
        .order_by(FlagEvent.id.desc())
        .limit(MAX_EVENTS)
    ).all()


def event_says(event: FlagEvent) -> str:
    """Return what was done, in words."""
    after = event.after
    words: dict[str, Phrase] = {
        "done": phrase("done"),
        "dismiss": phrase("dismissed"),
        "reopen": phrase("put back into the queue"),
        "assign": phrase("assigned to %(who)s", who=after.get("assignee"))
        if after.get("assignee")
        else phrase("let go"),
        "snooze": phrase("snoozed") if after.get("snoozed_until") else phrase("woken"),
        "answer": phrase("answered and done") if after.get("status") else phrase("answered"),
        "label": phrase(
            "sentiment corrected to %(label)s", label=Phrase(str(after.get("label")), {})
        ),
        "link": phrase("linked to contact %(contact)s", contact=after.get("contact_id")),
        "unlink": phrase("unlinked from the CRM"),
        "escalate": phrase("escalated to incident %(incident)s", incident=after.get("incident_id")),
        "priority": phrase(
            "priority set to %(priority)s", priority=Phrase(str(after.get("priority")), {})
        ),
    }
    return words.get(event.action, event.action)


def last_change(session: Session, mention_id: int, now: datetime) -> str | None:
    """Return who changed a flag last, when and how; None: nobody did."""
    event = session.scalar(
        select(FlagEvent)
        .where(FlagEvent.mention_id == mention_id)
        .order_by(FlagEvent.id.desc())
        .limit(1)
    )
    if event is None:
        return None
    undone = session.scalar(
        select(FlagEvent)
        .where(FlagEvent.mention_id == mention_id, FlagEvent.undone_at >= event.at)
        .order_by(FlagEvent.undone_at.desc())
        .limit(1)
    )
    if undone is not None and undone.undone_at is not None:
        return phrase(
            "%(who)s changed this %(ago)s: undone (%(what)s)",
            who=undone.undone_by,
            ago=_ago(now - undone.undone_at),
            what=event_says(undone),
        )
    return phrase(
        "%(who)s changed this %(ago)s: %(what)s",
        who=event.actor,
        ago=_ago(now - event.at),
        what=event_says(event),
    )


def _ago(length: timedelta) -> str:
    seconds = max(int(length.total_seconds()), 0)
    for unit_s, name in _UNITS:
        if seconds >= unit_s:
            return phrase("%(age)s ago", age=f"{seconds // unit_s} {name}")
    return phrase("just now")
