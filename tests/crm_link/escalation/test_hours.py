from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_link.escalation.duty.hours import holds, may_be_told_at, next_begin, next_change
from crm_link.escalation.protocol_parts.contacts import ProtocolContact
from crm_link.escalation.protocol_parts.hours import Hours, parse_week

OFFICE = Hours(week="mon-fri 09:00-18:00, sat 10:00-14:00", tz="Europe/Madrid", holidays="ES")
NIGHT = Hours(week="22:00-06:00", tz="Europe/Madrid")


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "wanted"),
    [
        (OFFICE, "2026-03-10 08:00", True),  # Tuesday, nine in Madrid
        (OFFICE, "2026-03-10 07:59", False),
        (OFFICE, "2026-03-10 16:59", True),
        (OFFICE, "2026-03-10 17:00", False),
        (OFFICE, "2026-07-14 07:00", True),  # summer: an hour earlier in UTC
        (OFFICE, "2026-03-14 09:30", True),  # Saturday
        (OFFICE, "2026-03-15 09:30", False),  # Sunday
        (OFFICE, "2026-01-06 09:30", False),  # Epiphany, a Tuesday
        (NIGHT, "2026-03-10 21:30", True),
        (NIGHT, "2026-03-10 04:59", True),
        (NIGHT, "2026-03-10 05:00", False),
    ],
)
def test_hours_hold_on_the_zones_own_clock(hours: Hours, now: str, *, wanted: bool) -> None:
    assert holds(hours, "UTC", _utc(now)) is wanted


@pytest.mark.parametrize(
    ("hours", "now", "begin"),
    [
        (OFFICE, "2026-03-10 12:00", "2026-03-10 12:00"),
        (OFFICE, "2026-03-13 20:00", "2026-03-14 09:00"),
        (OFFICE, "2026-03-14 20:00", "2026-03-16 08:00"),
        # Over the night in which the clocks go forward.
        (OFFICE, "2026-03-28 20:00", "2026-03-30 07:00"),
        # Good Friday is one; Easter Monday is not in all of Spain.
        (OFFICE, "2026-04-02 20:00", "2026-04-04 08:00"),
        (NIGHT, "2026-03-10 12:00", "2026-03-10 21:00"),
    ],
)
def test_the_next_begin_is_found_over_weekends_holidays_and_changes_of_clocks(
    hours: Hours, now: str, begin: str
) -> None:
    assert next_begin(hours, "UTC", _utc(now)) == _utc(begin)


def test_the_night_of_a_change_of_clocks_is_as_long_as_it_is() -> None:
    spring, autumn = _utc("2026-03-28 21:00"), _utc("2026-10-24 20:00")

    assert next_change(NIGHT, "UTC", spring) == spring + timedelta(hours=7)
    assert next_change(NIGHT, "UTC", autumn) == autumn + timedelta(hours=9)


def test_hours_that_the_clocks_skip_or_repeat_hold_once() -> None:
    small = Hours(week="sun 02:30-03:30", tz="Europe/Madrid")
    changes = []
    moment = _utc("2026-03-28 12:00")
    for _ in range(4):
        found = next_change(small, "UTC", moment)
        assert found is not None
        changes.append(found)
        moment = found

    # 02:30 is skipped in March: the same moment after the jump is 03:30, so that nothing holds.
    assert changes[0] == _utc("2026-04-05 00:30")
    assert changes[1] - changes[0] == timedelta(hours=1)


@pytest.mark.parametrize(
    "text", ["", "mon-fri", "09:00", "mon-xyz 09:00-18:00", "mon 25:00-26:00", "mon 09:00-18:00;"]
)
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write for example mon-fri 09:00-18:00"):
        parse_week(text)


def test_a_country_without_known_holidays_is_refused() -> None:
    with pytest.raises(ValueError, match="no public holidays are known for 'XX'"):
        Hours(week="mon 09:00-18:00", holidays="XX")
    with pytest.raises(ValueError, match="no public holidays are known for 'ES-ZZ'"):
        Hours(week="mon 09:00-18:00", holidays="ES-ZZ")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-03-10 12:00", "2026-03-10 12:00"),
        ("2026-03-10 22:30", "2026-03-11 08:00"),  # quiet until seven, works from nine
        ("2026-03-13 18:00", "2026-03-16 08:00"),  # over the weekend
    ],
)
def test_quiet_hours_and_working_hours_of_a_contact_are_both_waited_for(
    now: str, told: str
) -> None:
    contact = ProtocolContact.model_validate(
        {
            "id": "anna",
            "role": "manager",
            "tz": "Europe/Madrid",
            "quiet_hours": "22:00-07:00",
            "hours": "mon-fri 09:00-18:00",
            "channels": [{"kind": "log"}],
        }
    )

    assert may_be_told_at(contact, _utc(now)) == _utc(told)
