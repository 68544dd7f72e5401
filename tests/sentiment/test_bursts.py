"""The burst index through the database: bootstrap, restart, late posts, silence, attacks."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from config.db import make_sessions
from crm_link.types import Priority
from listener.models import Brand, Gap, Mention, Source, SourceState
from listener.types import GapKind
from sentiment.bursts.counts import topic_counts, weighed_counts
from sentiment.bursts.readings import Burst, bursts_of, high_bursts, rest_burst
from sentiment.bursts.service import forget_bursts, step_bursts
from sentiment.models import BurstState
from tests.crm_link.escalation.test_why import make_author
from tests.crm_link.making import MovableClock, make_burst
from tests.sentiment.burst_series import START, background, poisson
from tests.sentiment.burst_volumes import STEP, add_brand, states, store_counts

HISTORY_DAYS = 11
#: When the made-up history ends and the test begins.
NOW = START + timedelta(days=HISTORY_DAYS)


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one call take in everything, however busy the machine is."""
    monkeypatch.setattr("sentiment.bursts.service.BUDGET_S", 600.0)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    brand_id = add_brand(sessions, START)
    store_counts(sessions, brand_id, START, background(10, HISTORY_DAYS, seed=3))
    return brand_id


def _burst(sessions: sessionmaker[Session], brand_id: int, now: datetime) -> Burst:
    with sessions() as session:
        return bursts_of(session, brand_id, now)[""]


def _add_source(sessions: sessionmaker[Session], brand_id: int, **fields: Any) -> int:
    values: dict[str, Any] = {
        "brand_id": brand_id,
        "name": "news",
        "platform": "rss",
        "options": {},
        "every_s": 60.0,
        "state": SourceState.OK,
        "last_attempt_at": NOW,
        "last_success_at": NOW,
        "created_at": START,
    }
    with sessions.begin() as session:
        source = Source(**(values | fields))
        session.add(source)
        session.flush()
        return source.id


def _walk(
    sessions: sessionmaker[Session],
    brand_id: int,
    clock: MovableClock,
    counts: list[int],
    *,
    source_id: int | None = None,
) -> list[float]:
    """Let time pass bucket by bucket; return the index after each."""
    indices = []
    for count in counts:
        store_counts(sessions, brand_id, clock(), [count])
        clock.forward(minutes=5)
        if source_id is not None:
            with sessions.begin() as session:
                session.execute(
                    update(Source)
                    .where(Source.id == source_id)
                    .values(last_success_at=clock(), last_attempt_at=clock())
                )
        step_bursts(sessions, clock=clock)
        indices.append(_burst(sessions, brand_id, clock()).index)
    return indices


