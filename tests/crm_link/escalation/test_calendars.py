from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.duty import on_call
from crm_link.escalation.duty.calendars import list_problems, refresh_calendars
from crm_link.escalation.protocol import EscalationProtocol
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import PROTOCOL, MovableClock, make_brand, make_protocol

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//made up//EN
BEGIN:VEVENT
UID:1
SUMMARY:anna
DTSTART;TZID=Europe/Madrid:20260309T090000
DTEND;TZID=Europe/Madrid:20260310T090000
RRULE:FREQ=DAILY;INTERVAL=2
EXDATE;TZID=Europe/Madrid:20260313T090000
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Night watch
ATTENDEE;CN=Ben:mailto:Ben@Example.org
DTSTART;TZID=Europe/Madrid:20260310T090000
DTEND;TZID=Europe/Madrid:20260311T090000
RRULE:FREQ=DAILY;INTERVAL=2
END:VEVENT
BEGIN:VEVENT
UID:3
SUMMARY:dora
STATUS:CANCELLED
DTSTART;TZID=Europe/Madrid:20260309T090000
DTEND;TZID=Europe/Madrid:20260409T090000
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def _protocol(address: str) -> EscalationProtocol:
    rotation = f'\non_call:\n  social: {{tz: Europe/Madrid, calendar: "{address}"}}\n'
    return make_protocol(
        PROTOCOL + rotation,
        **{
            "[social_manager]": "[on_call(social)]",
            "tz: Europe/London": "tz: Europe/London, known_as: [ben@example.org]",
        },
    )


def _on(
    sessions: sessionmaker[Session], protocol: EscalationProtocol, brand_id: int, now: datetime
) -> list[str]:
    with sessions() as session:
        return [one.id for one in on_call.who_is_on(session, protocol, brand_id, "social", now)]


def test_a_calendars_repetitions_exceptions_and_zones_say_who_is_on_call(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.content = CALENDAR.encode()
    protocol = _protocol(receiver.url)
    brand_id = make_brand(sessions)

    assert refresh_calendars(sessions, [protocol], clock=clock) == 1
    assert refresh_calendars(sessions, [protocol], clock=clock) == 0

    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 9, 8, 0, tzinfo=UTC)) == ["anna"]
    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 10, 7, 59, tzinfo=UTC)) == ["anna"]
    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 10, 8, 0, tzinfo=UTC)) == ["ben"]
    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 13, 12, 0, tzinfo=UTC)) == []
    # Over the change of clocks it is still nine in Madrid.
    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 31, 6, 59, tzinfo=UTC)) != ["anna"]
    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 31, 7, 0, tzinfo=UTC)) == ["anna"]
    with sessions() as session:
        following = on_call.who_is_next(
            session, protocol, brand_id, "social", datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
        )
    assert following is not None
    assert following.contacts == ("ben",)
    assert following.begin == datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


def test_a_calendar_that_fails_is_said_and_its_last_good_copy_is_kept(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.content = CALENDAR.encode()
    protocol = _protocol(receiver.url)
    brand_id = make_brand(sessions)
    refresh_calendars(sessions, [protocol], clock=clock)
    with sessions() as session:
        assert list_problems(session, protocol) == []
    answers: list[tuple[int, dict[str, str]]] = [(503, {}), (200, {})]
    for answer in answers:
        receiver.answers.append(answer)
        receiver.content = b"<html>sign in first</html>"
        clock.forward(minutes=16)
        assert refresh_calendars(sessions, [protocol], clock=clock) == 0
        with sessions() as session:
            (problem,) = list_problems(session, protocol)
        assert "the copy of 2026-03-10 12:00 UTC is used" in problem
        assert receiver.url not in problem

    assert _on(sessions, protocol, brand_id, datetime(2026, 3, 9, 8, 0, tzinfo=UTC)) == ["anna"]
    receiver.content = CALENDAR.encode()
    clock.forward(minutes=16)
    assert refresh_calendars(sessions, [protocol], clock=clock) == 1
    with sessions() as session:
        assert list_problems(session, protocol) == []


def test_a_calendar_may_be_a_file_and_a_missing_one_is_said(
    sessions: sessionmaker[Session], clock: MovableClock, tmp_path: Path
) -> None:
    (tmp_path / "team.ics").write_text(CALENDAR)
    brand_id = make_brand(sessions)
    protocol, missing = _protocol("team.ics"), _protocol("nothing.ics")

    assert refresh_calendars(sessions, [protocol, missing], clock=clock) == 1

    now = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
    assert _on(sessions, protocol, brand_id, now) == ["anna"]
    with sessions() as session:
        (problem,) = list_problems(session, missing)
    assert "cannot be read" in problem
    assert "nobody is on call" in problem


def test_a_schedule_has_no_gaps_and_names_overrides(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    rotation = (
        "\non_call:\n  social: {tz: Europe/Madrid, members: [anna, ben], start: 2026-03-09, "
        "every: 1d, hours: mon-fri 08:00-20:00}\n"
    )
    protocol = make_protocol(PROTOCOL + rotation, **{"[social_manager]": "[on_call(social)]"})
    brand_id = make_brand(sessions)
    since = clock()
    with sessions.begin() as session:
        on_call.add_override(
            session,
            protocol,
            brand_id=brand_id,
            rotation="social",
            contact="dora",
            starts_at=since + timedelta(hours=2),
            ends_at=since + timedelta(hours=12),
            reason="",
            by="a@b.c",
            clock=clock,
        )
    with sessions() as session:
        shifts = on_call.schedule(
            session,
            protocol,
            brand_id,
            "social",
            since=since,
            until=since + timedelta(days=7),
        )

    assert (shifts[0].begin, shifts[-1].end) == (since, since + timedelta(days=7))
    for shift, following in pairwise(shifts):
        assert shift.end == following.begin
        assert shift.contacts != following.contacts
    assert [shift.contacts for shift in shifts[:3]] == [("ben",), ("dora",), ()]
    assert shifts[1].source == "override"
    # Nobody over the weekend.
    weekend = [shift for shift in shifts if shift.end - shift.begin > timedelta(days=2)]
    assert [shift.contacts for shift in weekend] == [()]
