"""A person's word on what a mention asks for: it wins over the protocol's words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import upsert
from config.clock import Clock
from crm_link.flags.models import MentionPriority
from crm_link.types import Priority
from listener.models import JUDGING, Mention, Step


def priorities_by_people(session: Session, mention_ids: Collection[int]) -> dict[int, Priority]:
    """Return the priorities that people gave, by mention."""
    rows = session.scalars(
        select(MentionPriority).where(MentionPriority.mention_id.in_(mention_ids))
    )
    return {row.mention_id: row.priority for row in rows}


def give_priority(
    session: Session, mention: Mention, priority: Priority | None, *, by: str, clock: Clock
) -> None:
    """Say what a mention asks for; None leaves it to the protocol's words again.

    It goes through triage once more, which sets its route and its flag.
    """
    give_priorities(session, [(mention, priority)], by=by, clock=clock)


def give_priorities(
    session: Session,
    said: Sequence[tuple[Mention, Priority | None]],
    *,
    by: str,
    clock: Clock,
) -> None:
    """Say what some mentions ask for, as `give_priority` does for one; no mention twice."""
    now = clock()
    rows = [
        {"mention_id": mention.id, "priority": priority, "by": by, "at": now}
        for mention, priority in said
        if priority is not None
    ]
    columns = ("priority", "by", "at")
    upsert(session, MentionPriority, rows, key=("mention_id",), update_columns=columns)
    none = [mention.id for mention, priority in said if priority is None]
    session.execute(
        delete(MentionPriority).where(any_of(session, MentionPriority.mention_id, none))
    )
    for mention, priority in said:
        if priority is not None:
            mention.priority = priority.value
        if mention.pending is None or mention.pending in JUDGING:
            mention.pending = Step.TRIAGE
    session.flush()
