"""A person's word on what a mention asks for: it wins over the protocol's words."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.bulk import upsert
from config.clock import Clock
from crm_link.flag_models import MentionPriority
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
    if priority is None:
        session.execute(delete(MentionPriority).where(MentionPriority.mention_id == mention.id))
    else:
        mention.priority = priority.value
        row = {"mention_id": mention.id, "priority": priority, "by": by, "at": clock()}
        upsert(
            session,
            MentionPriority,
            [row],
            key=("mention_id",),
            update_columns=("priority", "by", "at"),
        )
    if mention.pending is None or mention.pending in JUDGING:
        mention.pending = Step.TRIAGE
    session.flush()
