from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import FEW_ROWS
from config.language import reading_as, told
from crm_link.models import Flag, FlagStatus, FoldKey
from crm_link.triage import triage_mentions
from listener.models import Mention, MentionAlias, Step
from tests.crm_link.making import (
    NOON,
    MovableClock,
    make_author,
    make_brand,
    make_mentions,
    make_protocol,
)

LONG = "The battery of my new phone swelled up overnight and support keeps telling me to wait"


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


def _triage(sessions: sessionmaker[Session], brand_id: int, ids: list[int]) -> int:
    return triage_mentions(sessions, ids, {brand_id: make_protocol()}, clock=MovableClock())


def _mention(sessions: sessionmaker[Session], mention_id: int) -> Mention:
    with sessions() as session:
        return session.get_one(Mention, mention_id)


def _flag(sessions: sessionmaker[Session], mention_id: int) -> Flag | None:
    with sessions() as session:
        return session.scalar(select(Flag).where(Flag.mention_id == mention_id))


def _edit(sessions: sessionmaker[Session], mention_id: int, text: str, **fields: Any) -> None:
    """Change a mention as an edit on the platform does, once it has been scored again."""
    with sessions.begin() as session:
        session.execute(
            update(Mention)
            .where(Mention.id == mention_id)
            .values(text=text, versions=Mention.versions + 1, pending=Step.TRIAGE, **fields)
        )


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

    assert _triage(sessions, brand_id, [mention_id]) == 1

    mention, flag = _mention(sessions, mention_id), _flag(sessions, mention_id)
    assert (mention.priority, mention.topic, mention.route) == ("risk", "battery", "incident")
    assert mention.pending is None
    assert flag is not None
    assert (flag.status, flag.reason, flag.urgency) == (FlagStatus.OPEN, "risk: caught fire", 45)
    with reading_as("es"):
        assert told(flag.reason) == "riesgo: caught fire"
    assert flag.published_at == mention.published_at


def test_triage_again_changes_nothing(sessions: sessionmaker[Session], brand_id: int) -> None:
    ids = make_mentions(sessions, brand_id, LONG, LONG, "They lost my order again")
    _triage(sessions, brand_id, ids)
    assert _triage(sessions, brand_id, ids) == 0

    with sessions.begin() as session:  # as a step that ran twice leaves it
        session.execute(update(Mention).values(pending=Step.TRIAGE))
    assert _triage(sessions, brand_id, ids) == 3

    assert _mention(sessions, ids[0]).fold_count == 1
    assert _mention(sessions, ids[1]).folded_into_id == ids[0]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Flag)) == 1


