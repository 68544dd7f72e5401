"""What people do to flagged mentions: one or many at once, in one transaction, undone as one.

Whoever changes a flag says which version of it they saw. If somebody else changed it since, it
is left as it is, and they are told who did what and when. What was done stays as events.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from config.any_of import any_of
from config.clock import Clock
from config.errors import ConflictError, NotFoundError
from config.phrases import phrase
from crm_link.enrich import queue_people
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.response_clock import due_at, queue_rank
from crm_link.flags.acts import Act, Change, Changed, Pair, check_change
from crm_link.flags.escalation import escalate_flags
from crm_link.flags.events import last_change
from crm_link.flags.links import OF_LINKS, change_links
from crm_link.flags.models import FlagEvent
from crm_link.mention_priority import give_priorities, priorities_by_people
from crm_link.models import Flag, FlagStatus
from crm_link.triage_rules import NEGATIVE_URGENCY, URGENCY
from crm_link.types import Priority
from listener.models import Mention
from sentiment.corrections import correct_labels, open_corrections
from sentiment.types import Label

#: What is done to a flag in the queue only.
_OF_OPEN = frozenset({Act.DONE, Act.DISMISS, Act.ASSIGN, Act.SNOOZE, Act.ANSWER, Act.ESCALATE})

#: What changes the mention too, which triage locks before its flag.
OF_MENTION = frozenset({Act.LABEL, Act.PRIORITY})


def change_flags(
    session: Session,
    mention_ids: Sequence[int],
    change: Change,
    *,
    by: str,
    clock: Clock,
    seen: Mapping[int, int] | None = None,
) -> Changed:
    """Do the same to all of these mentions' flags.

    Args:
        session: The transaction.
        mention_ids: Which; at most `MAX_AT_ONCE`.
        change: What.
        by: Who, a user's e-mail.
        clock: The present.
        seen: The version of each flag that they saw; one that is not here is not compared.

    Raises:
        InputError: The change is not complete, or these are too many.

    """
    now = clock()
    check_change(change, len(mention_ids), now)
    flags = lock_flags(session, mention_ids, with_mentions=change.act in OF_MENTION)
    left: dict[int, str] = {
        one: phrase("mention %(mention_id)s is not flagged", mention_id=one)
        for one in mention_ids
        if one not in flags
    }
    for mention_id, flag in flags.items():
        why_not = _why_not(session, flag, change, (seen or {}).get(mention_id), now)
        if why_not:
            left[mention_id] = why_not
    doing = {one: flag for one, flag in flags.items() if one not in left}
    batch, events = secrets.token_hex(8), {}
    for mention_id, (before, after) in _do(session, doing, change, by, clock, left).items():
        flag = flags[mention_id]
        flag.version += 1
        events[mention_id] = FlagEvent(
            mention_id=mention_id,
            batch=batch,
            at=now,
            actor=by,
            action=change.act.value,
            before=before,
            after=after,
            version=flag.version,
        )
    session.add_all(events.values())
    session.flush()
    queue_people(session, {flag.mention.author_id for flag in doing.values()}, now=now)
    return Changed(batch, events, left)


def change_flag(
    session: Session,
    mention_id: int,
    change: Change,
    *,
    by: str,
    clock: Clock,
    seen: int | None = None,
) -> FlagEvent:
    """Do something to one mention's flag.

    Raises:
        NotFoundError: It is not flagged.
        ConflictError: Somebody was faster; the message says who.

    """
    versions = None if seen is None else {mention_id: seen}
    done = change_flags(session, [mention_id], change, by=by, clock=clock, seen=versions)
    if mention_id in done.left:
        is_known = session.scalar(select(Flag.id).where(Flag.mention_id == mention_id))
        raise (NotFoundError if is_known is None else ConflictError)(done.left[mention_id])
    return done.events[mention_id]


def lock_flags(
    session: Session, mention_ids: Sequence[int], *, with_mentions: bool
) -> dict[int, Flag]:
    """Return these mentions' flags, held until the transaction ends."""
    if with_mentions:
        session.execute(
            select(Mention.id)
            .where(any_of(session, Mention.id, mention_ids))
            .order_by(Mention.id)
            .with_for_update()
        ).all()
    found = session.scalars(
        select(Flag)
        .where(any_of(session, Flag.mention_id, mention_ids))
        .options(selectinload(Flag.mention))
        .order_by(Flag.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {flag.mention_id: flag for flag in found}


def _why_not(
    session: Session, flag: Flag, change: Change, seen: int | None, now: datetime
) -> str | None:
    is_open = flag.status is FlagStatus.OPEN
    if seen is not None and seen != flag.version:
        what = last_change(session, flag.mention_id, now) or phrase(
            "somebody changed this meanwhile"
        )
        return phrase("%(what)s. Nothing of yours was done; look at it again", what=what)
    if change.act in _OF_OPEN and not is_open:
        return phrase(
            "mention %(mention_id)s was already %(status)s by %(who)s",
            mention_id=flag.mention_id,
            status=flag.status,
            who=flag.closed_by,
        )
    if change.act is Act.REOPEN and is_open:
        return phrase("mention %(mention_id)s is in the queue already", mention_id=flag.mention_id)
    if change.act is Act.LABEL and flag.mention.deleted_at is not None:
        return phrase(
            "mention %(mention_id)s was deleted by its author: nothing to correct",
            mention_id=flag.mention_id,
        )
    return None


def _do(
    session: Session,
    flags: Mapping[int, Flag],
    change: Change,
    by: str,
    clock: Clock,
    left: dict[int, str],
) -> dict[int, Pair]:
    if change.act is Act.LABEL and change.label is not None:
        return _label(session, flags, change.label, by, clock)
    if change.act is Act.PRIORITY and change.priority is not None:
        return _prioritise(session, flags, change.priority, by, clock)
    if change.act in OF_LINKS:
        return change_links(session, flags, change, by, clock, left)
    if change.act is Act.ESCALATE:
        return escalate_flags(session, flags, change, by, clock) if flags else {}
    return {one: _set(flag, _values(flag, change, by, clock())) for one, flag in flags.items()}


def _values(flag: Flag, change: Change, by: str, now: datetime) -> dict[str, Any]:
    closed = {"closed_at": now, "closed_by": by, "note": change.note, "snoozed_until": None}
    if change.act is Act.DONE:
        return {"status": FlagStatus.DONE} | closed
    if change.act is Act.DISMISS:
        return {"status": FlagStatus.DISMISSED} | closed
    if change.act is Act.REOPEN:
        return {"status": FlagStatus.OPEN, "closed_at": None, "closed_by": None}
    if change.act is Act.ASSIGN:
        return {"assignee": change.assignee}
    if change.act is Act.SNOOZE:
        return {"snoozed_until": change.until}
    # The first answer stops the clock.
    first = {"answered_at": flag.answered_at or now, "answered_by": flag.answered_by or by}
    return first | ({"status": FlagStatus.DONE} | closed if change.closes else {})


def _set(flag: Flag, values: Mapping[str, Any]) -> Pair:
    before = {name: plain(getattr(flag, name)) for name in values}
    for name, value in values.items():
        setattr(flag, name, value)
    return before, {name: plain(value) for name, value in values.items()}


def _label(
    session: Session, flags: Mapping[int, Flag], label: Label, by: str, clock: Clock
) -> dict[int, Pair]:
    said = {one: each.label for one, each in open_corrections(session, list(flags)).items()}
    pairs: dict[int, Pair] = {}
    for mention_id, flag in flags.items():
        before = {"label": flag.mention.label, "person": said.get(mention_id)}
        pairs[mention_id] = (before, {"label": label.value})
    correct_labels(session, dict.fromkeys(flags, label), by=by, clock=clock)
    return pairs


def _prioritise(
    session: Session, flags: Mapping[int, Flag], priority: Priority, by: str, clock: Clock
) -> dict[int, Pair]:
    said = priorities_by_people(session, list(flags))
    protocols = {
        one: protocol_in_force(session, one) for one in {flag.brand_id for flag in flags.values()}
    }
    pairs: dict[int, Pair] = {}
    for mention_id, flag in flags.items():
        is_negative = flag.mention.label == Label.NEGATIVE
        before, after = _set(
            flag,
            {
                "priority": priority,
                "urgency": URGENCY[priority] + (NEGATIVE_URGENCY if is_negative else 0),
                "rank": queue_rank(priority, is_negative=is_negative),
                "due_at": due_at(protocols[flag.brand_id], priority, flag.created_at),
            },
        )
        person = said.get(mention_id)
        before |= {"person": person.value if person else None, "was": flag.mention.priority}
        pairs[mention_id] = (before, after)
    said_now = [(flag.mention, priority) for flag in flags.values()]
    give_priorities(session, said_now, by=by, clock=clock)
    return pairs


def plain(value: object) -> Any:  # noqa: ANN401 - what JSON holds
    """Return a column's value as an event keeps it."""
    return value.isoformat() if isinstance(value, datetime) else value
