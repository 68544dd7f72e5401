"""Budgets of calls are shared by all processes, through the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import BudgetExhaustedError
from crm_link.calls.account_limits import own_limits
from crm_link.calls.budget_meter import ASK_AGAIN_S, PLACE_LEASE_S, BudgetMeter
from crm_link.calls.budgets import DAY_S, Heard, Limit
from tests.crm_link.making import MovableClock

BURST = Limit("burst", 100, 10.0)


def make_meter(
    sessions: sessionmaker[Session], clock: MovableClock, *limits: Limit, crm: str = "made_up"
) -> BudgetMeter:
    return BudgetMeter(
        sessions,
        crm,
        limits or (BURST,),
        clock=clock,
        sleep=lambda seconds: clock.forward(seconds=seconds),
    )


def test_no_window_has_more_calls_than_allowed_whoever_makes_them(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    meters = [make_meter(sessions, clock) for _ in range(2)]
    times = []
    for number in range(150):
        meters[number % 2].take({"burst": 1})
        times.append(clock.now)

    most = max(
        sum(0 <= (other - one).total_seconds() < BURST.window_s for other in times) for one in times
    )
    assert most <= BURST.size
    # And not much fewer: nobody waits for nothing.
    assert most >= 0.9 * BURST.size
    assert (times[-1] - times[0]).total_seconds() < 17


def test_a_crm_without_published_limits_has_those_that_are_set() -> None:
    assert own_limits(0, 0).of == ()
    assert own_limits(0, 0).costs("POST", "/", None) == {}
    some = own_limits(30, 2)
    assert some.of == (Limit("minute", 30, 60.0), Limit("at once", 2, 0.0))
    assert some.costs("POST", "/", None) == {"minute": 1, "at once": 1}
    assert own_limits(0, 2).costs("POST", "/", None) == {"at once": 1}


def test_accounts_have_budgets_of_their_own(sessions: sessionmaker[Session]) -> None:
    clock = MovableClock()
    began = clock.now
    one = make_meter(sessions, clock, Limit("daily", 10, DAY_S), crm="made_up")
    other = make_meter(sessions, clock, Limit("daily", 10, DAY_S), crm="made_up:emea")

    one.take({"daily": 1})
    other.take({"daily": 1})

    assert clock.now == began


def test_a_long_wait_is_said_and_takes_nothing(sessions: sessionmaker[Session]) -> None:
    clock = MovableClock()
    meter = make_meter(sessions, clock, BURST, Limit("daily", 10, DAY_S))
    meter.take({"burst": 1, "daily": 1})

    with pytest.raises(BudgetExhaustedError, match="budget of 10") as caught:
        meter.take({"burst": 1, "daily": 1})

    assert caught.value.resume_after_s == pytest.approx(DAY_S / 9, rel=0.01)
    clock.forward(seconds=caught.value.resume_after_s)
    meter.take({"burst": 1, "daily": 1})


def test_a_pause_holds_for_all_and_ends(sessions: sessionmaker[Session]) -> None:
    clock = MovableClock()
    meter, other = (make_meter(sessions, clock) for _ in range(2))
    meter.take({"burst": 1})
    meter.pause("burst", 60.0, "the limit is used up")

    with pytest.raises(BudgetExhaustedError, match="the limit is used up") as caught:
        other.take({"burst": 1})

    assert caught.value.resume_after_s == 60
    clock.forward(seconds=61)
    other.take({"burst": 1})


def test_the_last_calls_of_the_day_are_left_to_other_programs(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    meter, other = (make_meter(sessions, clock, Limit("daily", 1000, DAY_S)) for _ in range(2))
    meter.hear({"daily": Heard(40, 1000)})

    with pytest.raises(BudgetExhaustedError, match="40 of 1,000 calls"):
        other.take({"daily": 1})

    clock.forward(seconds=ASK_AGAIN_S + 1)
    other.take({"daily": 1})
    other.hear({"daily": Heard(900, 1000)})
    clock.forward(seconds=31)
    other.hear({"daily": Heard(899, 1000)})
    meter.take({"daily": 1})


def test_calls_at_one_moment_are_limited_and_a_killed_ones_place_comes_free(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    meter = make_meter(sessions, clock, Limit("at once", 2, 0.0))
    first = meter.take({"at once": 1})
    meter.take({"at once": 1})

    with pytest.raises(BudgetExhaustedError, match="2 calls at once"):
        meter.take({"at once": 1})
    meter.give_back(first)
    meter.take({"at once": 1})
    clock.forward(seconds=PLACE_LEASE_S + 1)  # the others were killed
    meter.take({"at once": 1})


def test_processes_at_the_same_moment_take_no_token_twice(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    limit = Limit("daily", 100, DAY_S)  # 10 at once

    def take(number: int) -> bool:
        del number
        try:
            make_meter(sessions, clock, limit).take({"daily": 1})
        except BudgetExhaustedError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(take, range(16)))

    assert taken == 10
