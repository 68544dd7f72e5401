from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_link.escalation.drills.score import points, score
from crm_link.escalation.war_room.milestones import Milestone, Timing, timings

OPENED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def timing(what: Milestone, took_min: float | None, limit_min: float | None = 10.0) -> Timing:
    def minutes(number: float | None) -> timedelta | None:
        return None if number is None else timedelta(minutes=number)

    return Timing(what, minutes(took_min), minutes(limit_min))


@pytest.mark.parametrize(
    ("took_min", "share"), [(0, 1.0), (10, 1.0), (20, 0.5), (30, 0.0), (500, 0.0), (None, 0.0)]
)
def test_points_fall_from_the_limit_to_three_times_the_limit(
    took_min: float | None, share: float
) -> None:
    assert points(timing(Milestone.DETECT, took_min)) == pytest.approx(share)


def test_what_has_no_limit_or_is_not_asked_does_not_count() -> None:
    unasked = Timing(Milestone.ACKNOWLEDGE, None, timedelta(minutes=5), is_asked=False)

    assert (
        score([timing(Milestone.DETECT, 5), unasked, timing(Milestone.HOLDING, None, None)]) == 100
    )
    assert score([unasked]) is None


def test_parts_weigh_as_documented() -> None:
    timed = [
        timing(Milestone.DETECT, 5),
        timing(Milestone.ACKNOWLEDGE, None),
        timing(Milestone.HOLDING, 20),
        timing(Milestone.REPLY, 1),
        timing(Milestone.RESOLVE, 10),
    ]

    assert score(timed) == round(25 + 0 + 12.5 + 20)


def test_times_are_taken_from_the_first_post_and_from_the_incident() -> None:
    moments = {
        Milestone.ACKNOWLEDGE: OPENED + timedelta(minutes=4),
        Milestone.HOLDING: None,
        Milestone.REPLY: None,
        Milestone.RESOLVE: None,
    }

    found = timings(
        moments,
        first_post_at=OPENED - timedelta(minutes=7),
        opened_at=OPENED,
        limits={Milestone.ACKNOWLEDGE: timedelta(minutes=5), Milestone.HOLDING: timedelta(hours=1)},
        until=OPENED + timedelta(minutes=30),
    )

    by_name = {one.what: one for one in found}
    assert by_name[Milestone.DETECT].took == timedelta(minutes=7)
    assert by_name[Milestone.ACKNOWLEDGE].is_met is True
    assert by_name[Milestone.HOLDING].is_met is None  # half an hour is left
    assert by_name[Milestone.HOLDING].waited == timedelta(minutes=30)
    assert [one.what for one in found] == list(Milestone)
