"""Reposts and texts that say the same fold into one mention, whatever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.models import FlagStatus, FoldKey
from listener.models import Mention, MentionAlias
from tests.crm_link.making import (
    NOON,
    make_brand,
    make_mentions,
)
from tests.crm_link.triaging import edit, find_flag, get_mention, triage

LONG = "The battery of my new phone swelled up overnight and support keeps telling me to wait"


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


def test_reposts_fold_into_their_original_with_a_count(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (original,) = make_mentions(sessions, brand_id, "They lost my order", external_id="o1")
    reposts = make_mentions(sessions, brand_id, *["They lost my order"] * 3, repost_of_id="o1")

    triage(sessions, brand_id, [*reposts[::-1], original])

    assert get_mention(sessions, original).fold_count == 3
    assert {get_mention(sessions, one).folded_into_id for one in reposts} == {original}
    assert [find_flag(sessions, one) for one in reposts] == [None] * 3
    assert find_flag(sessions, original) is not None


def test_a_repost_of_an_earlier_version_folds_into_the_edited_post(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (original,) = make_mentions(sessions, brand_id, "now otherwise", external_id="o2")
    with sessions.begin() as session:
        session.add(
            MentionAlias(brand_id=brand_id, platform="x", external_id="o1", mention_id=original)
        )
    (repost,) = make_mentions(sessions, brand_id, "as it was", repost_of_id="o1")

    triage(sessions, brand_id, [original, repost])

    assert get_mention(sessions, repost).folded_into_id == original


def test_reposts_of_an_original_that_nobody_has_fold_into_the_first(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    first, second = make_mentions(sessions, brand_id, "short", "short", repost_of_id="gone")
    triage(sessions, brand_id, [first])
    triage(sessions, brand_id, [second])

    assert get_mention(sessions, second).folded_into_id == first
    assert get_mention(sessions, first).fold_count == 1


def test_an_original_that_comes_later_takes_its_reposts_over(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    first, second = make_mentions(
        sessions, brand_id, *["They lost my order and my temper"] * 2, repost_of_id="late"
    )
    triage(sessions, brand_id, [first, second])
    assert find_flag(sessions, first) is not None
    (original,) = make_mentions(
        sessions, brand_id, "They lost my order and my temper", external_id="late"
    )

    triage(sessions, brand_id, [original])

    assert get_mention(sessions, original).fold_count == 2
    assert get_mention(sessions, original).folded_into_id is None
    assert get_mention(sessions, first).folded_into_id == original
    assert get_mention(sessions, first).fold_count == 0
    assert get_mention(sessions, second).folded_into_id == original
    flag = find_flag(sessions, first)
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
        triage(sessions, brand_id, batch)

    assert get_mention(sessions, second).folded_into_id == first
    assert get_mention(sessions, first).fold_count == 1


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

    triage(sessions, brand_id, ids)

    assert [get_mention(sessions, each).folded_into_id for each in ids] == [None, None]


def test_the_same_text_weeks_later_stands_alone(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    (old,) = make_mentions(sessions, brand_id, LONG, published_at=NOON - timedelta(days=20))
    (new,) = make_mentions(sessions, brand_id, LONG)

    triage(sessions, brand_id, [old, new])

    assert get_mention(sessions, new).folded_into_id is None


def test_brands_do_not_fold_into_each_other(sessions: sessionmaker[Session], brand_id: int) -> None:
    other = make_brand(sessions, "other")
    (mine,) = make_mentions(sessions, brand_id, LONG)
    (theirs,) = make_mentions(sessions, other, LONG)

    triage(sessions, brand_id, [mine, theirs])

    assert get_mention(sessions, theirs).folded_into_id is None


def test_an_edited_copy_stands_alone_again_and_is_flagged(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    first, second = make_mentions(sessions, brand_id, LONG, LONG)
    triage(sessions, brand_id, [first, second])

    edit(sessions, second, "It caught fire in the end, there will be a lawsuit about it, I swear")
    triage(sessions, brand_id, [second])

    assert get_mention(sessions, second).folded_into_id is None
    assert get_mention(sessions, first).fold_count == 0
    assert find_flag(sessions, second) is not None


def test_copies_of_a_text_that_was_edited_away_are_looked_at_again(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    attack = "There will be a lawsuit against them, the whole thing caught fire in my kitchen"
    first, second, third = make_mentions(sessions, brand_id, attack, attack, attack)
    triage(sessions, brand_id, [first, second, third])
    assert find_flag(sessions, second) is None

    edit(sessions, first, "Sorry, all of this turned out to be my own mistake, nothing burned")
    triage(sessions, brand_id, [first])
    assert get_mention(sessions, first).fold_count == 0
    triage(sessions, brand_id, [second, third])

    assert get_mention(sessions, third).folded_into_id == second
    flags = [find_flag(sessions, one) for one in (first, second, third)]
    assert flags[0] is not None
    assert flags[0].status is FlagStatus.DISMISSED
    assert flags[1] is not None
    assert flags[1].status is FlagStatus.OPEN
    assert flags[2] is None


def test_two_workers_on_one_batch_fold_and_count_once(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    ids = make_mentions(sessions, brand_id, *[LONG] * 40)
    start = Barrier(4)

    def work(part: int) -> int:
        start.wait()
        return triage(sessions, brand_id, ids if part % 2 else ids[::-1])

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(work, range(4)))

    assert done == 40
    assert get_mention(sessions, ids[0]).fold_count == 39
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
        return triage(sessions, brand_id, ids[part::4])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 40

    with sessions() as session:
        alone = session.execute(
            select(Mention.id, Mention.fold_count).where(Mention.folded_into_id.is_(None))
        ).all()
    assert [row.fold_count for row in alone] == [39]
