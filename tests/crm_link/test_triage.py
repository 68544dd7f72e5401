from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import FEW_ROWS
from config.language import reading_as, told
from crm_link.models import Flag, FlagStatus
from crm_link.triage import triage_mentions
from listener.models import Mention, Step
from tests.crm_link.making import (
    MovableClock,
    make_author,
    make_brand,
    make_mentions,
)
from tests.crm_link.triaging import edit, find_flag, get_mention, triage

LONG = "The battery of my new phone swelled up overnight and support keeps telling me to wait"


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


@contextmanager
def _counted(engine: Engine) -> Iterator[Counter[str]]:
    seen: Counter[str] = Counter()

    def count(*args: Any) -> None:
        seen["queries"] += 1

    event.listen(engine, "before_cursor_execute", count)
    yield seen
    event.remove(engine, "before_cursor_execute", count)


def test_a_mention_gets_priority_topic_route_and_a_flag(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (mention_id,) = make_mentions(sessions, brand_id, "The BATTERY caught fire, I call a lawyer")

    assert triage(sessions, brand_id, [mention_id]) == 1

    mention, flag = get_mention(sessions, mention_id), find_flag(sessions, mention_id)
    assert (mention.priority, mention.topic, mention.route) == ("risk", "battery", "incident")
    assert mention.pending is None
    assert flag is not None
    assert (flag.status, flag.reason, flag.urgency) == (FlagStatus.OPEN, "risk: caught fire", 45)
    with reading_as("es"):
        assert told(flag.reason) == "riesgo: caught fire"
    assert flag.published_at == mention.published_at


def test_triage_again_changes_nothing(sessions: sessionmaker[Session], brand_id: int) -> None:
    ids = make_mentions(sessions, brand_id, LONG, LONG, "They lost my order again")
    triage(sessions, brand_id, ids)
    assert triage(sessions, brand_id, ids) == 0

    with sessions.begin() as session:  # as a step that ran twice leaves it
        session.execute(update(Mention).values(pending=Step.TRIAGE))
    assert triage(sessions, brand_id, ids) == 3

    assert get_mention(sessions, ids[0]).fold_count == 1
    assert get_mention(sessions, ids[1]).folded_into_id == ids[0]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Flag)) == 1


def test_only_mentions_that_wait_for_triage_are_done(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    ids = make_mentions(sessions, brand_id, "one", "two", pending=Step.LINK)

    assert triage(sessions, brand_id, ids) == 0
    assert get_mention(sessions, ids[0]).pending is Step.LINK


def test_a_wide_reach_is_flagged(sessions: sessionmaker[Session], brand_id: int) -> None:
    author_id = make_author(sessions, 20_000)
    (mention_id,) = make_mentions(sessions, brand_id, "meh", author_id=author_id)

    triage(sessions, brand_id, [mention_id])

    flag = find_flag(sessions, mention_id)
    assert flag is not None
    assert flag.reason == "wide reach"


def test_a_brand_without_a_protocol_waits_for_nothing(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (mention_id,) = make_mentions(sessions, brand_id, "a lawsuit")

    assert triage_mentions(sessions, [mention_id], {}, clock=MovableClock()) == 1

    assert get_mention(sessions, mention_id).priority == "other"
    assert find_flag(sessions, mention_id) is None


def test_what_a_person_closed_stays_closed_unless_it_got_worse(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (mention_id,) = make_mentions(sessions, brand_id, "They lost my order")
    triage(sessions, brand_id, [mention_id])
    with sessions.begin() as session:
        session.execute(update(Flag).values(status=FlagStatus.DONE, closed_by="a@b.c"))

    edit(sessions, mention_id, "They lost my order. Edit: still")
    triage(sessions, brand_id, [mention_id])
    flag = find_flag(sessions, mention_id)
    assert flag is not None
    assert flag.status is FlagStatus.DONE

    edit(sessions, mention_id, "They lost my order. Edit: there will be a lawsuit")
    triage(sessions, brand_id, [mention_id])
    flag = find_flag(sessions, mention_id)
    assert flag is not None
    assert (flag.status, flag.closed_by, flag.reason) == (FlagStatus.OPEN, None, "risk: lawsuit")


def test_a_batch_takes_the_same_number_of_queries_however_big(
    sessions: sessionmaker[Session], brand_id: int, engine: Engine
) -> None:
    # More than go to PostgreSQL without a staging table: both are written in the same way.
    few = make_mentions(
        sessions, brand_id, *[f"my order {n} is lost" for n in range(FEW_ROWS + 10)]
    )
    many = make_mentions(
        sessions,
        brand_id,
        *[f"{LONG} {n % 50} {'x' * (n % 7)} my order is lost" for n in range(200)],
    )
    with _counted(engine) as small:
        triage(sessions, brand_id, few)
    with _counted(engine) as big:
        triage(sessions, brand_id, many)

    assert big["queries"] <= small["queries"] + 6  # those of candidates and counts, not per mention
