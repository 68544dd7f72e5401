"""What a batch of linking costs: queries for all of it, not for each author."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import FEW_ROWS
from crm_link.models import IdentityLink
from crm_link.service import link_mentions
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.make import NOW


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_a_large_batch_takes_as_many_queries_as_a_smaller_one(
    sessions: sessionmaker[Session], engine: Engine
) -> None:
    # Both are larger than what goes to PostgreSQL without a staging table: written the same way.
    smaller, larger = FEW_ROWS + 5, 3 * FEW_ROWS
    people = range(smaller + larger)
    sync(sessions, *(make_record(f"c{n}", handles=(("mastodon", f"user-{n}"),)) for n in people))
    ids = [
        add_mention(sessions, {"handle": f"user-{n}"}, text="I am at 202-224-2315")[0]
        for n in people
    ]

    with counted(engine) as few:
        assert link(sessions, ids[:smaller]) == smaller
    with counted(engine) as many:
        assert link(sessions, ids[smaller:]) == larger

    assert len(many) <= len(few) + 2
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(IdentityLink)) == len(people)


def link(sessions: sessionmaker[Session], mention_ids: list[int]) -> int:
    return link_mentions(sessions, mention_ids, clock=lambda: NOW, context=CONTEXT)
