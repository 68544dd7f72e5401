"""Which worker of a fleet lets its model judge which mentions, so that no two do the same work.

Mentions are claimed in blocks of ids by PostgreSQL's advisory locks, which the server gives up
when the worker dies. That is for speed only: two that judge the same mention count it once. An
embedded database has one worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, text
from sqlalchemy.orm import Session, sessionmaker

#: Ids in a block: few locks for mentions that came one after the other.
BLOCK = 256

#: Candidates that are looked at for each mention that is wanted: so many workers find work.
LOOK = 16

#: Any number: the first key of the PostgreSQL advisory locks of blocks.
_BLOCK_LOCK = 715_190_120

#: The second key is a 32-bit number.
_MOST_BLOCKS = 2**31

_CLAIM = text(
    "SELECT block FROM unnest(:blocks) AS block "
    "WHERE pg_try_advisory_lock(:key, CAST(block AS integer))"
).bindparams(bindparam("blocks", type_=ARRAY(BigInteger)), key=_BLOCK_LOCK)


@contextmanager
def claimed(
    sessions: sessionmaker[Session], mention_ids: Sequence[int], *, limit: int
) -> Iterator[list[int]]:
    """Give the first of the mentions that nobody else has claimed, and hold them meanwhile.

    Args:
        sessions: The database.
        mention_ids: Candidates, the most urgent first; `LOOK` for each that is wanted.
        limit: Most that are given.

    """
    engine = sessions.kw["bind"]
    if engine.dialect.name != "postgresql" or not mention_ids:
        yield list(mention_ids[:limit])
        return
    # Not in a transaction, which would stay open for as long as the model takes.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            yield _claim(connection, mention_ids, limit)
        finally:
            connection.execute(text("SELECT pg_advisory_unlock_all()"))


def _claim(connection: Connection, mention_ids: Sequence[int], limit: int) -> list[int]:
    found: list[int] = []
    asked: set[int] = set()
    mine: set[int] = set()
    for start in range(0, len(mention_ids), limit):
        candidates = mention_ids[start : start + limit]
        new = {_block(mention_id) for mention_id in candidates} - asked
        if new:
            asked |= new
            mine.update(connection.scalars(_CLAIM, {"blocks": sorted(new)}))
        found += [mention_id for mention_id in candidates if _block(mention_id) in mine]
        if len(found) >= limit:
            break
    return found[:limit]


def _block(mention_id: int) -> int:
    return mention_id // BLOCK % _MOST_BLOCKS
