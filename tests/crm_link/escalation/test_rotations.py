from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from crm_link.escalation.duty.rotations import turn_at, turns
from crm_link.escalation.protocol_parts.on_call import Rotation

MADRID = ZoneInfo("Europe/Madrid")


def _rotation(**changes: object) -> Rotation:
    values: dict[str, object] = {
        "tz": "Europe/Madrid",
        "members": ("anna", "ben", "dora"),
        "start": date(2026, 1, 5),
        "every": timedelta(days=7),
    }
    return Rotation.model_validate(values | changes)


def _member(rotation: Rotation, moment: datetime) -> str | None:
    turn = turn_at(rotation, moment)
    return None if turn is None else turn.member


def test_turns_change_at_the_hand_over_and_go_round() -> None:
    rotation = _rotation()
    first = datetime(2026, 1, 5, 9, 0, tzinfo=MADRID)

    assert _member(rotation, first - timedelta(seconds=1)) is None
    assert _member(rotation, first) == "anna"
    assert _member(rotation, first + timedelta(days=7, seconds=-1)) == "anna"
    assert [_member(rotation, first + timedelta(days=7 * n)) for n in range(4)] == [
        "anna",
        "ben",
        "dora",
        "anna",
    ]


def test_a_hand_over_at_nine_is_at_nine_in_summer_too() -> None:
    ends = [
        turn.end.astimezone(MADRID).time()
        for turn in turns(
            _rotation(), datetime(2026, 1, 5, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)
        )
    ]

    assert {str(end) for end in ends} == {"09:00:00"}


@pytest.mark.parametrize("handover", ["02:30", "03:00", "00:00"])
@pytest.mark.parametrize("hours", [1, 6, 12, 24])
@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 10, 24)])
def test_turns_over_a_change_of_clocks_have_neither_gap_nor_overlap(
    handover: str, hours: int, day: date
) -> None:
    rotation = _rotation(start=day, every=timedelta(hours=hours), handover=handover)
    begin = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    found = list(turns(rotation, begin, begin + timedelta(days=3)))

    for turn, following in pairwise(found):
        assert turn.end == following.begin
    moment = found[0].begin
    while moment < begin + timedelta(days=3):
        now_on = turn_at(rotation, moment)
        assert now_on is not None
        assert now_on.begin <= moment < now_on.end
        moment += timedelta(minutes=10)


def test_everybody_has_as_many_turns() -> None:
    since = datetime(2026, 1, 5, 12, tzinfo=UTC)
    found = Counter(
        turn.member for turn in turns(_rotation(), since, since + timedelta(days=21 * 10 - 1))
    )

    assert found == {"anna": 10, "ben": 10, "dora": 10}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"members": ()}, "either members"),
        ({"calendar": "a.ics"}, "either members"),
        ({"every": timedelta(minutes=30)}, "an hour at least"),
        ({"handover": "9 o'clock"}, "no time of day"),
        ({"tz": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_a_rotation_that_says_nothing_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        _rotation(**changes)
