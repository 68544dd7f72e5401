"""Which flags are in the review queue after a batch was triaged, and when each is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.bulk import upsert
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.response_clock import due_at, queue_rank
from crm_link.models import Flag, FlagStatus
from crm_link.types import Priority
from sentiment.types import Label

#: Who closed a flag that nobody needs any more.
MACHINE = "groundswell"

#: What triage changes of a flag that is there; the rest is people's.
_CHANGED = (
    "priority",
    "urgency",
    "rank",
    "published_at",
    "platform",
    "label",
    "lang",
    "reason",
    "status",
    "created_at",
    "due_at",
    "snoozed_until",
    "answered_at",
    "answered_by",
    "closed_at",
    "closed_by",
    "opens_case",
)


@dataclass(frozen=True, slots=True)
class Wish:
    """The flag that a mention is to have."""

    brand_id: int
    published_at: datetime
    priority: Priority
    urgency: int
    platform: str
    label: str | None
    lang: str | None
    reason: str
    opens_case: bool
    protocol: EscalationProtocol


def store_flags(session: Session, wishes: Mapping[int, Wish | str], now: datetime) -> None:
    """Open flags, and close those that are needed no more.

    Args:
        session: The transaction.
        wishes: By mention: the flag that it is to have, or why it needs none.
        now: The present.

    """
    existing = {
        row.mention_id: row
        for row in session.execute(
            select(
                Flag.id,
                Flag.mention_id,
                Flag.status,
                Flag.urgency,
                Flag.created_at,
                Flag.snoozed_until,
                Flag.answered_at,
                Flag.answered_by,
                Flag.closed_by,
            )
            .where(Flag.mention_id.in_(wishes))
            .order_by(Flag.id)
            .with_for_update()  # what a person closes meanwhile stays closed
        )
    }
    wanted: list[dict[str, Any]] = []
    dropped: dict[str, list[int]] = defaultdict(list)
    for mention_id, wish in wishes.items():
        flag = existing.get(mention_id)
        if isinstance(wish, str):
            if flag is not None and flag.status is FlagStatus.OPEN:
                dropped[wish].append(flag.id)
        elif flag is None or _opens_again(flag, wish.urgency):
            wanted.append(_flag(mention_id, wish, flag, now))
    upsert(session, Flag, wanted, key=("mention_id",), update_columns=_CHANGED)
    for note, flag_ids in dropped.items():
        session.execute(
            update(Flag)
            .where(Flag.id.in_(flag_ids))
            .values(status=FlagStatus.DISMISSED, closed_at=now, closed_by=MACHINE, note=note)
        )


def _flag(
    mention_id: int, wish: Wish, flag: ResultRow[*tuple[Any, ...]] | None, now: datetime
) -> dict[str, Any]:
    """Return the row of a flag: one that is open keeps its clock, another begins a new one."""
    is_open = flag is not None and flag.status is FlagStatus.OPEN
    begin = flag.created_at if flag is not None and is_open else now
    return {
        "mention_id": mention_id,
        "brand_id": wish.brand_id,
        "priority": wish.priority,
        "urgency": wish.urgency,
        "rank": queue_rank(wish.priority, is_negative=wish.label == Label.NEGATIVE),
        "published_at": wish.published_at,
        "platform": wish.platform,
        "label": wish.label,
        "lang": wish.lang,
        "reason": wish.reason,
        "status": FlagStatus.OPEN,
        "created_at": begin,
        "due_at": due_at(wish.protocol, wish.priority, begin),
        "snoozed_until": flag.snoozed_until if flag is not None and is_open else None,
        "answered_at": flag.answered_at if flag is not None and is_open else None,
        "answered_by": flag.answered_by if flag is not None and is_open else None,
        "closed_at": None,
        "closed_by": None,
        "note": "",
        "version": 1,
        "opens_case": wish.opens_case,
    }


def _opens_again(flag: ResultRow[*tuple[Any, ...]], urgency: int) -> bool:
    """Say whether a flag is to be open: what a person closed stays closed, unless it got worse."""
    if flag.status is FlagStatus.OPEN or flag.closed_by == MACHINE:
        return True
    return urgency > int(flag.urgency)
