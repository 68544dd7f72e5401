"""Taking back what was done to flags: all of one action, for a while, unless others went on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, NotFoundError
from crm_link.enrich import queue_people
from crm_link.flag_acts import Act, Changed
from crm_link.flag_changes import OF_MENTION, lock_flags
from crm_link.flag_events import last_change
from crm_link.flag_models import FlagEvent
from crm_link.mention_priority import give_priority
from crm_link.models import Flag, FlagStatus
from crm_link.types import Priority
from sentiment.corrections import correct_label, open_corrections, undo_correction
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
        msg = f"there is no action {batch} to undo, or it was undone already"
        raise NotFoundError(msg)
    if events[0].at < now - UNDO_FOR:
        minutes = int(UNDO_FOR.total_seconds() // 60)
        msg = f"an action can be undone for {minutes} minutes; change it by hand now"
        raise ConflictError(msg)
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
    left: dict[int, str] = {}
    for event in events:
        flag = flags.get(event.mention_id)
        if flag is None:
            left[event.mention_id] = f"mention {event.mention_id} is not flagged any more"
            continue
        if flag.version != event.version:
            what = last_change(session, event.mention_id, now) or "somebody changed this since"
            left[event.mention_id] = f"{what}; it stays so"
            continue
        _restore(session, flag, event, by, clock)
        flag.version += 1
        event.undone_at, event.undone_by = now, by
        undone[event.mention_id] = event
    session.flush()
    authors = {flags[one].mention.author_id for one in undone}
    queue_people(session, authors, now=now)
    return undone, left


def _restore(session: Session, flag: Flag, event: FlagEvent, by: str, clock: Clock) -> None:
    before = dict(event.before)
    if event.action == Act.LABEL:
        if before["person"] is not None:
            correct_label(session, flag.mention_id, Label(before["person"]), by=by, clock=clock)
        elif open_corrections(session, [flag.mention_id]):
            undo_correction(session, flag.mention_id, by=by, clock=clock)
        return
    if event.action == Act.PRIORITY:
        person, was = before.pop("person"), before.pop("was")
        give_priority(
            session, flag.mention, Priority(person) if person else None, by=by, clock=clock
        )
        flag.mention.priority = was
        before["priority"] = Priority(before["priority"])
    if "status" in before:
        before["status"] = FlagStatus(before["status"])
    for name, value in before.items():
        is_time = name in _TIMES and value is not None
        setattr(flag, name, datetime.fromisoformat(value) if is_time else value)