def test_only_mentions_that_wait_for_triage_are_done(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    ids = make_mentions(sessions, brand_id, "one", "two", pending=Step.LINK)

    assert _triage(sessions, brand_id, ids) == 0
    assert _mention(sessions, ids[0]).pending is Step.LINK


def test_a_wide_reach_is_flagged(sessions: sessionmaker[Session], brand_id: int) -> None:
    author_id = make_author(sessions, 20_000)
    (mention_id,) = make_mentions(sessions, brand_id, "meh", author_id=author_id)

    _triage(sessions, brand_id, [mention_id])

    flag = _flag(sessions, mention_id)
    assert flag is not None
    assert flag.reason == "wide reach"


def test_a_brand_without_a_protocol_waits_for_nothing(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (mention_id,) = make_mentions(sessions, brand_id, "a lawsuit")

    assert triage_mentions(sessions, [mention_id], {}, clock=MovableClock()) == 1

    assert _mention(sessions, mention_id).priority == "other"
    assert _flag(sessions, mention_id) is None


def test_reposts_fold_into_their_original_with_a_count(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (original,) = make_mentions(sessions, brand_id, "They lost my order", external_id="o1")
    reposts = make_mentions(sessions, brand_id, *["They lost my order"] * 3, repost_of_id="o1")

    _triage(sessions, brand_id, [*reposts[::-1], original])

    assert _mention(sessions, original).fold_count == 3
    assert {_mention(sessions, one).folded_into_id for one in reposts} == {original}
    assert [_flag(sessions, one) for one in reposts] == [None] * 3
    assert _flag(sessions, original) is not None


def test_a_repost_of_an_earlier_version_folds_into_the_edited_post(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (original,) = make_mentions(sessions, brand_id, "now otherwise", external_id="o2")
    with sessions.begin() as session:
        session.add(
            MentionAlias(brand_id=brand_id, platform="x", external_id="o1", mention_id=original)
        )
    (repost,) = make_mentions(sessions, brand_id, "as it was", repost_of_id="o1")

    _triage(sessions, brand_id, [original, repost])

    assert _mention(sessions, repost).folded_into_id == original


def test_reposts_of_an_original_that_nobody_has_fold_into_the_first(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    first, second = make_mentions(sessions, brand_id, "short", "short", repost_of_id="gone")
    _triage(sessions, brand_id, [first])
    _triage(sessions, brand_id, [second])

    assert _mention(sessions, second).folded_into_id == first
    assert _mention(sessions, first).fold_count == 1


def test_an_original_that_comes_later_takes_its_reposts_over(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    first, second = make_mentions(
        sessions, brand_id, *["They lost my order and my temper"] * 2, repost_of_id="late"
    )
    _triage(sessions, brand_id, [first, second])
    assert _flag(sessions, first) is not None
    (original,) = make_mentions(
        sessions, brand_id, "They lost my order and my temper", external_id="late"
    )

    _triage(sessions, brand_id, [original])

    assert _mention(sessions, original).fold_count == 2
    assert _mention(sessions, original).folded_into_id is None
    assert _mention(sessions, first).folded_into_id == original
    assert _mention(sessions, first).fold_count == 0
    assert _mention(sessions, second).folded_into_id == original
    flag = _flag(sessions, first)
    assert flag is not None
    assert flag.status is FlagStatus.DISMISSED


@pytest.mark.parametrize(
    "copy",
    [
        LONG,
        LONG.upper() + "!!! https://t.co/abc123",
        f"RT @someone: {LONG} #fail",
        LONG.replace("swelled", "swélled"),
        LONG.replace("overnight", "tonight"),
        f"so true: {LONG}",
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_text_that_says_the_same_is_folded(
    sessions: sessionmaker[Session], brand_id: int, copy: str, *, together: bool
) -> None:
    first, second = make_mentions(sessions, brand_id, LONG, copy)

    for batch in [[first, second]] if together else [[first], [second]]:
        _triage(sessions, brand_id, batch)

    assert _mention(sessions, second).folded_into_id == first
    assert _mention(sessions, first).fold_count == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("worst service ever", "worst service ever"),
        (LONG, "The camera of my new phone is broken and support keeps telling me to buy another"),
        (
            "My order 4711234 has not arrived for three weeks now, please do something",
            "My order 4799999 has not arrived for three weeks now, please do something",
        ),
    ],
)
def test_what_two_people_say_for_themselves_is_not_folded(
    sessions: sessionmaker[Session], brand_id: int, one: str, other: str
) -> None:
    ids = make_mentions(sessions, brand_id, one, other)

    _triage(sessions, brand_id, ids)

    assert [_mention(sessions, each).folded_into_id for each in ids] == [None, None]


def test_the_same_text_weeks_later_stands_alone(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (old,) = make_mentions(sessions, brand_id, LONG, published_at=NOON - timedelta(days=20))
    (new,) = make_mentions(sessions, brand_id, LONG)

    _triage(sessions, brand_id, [old, new])

    assert _mention(sessions, new).folded_into_id is None


def test_brands_do_not_fold_into_each_other(sessions: sessionmaker[Session], brand_id: int) -> None:
    other = make_brand(sessions, "other")
    (mine,) = make_mentions(sessions, brand_id, LONG)
    (theirs,) = make_mentions(sessions, other, LONG)

    _triage(sessions, brand_id, [mine, theirs])

    assert _mention(sessions, theirs).folded_into_id is None


def test_an_edited_copy_stands_alone_again_and_is_flagged(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    first, second = make_mentions(sessions, brand_id, LONG, LONG)
    _triage(sessions, brand_id, [first, second])

    _edit(sessions, second, "It caught fire in the end, there will be a lawsuit about it, I swear")
    _triage(sessions, brand_id, [second])

    assert _mention(sessions, second).folded_into_id is None
    assert _mention(sessions, first).fold_count == 0
    assert _flag(sessions, second) is not None


def test_copies_of_a_text_that_was_edited_away_are_looked_at_again(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    attack = "There will be a lawsuit against them, the whole thing caught fire in my kitchen"
    first, second, third = make_mentions(sessions, brand_id, attack, attack, attack)
    _triage(sessions, brand_id, [first, second, third])
    assert _flag(sessions, second) is None

    _edit(sessions, first, "Sorry, all of this turned out to be my own mistake, nothing burned")
    _triage(sessions, brand_id, [first])
    assert _mention(sessions, first).fold_count == 0
    _triage(sessions, brand_id, [second, third])

    assert _mention(sessions, third).folded_into_id == second
    flags = [_flag(sessions, one) for one in (first, second, third)]
    assert flags[0] is not None
    assert flags[0].status is FlagStatus.DISMISSED
    assert flags[1] is not None
    assert flags[1].status is FlagStatus.OPEN
    assert flags[2] is None


def test_what_a_person_closed_stays_closed_unless_it_got_worse(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (mention_id,) = make_mentions(sessions, brand_id, "They lost my order")
    _triage(sessions, brand_id, [mention_id])
    with sessions.begin() as session:
        session.execute(update(Flag).values(status=FlagStatus.DONE, closed_by="a@b.c"))

    _edit(sessions, mention_id, "They lost my order. Edit: still")
    _triage(sessions, brand_id, [mention_id])
    flag = _flag(sessions, mention_id)
    assert flag is not None
    assert flag.status is FlagStatus.DONE

    _edit(sessions, mention_id, "They lost my order. Edit: there will be a lawsuit")
    _triage(sessions, brand_id, [mention_id])
    flag = _flag(sessions, mention_id)
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
        _triage(sessions, brand_id, few)
    with _counted(engine) as big:
        _triage(sessions, brand_id, many)

    assert big["queries"] <= small["queries"] + 6  # those of candidates and counts, not per mention


def test_two_workers_on_one_batch_fold_and_count_once(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    ids = make_mentions(sessions, brand_id, *[LONG] * 40)
    start = Barrier(4)

    def work(part: int) -> int:
        start.wait()
        return _triage(sessions, brand_id, ids if part % 2 else ids[::-1])

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(work, range(4)))

    assert done == 40
    assert _mention(sessions, ids[0]).fold_count == 39
    with sessions() as session:
        targets = set(session.scalars(select(FoldKey.mention_id)))
    assert targets == {ids[0]}


def test_two_workers_on_two_batches_keep_one_original(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    ids = make_mentions(sessions, brand_id, *[LONG] * 40)
    start = Barrier(4)

    def work(part: int) -> int:
        start.wait()
        return _triage(sessions, brand_id, ids[part::4])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 40

    with sessions() as session:
        alone = session.execute(
            select(Mention.id, Mention.fold_count).where(Mention.folded_into_id.is_(None))
        ).all()
    assert [row.fold_count for row in alone] == [39]
