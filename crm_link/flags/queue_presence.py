"""Who has which mention before them now, so that no two people work on one unseen.

A page that is open says so every `BEAT_S` seconds; rows that nobody renewed for `GONE_AFTER` count
no more. They are in the database, so that it is the same behind every server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import upsert
from config.clock import Clock
from crm_link.flags.models import QueuePresence

#: How often an open page says that it is there, in seconds.
BEAT_S = 10

#: Two beats may be lost before somebody counts as gone.
GONE_AFTER = timedelta(seconds=3 * BEAT_S)

#: Older rows are deleted when somebody leaves.
_KEPT = timedelta(minutes=10)


def be_present(
    session: Session, mention_id: int, *, who: str, name: str, is_working: bool, clock: Clock
) -> list[QueuePresence]:
    """Say that somebody looks at a mention, or works on it; return who else does.

    Somebody is with one mention at a time: they leave the one before.
    """
    now = clock()
    session.execute(
        delete(QueuePresence).where(
            QueuePresence.who == who, QueuePresence.mention_id != mention_id
        )
    )
    row = {
        "mention_id": mention_id,
        "who": who,
        "name": name,
        "is_working": is_working,
        "seen_at": now,
    }
    changed = ("name", "is_working", "seen_at")
    upsert(session, QueuePresence, [row], key=("mention_id", "who"), update_columns=changed)
    present = who_is_there(session, [mention_id], clock=clock)
    return [one for one in present.get(mention_id, ()) if one.who != who]


def leave(session: Session, who: str, *, clock: Clock) -> None:
    """Say that somebody is with no mention any more, and forget who is long gone."""
    session.execute(delete(QueuePresence).where(QueuePresence.who == who))
    session.execute(delete(QueuePresence).where(QueuePresence.seen_at < clock() - _KEPT))


def who_is_there(
    session: Session, mention_ids: Collection[int], *, clock: Clock
) -> dict[int, list[QueuePresence]]:
    """Return who is with each of these mentions now: who works on it, then who looks."""
    rows = session.scalars(
        select(QueuePresence)
        .where(
            any_of(session, QueuePresence.mention_id, mention_ids),
            QueuePresence.seen_at > clock() - GONE_AFTER,
        )
        .order_by(QueuePresence.is_working.desc(), QueuePresence.name, QueuePresence.who)
        .execution_options(populate_existing=True)
    )
    found: dict[int, list[QueuePresence]] = defaultdict(list)
    for row in rows:
        found[row.mention_id].append(row)
    return dict(found)
