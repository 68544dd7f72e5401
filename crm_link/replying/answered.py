"""What a posted reply does to its mention's flag: as when a person says that it is answered."""

from __future__ import annotations

from sqlalchemy.orm import Session

from config.clock import Clock
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flags, lock_flags
from crm_link.models import FlagStatus
from crm_link.replying.models import Reply


def mark_answered(session: Session, reply: Reply, *, by: str, clock: Clock) -> None:
    """Stop the clock of the mention's flag, and close it if the reply is to.

    One that a person closed meanwhile stays closed; its first answer is noted all the same.
    """
    flag = lock_flags(session, [reply.mention_id], with_mentions=False).get(reply.mention_id)
    if flag is None:
        return
    if flag.status is FlagStatus.OPEN:
        change = Change(Act.ANSWER, closes=reply.closes)
        change_flags(session, [reply.mention_id], change, by=by, clock=clock)
    elif flag.answered_at is None:
        flag.answered_at, flag.answered_by = clock(), by
        flag.version += 1
