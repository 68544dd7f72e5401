"""What was done to replies: written down, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_link.replying.models import Reply, ReplyEvent


def add_event(
    session: Session,
    reply: Reply,
    action: str,
    *,
    by: str,
    now: datetime,
    note: str = "",
    text: str | None = None,
) -> None:
    """Write down what was done to a reply."""
    session.add(
        ReplyEvent(
            reply_id=reply.id,
            mention_id=reply.mention_id,
            at=now,
            actor=by,
            action=action,
            version=reply.version,
            note=note,
            text=text,
        )
    )
    session.flush()


def events_of_reply(session: Session, reply_id: int) -> Sequence[ReplyEvent]:
    """Return what was done to a reply, the oldest first."""
    return session.scalars(
        select(ReplyEvent).where(ReplyEvent.reply_id == reply_id).order_by(ReplyEvent.id)
    ).all()