def test_stored_history_calibrates_the_detectors_and_raises_nothing(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    store_counts(sessions, brand_id, NOW - timedelta(days=2), [100] * 12)  # an old attack

    taken = step_bursts(sessions, clock=clock)

    # Reach and risk are counted in the mentions, of which there are none.
    assert taken == 5 * (10 * 288 - 1)
    found = states(sessions)
    assert {key[1:] for key in found} == {
        ("", "share", "attack"),
        ("", "share", "slow_share"),
        ("", "negative", "default"),
        ("", "negative", "slow"),
        ("", "reach", "default"),
        ("", "risk", "default"),
        ("", "all", "default"),
    }
    assert all(state[0] == NOW - STEP for state in found.values())
    assert _burst(sessions, brand_id, NOW).index < 1


def test_a_restart_in_the_middle_changes_nothing(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    rng = random.Random(5)
    counts = [poisson(rng, 1) for _ in range(30)] + [15] * 6
    other = add_brand(sessions, START, "other")
    store_counts(sessions, other, START, background(10, HISTORY_DAYS, seed=3))
    for number, count in enumerate(counts):
        store_counts(sessions, brand_id, clock(), [count])
        store_counts(sessions, other, clock(), [count])
        clock.forward(minutes=5)
        step_bursts(sessions, clock=clock)
        if number % 7 == 0:
            # Another process over the same database, which has nothing in its memory.
            sessions = make_sessions(sessions.kw["bind"])
    with sessions.begin() as session:
        forget_bursts(session, [other])

    step_bursts(make_sessions(sessions.kw["bind"]), clock=clock)

    found = states(sessions)
    for kind, config in (("negative", "default"), ("negative", "slow"), ("all", "default")):
        stopped, replayed = found[brand_id, "", kind, config], found[other, "", kind, config]
        assert stopped[0] == replayed[0]
        # The replay begins three hours later in the past: almost the same, and the same alert.
        assert stopped[1] == pytest.approx(replayed[1], rel=0.1)


def test_many_processes_end_with_exactly_the_state_of_one(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    twin = add_brand(sessions, START, "twin")
    store_counts(sessions, twin, START, background(10, HISTORY_DAYS, seed=3))
    engine = sessions.kw["bind"]
    step_bursts(sessions, clock=clock)
    first, second = make_sessions(engine), make_sessions(engine)
    rng = random.Random(9)
    for number in range(12):
        count = poisson(rng, 3)
        for one in (brand_id, twin):
            store_counts(sessions, one, clock(), [count])
        clock.forward(minutes=5)
        worker = (first, second, make_sessions(engine))[number % 3]
        step_bursts(worker, clock=clock)
        step_bursts(worker, clock=clock)

    with sessions() as session:
        bound = clock() - STEP
        rows = session.execute(select(BurstState.stepped_to, BurstState.state)).all()
    assert {row.stepped_to for row in rows} == {bound}
    found = states(sessions)
    mine = {key[1:]: state for key, state in found.items() if key[0] == brand_id}
    assert len(mine) == 7
    assert mine == {key[1:]: state for key, state in found.items() if key[0] == twin}
    alone = make_sessions(engine)
    with alone.begin() as session:
        session.execute(update(Brand).where(Brand.id == twin).values(is_active=False))
    assert mine == _replayed(alone, brand_id, clock)


def _replayed(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> dict[tuple[str, ...], tuple[object, ...]]:
    """Return the states that one process makes that began where the first look did."""
    with sessions.begin() as session:
        forget_bursts(session, [brand_id])
    end, clock.now = clock(), NOW
    step_bursts(sessions, clock=clock)
    clock.now = end
    step_bursts(sessions, clock=clock)
    found = states(sessions)
    return {key[1:]: state for key, state in found.items() if key[0] == brand_id}


def test_a_back_fill_raises_nothing_and_changes_no_detector(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    step_bursts(sessions, clock=clock)
    before = states(sessions)
    store_counts(sessions, brand_id, NOW - timedelta(hours=2), [200] * 20)
    clock.forward(seconds=30)

    step_bursts(sessions, clock=clock)

    assert states(sessions) == before
    with sessions() as session:
        assert high_bursts(session, clock()) == {}


def test_an_attack_of_five_times_the_mean_is_found_within_an_hour(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    rng, found = random.Random(1), 0
    brands = [add_brand(sessions, START, f"brand{number}") for number in range(6)]
    for number, brand_id in enumerate(brands):
        store_counts(sessions, brand_id, START, background(12, HISTORY_DAYS, seed=number))
    step_bursts(sessions, clock=clock)
    alerted: set[int] = set()
    for _ in range(12):
        for brand_id in brands:
            store_counts(sessions, brand_id, clock(), [poisson(rng, 1 + 5)])
        clock.forward(minutes=5)
        step_bursts(sessions, clock=clock)
        with sessions() as session:
            alerted |= {
                brand
                for brand, each in high_bursts(session, clock()).items()
                if each[""].index >= 1
            }
    found = len(alerted)

    assert found >= 5


def test_an_alert_does_not_wait_for_the_end_of_the_bucket(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    step_bursts(sessions, clock=clock)
    store_counts(sessions, brand_id, NOW, [40])
    clock.forward(minutes=1)

    step_bursts(sessions, clock=clock)

    burst = _burst(sessions, brand_id, clock())
    assert burst.index > 2
    assert burst.seen >= 40
    clock.forward(minutes=10)
    step_bursts(sessions, clock=clock)
    assert _burst(sessions, brand_id, clock()).index > 1.5  # closed meanwhile, and taken in


def test_a_silent_source_is_no_calm(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    source_id = _add_source(sessions, brand_id)
    _walk(sessions, brand_id, clock, [20] * 4, source_id=source_id)
    with sessions.begin() as session:
        session.execute(
            update(Source).where(Source.id == source_id).values(state=SourceState.FAILING)
        )
    clock.forward(minutes=5)
    step_bursts(sessions, clock=clock)
    at_failure = _burst(sessions, brand_id, clock())

    for _ in range(6):
        clock.forward(minutes=30)
        step_bursts(sessions, clock=clock)

    after = _burst(sessions, brand_id, clock())
    assert at_failure.index > 1
    assert after.index == at_failure.index
    assert not after.is_known


def test_an_open_gap_makes_its_buckets_unknown(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    source_id = _add_source(sessions, brand_id)
    step_bursts(sessions, clock=clock)
    with sessions.begin() as session:
        session.add(
            Gap(
                source_id=source_id,
                kind=next(iter(GapKind)),
                from_at=NOW,
                to_at=NOW + STEP,
                detail="made up",
                found_at=NOW,
            )
        )

    _walk(sessions, brand_id, clock, [0, 0], source_id=source_id)
    known = [_burst(sessions, brand_id, clock()).is_known]
    _walk(sessions, brand_id, clock, [0], source_id=source_id)
    known.append(_burst(sessions, brand_id, clock()).is_known)

    assert known == [False, True]


def test_a_bucket_is_not_closed_before_the_sources_have_read_it(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    _add_source(sessions, brand_id, every_s=1800.0)
    clock.forward(minutes=20)

    step_bursts(sessions, clock=clock)

    with sessions() as session:
        assert set(session.scalars(select(BurstState.stepped_to))) == {NOW - STEP}


def test_topics_have_detectors_of_their_own(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    step_bursts(sessions, clock=clock)
    make_burst(sessions, brand_id, 30, topic="battery", published_at=NOW + timedelta(minutes=1))
    clock.forward(minutes=2)

    step_bursts(sessions, clock=clock)

    with sessions() as session:
        bursts = high_bursts(session, clock())[brand_id]
        counted = topic_counts(session, [brand_id], NOW, NOW + STEP)
    assert counted == {(brand_id, "battery"): {NOW: 30}}
    assert bursts["battery"].index > 1
    assert bursts["battery"].seen == 30
    assert bursts[""].index > 1


def test_reach_and_risk_are_counted_among_the_negatives(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    at = NOW + timedelta(minutes=1)
    first, *_ = make_burst(sessions, brand_id, 3, published_at=at)
    make_burst(sessions, brand_id, 1, published_at=at, label="positive", external_id="other")
    with sessions.begin() as session:
        author_id = make_author(session, 1, NOW, followers=2_000_000)
        session.execute(
            update(Mention)
            .where(Mention.id == first)
            .values(author_id=author_id, priority=Priority.RISK)
        )

    with sessions() as session:
        counted = weighed_counts(session, [brand_id], NOW, NOW + STEP)

    assert counted == {(brand_id, "reach"): {NOW: 7 + 1 + 1}, (brand_id, "risk"): {NOW: 1}}


def test_an_attack_is_what_raises_the_share_not_what_raises_all(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    attacked, praised = (add_brand(sessions, START, key) for key in ("attacked", "praised"))
    for brand_id in (attacked, praised):
        store_counts(sessions, brand_id, START, background(10, HISTORY_DAYS, seed=3))
        for label in ("neutral", "positive"):
            more = background(10, HISTORY_DAYS, seed=4)
            store_counts(sessions, brand_id, START, more, label=label)
    step_bursts(sessions, clock=clock)
    store_counts(sessions, attacked, NOW, [9])
    store_counts(sessions, praised, NOW, [9])
    store_counts(sessions, praised, NOW, [40], label="positive")
    clock.forward(minutes=1)

    step_bursts(sessions, clock=clock)

    assert _burst(sessions, attacked, clock()).index > _burst(sessions, praised, clock()).index


def test_what_was_settled_or_belongs_to_a_topic_is_taken_out_of_the_burst(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    step_bursts(sessions, clock=clock)
    make_burst(sessions, brand_id, 30, topic="battery", published_at=NOW + timedelta(minutes=1))
    clock.forward(minutes=2)
    step_bursts(sessions, clock=clock)

    def rest(**given: Any) -> Burst:
        with sessions() as session:
            found = rest_burst(
                session,
                brand_id,
                "",
                **({"since": None, "without": {}} | given),
                now=clock(),
            )
        assert found is not None
        return found

    assert rest().index == pytest.approx(_burst(sessions, brand_id, clock()).index)
    assert rest(without={"battery": None}).index < 0.5
    assert rest(without={"battery": clock() + STEP}).index < 0.5
    assert rest(without={"battery": NOW}).index == pytest.approx(rest().index, rel=0.2)
    assert rest(since=NOW).index > 1
    assert rest(since=NOW + STEP).index < 0.5


def test_a_history_that_is_imported_later_is_learned_by_forgetting(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = add_brand(sessions, START)
    step_bursts(sessions, clock=clock)
    with sessions() as session:
        assert bursts_of(session, brand_id, NOW) == {}  # nothing is known yet
    store_counts(sessions, brand_id, START, background(10, HISTORY_DAYS, seed=3))
    with sessions.begin() as session:
        forget_bursts(session, [brand_id])
    clock.forward(minutes=5)

    for _ in range(3):
        clock.forward(minutes=5)
        step_bursts(sessions, clock=clock)

    assert _burst(sessions, brand_id, clock()).index < 1
