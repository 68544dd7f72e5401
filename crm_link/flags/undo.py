"""Taking back what was done to flags: all of one action, for a while, unless others went on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, NotFoundError
from config.phrases import phrase
from crm_link.enrich import queue_people
from crm_link.flags.acts import Act, Changed
from crm_link.flags.changes import OF_MENTION, lock_flags
from crm_link.flags.events import last_change
from crm_link.flags.links import OF_LINKS, links_that_went_on, undo_links
from crm_link.flags.models import FlagEvent
from crm_link.mention_priority import give_priorities
from crm_link.models import Flag, FlagStatus
from crm_link.types import Priority
from sentiment.corrections import correct_labels, open_corrections, undo_corrections
from sentiment.types import Label

#: How long an action can be undone as one; later its parts are changed by hand.
UNDO_FOR = timedelta(hours=1)

_TIMES = frozenset({"closed_at", "snoozed_until", "answered_at", "due_at"})


def undo_changes(session: Session, batch: str, *, by: str, clock: Clock) -> Changed:
    """Put every flag of an action back to what it was.

    A flag that somebody changed afterwards stays as they left it.

    Raises:
        NotFoundError: There is no such action, or it was undone.
        ConflictError: It is too long ago, or others went on with every one of its flags.

    """
    now = clock()
    events = session.scalars(
        select(FlagEvent)
        .where(FlagEvent.batch == batch, FlagEvent.undone_at.is_(None))
        .order_by(FlagEvent.id)
    ).all()
    if not events:
        raise NotFoundError(
            "there is no action %(batch)s to undo, or it was undone already", batch=batch
        )
    if events[0].action == Act.ESCALATE:
        raise ConflictError(
            "people were told of an escalation: resolve the incident instead of undoing it"
        )
    if events[0].at < now - UNDO_FOR:
        minutes = int(UNDO_FOR.total_seconds() // 60)
        raise ConflictError(
            "an action can be undone for %(minutes)s minutes; change it by hand now",
            minutes=minutes,
        )
    undone, left = _undo(session, events, by, clock, now)
    if not undone:
        raise ConflictError(next(iter(left.values())))
    session.flush()
    return Changed(batch, undone, left)


def _undo(
    session: Session, events: Sequence[FlagEvent], by: str, clock: Clock, now: datetime
) -> tuple[dict[int, FlagEvent], dict[int, str]]:
    with_mentions = Act(events[0].action) in OF_MENTION
    flags = lock_flags(session, [event.mention_id for event in events], with_mentions=with_mentions)
    undone: dict[int, FlagEvent] = {}
    left = links_that_went_on(session, events)
    for event in events:
        if event.mention_id in left:
            continue
        flag = flags.get(event.mention_id)
        if flag is None:
            left[event.mention_id] = phrase(
                "mention %(mention_id)s is not flagged any more", mention_id=event.mention_id
            )
            continue
        if flag.version != event.version:
            what = last_change(session, event.mention_id, now) or phrase(
                "somebody changed this since"
            )
            left[event.mention_id] = phrase("%(what)s; it stays so", what=what)
            continue
        flag.version += 1
        event.undone_at, event.undone_by = now, by
        undone[event.mention_id] = event
    _restore(session, flags, list(undone.values()), by, clock)
    session.flush()
    authors = {flags[one].mention.author_id for one in undone}
    queue_people(session, authors, now=now)
    return undone, left


def _restore(
    session: Session, flags: Mapping[int, Flag], events: Sequence[FlagEvent], by: str, clock: Clock
) -> None:
    act = Act(events[0].action) if events else None
    if act is Act.LABEL:
        _restore_labels(session, events, by, clock)
    elif act is Act.PRIORITY:
        _restore_priorities(session, flags, events, by, clock)
    elif act in OF_LINKS:
        undo_links(session, events, by, clock)
    else:
        for event in events:
            _set_back(flags[event.mention_id], event.before)


def _restore_labels(session: Session, events: Sequence[FlagEvent], by: str, clock: Clock) -> None:
    said = {
        event.mention_id: Label(event.before["person"])
        for event in events
        if event.before["person"] is not None
    }
    correct_labels(session, said, by=by, clock=clock)
    others = [event.mention_id for event in events if event.mention_id not in said]
    undo_corrections(session, list(open_corrections(session, others)), by=by, clock=clock)


def _restore_priorities(
    session: Session, flags: Mapping[int, Flag], events: Sequence[FlagEvent], by: str, clock: Clock
) -> None:
    said = [
        (flags[event.mention_id].mention, Priority(person) if person else None)
        for event in events
        for person in [event.before["person"]]
    ]
    give_priorities(session, said, by=by, clock=clock)
    for event in events:
        flag, before = flags[event.mention_id], dict(event.before)
        del before["person"]
        flag.mention.priority = before.pop("was")
        _set_back(flag, before | {"priority": Priority(before["priority"])})


def _set_back(flag: Flag, before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if name == "status":
            flag.status = FlagStatus(value)
        else:
            is_time = name in _TIMES and value is not None
            setattr(flag, name, datetime.fromisoformat(value) if is_time else value)
