"""Calendars that say who is on call: iCalendar from a file or an address, refreshed.

Read with `icalendar`; repetitions, exceptions and time zones are resolved by
`recurring-ical-events`. An event is for a contact whose id, name or one of `known_as` (an
e-mail address) is its summary or one of its attendees. A calendar that cannot be read any
more, or that is none, leaves the last good copy in force, and `list_problems` says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import httpx
import icalendar
import recurring_ical_events
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.clock import Clock
from config.db import read_session
from config.errors import AppError, InputError, TransientError
from config.logs import get_logger
from config.phrases import Moment, Number, phrase
from config.settings import Settings, read_settings
from crm_link.escalation.delivery.delivery_models import OnCallCalendar
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.lint import resolve_address
from crm_link.escalation.protocol_parts.on_call import Rotation

log = get_logger(__name__)

#: How often a calendar is read again.
REFRESH_EVERY = timedelta(minutes=15)

#: Bigger calendars are not for people on call.
MAX_BYTES = 5_000_000

#: Seconds that a calendar's server has to answer.
TIMEOUT_S = 15.0

#: A repetition is looked for so far back and ahead of a moment.
_AROUND = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call by one calendar."""

    content: str
    #: What an event may say -> the contact's id; lower case.
    names: tuple[tuple[str, str], ...]
    zone: str

    def at(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of the contacts whose events hold now, each once."""
        known = dict(self.names)
        found: dict[str, None] = {}
        for begin, end, words in self._events(now - _AROUND, now + _AROUND):
            if begin <= now < end:
                found.update(dict.fromkeys(known[word] for word in words if word in known))
        return tuple(found)

    def next_change(self, now: datetime, until: datetime) -> datetime | None:
        """Return when an event begins or ends next."""
        moments = (
            moment
            for begin, end, _ in self._events(now - _AROUND, until)
            for moment in (begin, end)
        )
        return min((one for one in moments if now < one <= until), default=None)

    def _events(
        self, since: datetime, until: datetime
    ) -> Iterator[tuple[datetime, datetime, list[str]]]:
        calendar = _parse(self.content)
        if calendar is None:
            return
        for event in recurring_ical_events.of(calendar).between(since, until):
            begin, end = event.get("DTSTART"), event.get("DTEND")
            if begin is None or str(event.get("STATUS", "")).upper() == "CANCELLED":
                continue
            start = _instant(begin.dt, self.zone)
            finish = _instant(end.dt if end is not None else begin.dt, self.zone)
            yield start, finish, list(_words(event))


def find_duty(session: Session, protocol: EscalationProtocol, rotation: Rotation) -> Duty | None:
    """Return what a rotation's calendar says, by its last good copy."""
    key = _key(rotation.calendar)
    content = session.scalar(
        select(OnCallCalendar.content).where(OnCallCalendar.address_hash == key)
    )
    names = {
        word.strip().lower(): contact.id
        for contact in protocol.contacts
        for word in (contact.id, contact.name, *contact.known_as)
        if word.strip()
    }
    return Duty(content or "", tuple(names.items()), rotation.tz)


def refresh_calendars(
    sessions: sessionmaker[Session], protocols: Iterable[EscalationProtocol], *, clock: Clock
) -> int:
    """Read the calendars that are due; return how many were read well.

    Args:
        sessions: Factory of sessions.
        protocols: The protocols in force.
        clock: The present.

    """
    addresses = {
        rotation.calendar
        for protocol in protocols
        for rotation in protocol.on_call.values()
        if rotation.calendar
    }
    if not addresses:
        return 0
    now = clock()
    with read_session(sessions) as session:
        fresh = set(
            session.scalars(
                select(OnCallCalendar.address_hash).where(
                    OnCallCalendar.tried_at > now - REFRESH_EVERY
                )
            )
        )
    return sum(
        _refresh(sessions, address, now)
        for address in sorted(addresses)
        if _key(address) not in fresh
    )


def list_problems(session: Session, protocol: EscalationProtocol) -> list[str]:
    """Return what is wrong with the calendars of a protocol, one line each."""
    problems: list[str] = []
    for name, rotation in protocol.on_call.items():
        if not rotation.calendar:
            continue
        row = session.get(OnCallCalendar, _key(rotation.calendar))
        if row is None:
            problems.append(phrase("on_call %(name)s: the calendar was not read yet", name=name))
        elif row.problem:
            problems.append(
                phrase(
                    "on_call %(name)s: %(problem)s; the copy of %(when)s is used",
                    name=name,
                    problem=row.problem,
                    when=Moment(row.fetched_at),
                )
                if row.fetched_at
                else phrase(
                    "on_call %(name)s: %(problem)s; there is no copy: nobody is on call",
                    name=name,
                    problem=row.problem,
                )
            )
    return problems


def _refresh(sessions: sessionmaker[Session], address: str, now: datetime) -> bool:
    row: dict[str, object] = {"address_hash": _key(address), "tried_at": now, "problem": None}
    try:
        content = _read(resolve_address(address))
        if _parse(content) is None:
            msg = phrase("this is no iCalendar file")
            raise InputError(msg)
    except AppError as error:
        row["problem"] = error.said[:500]
        log.warning("calendar not read", calendar=_key(address)[:12], kind=type(error).__name__)
    else:
        row |= {"content": content, "fetched_at": now}
    with sessions.begin() as session:
        kept = [name for name in row if name != "address_hash"]
        full = {"content": None, "fetched_at": None} | row
        upsert(session, OnCallCalendar, [full], key=("address_hash",), update_columns=kept)
    return row["problem"] is None


def _read(address: str) -> str:
    if "://" not in address:
        path = read_settings(Settings).home / address
        try:
            if path.stat().st_size > MAX_BYTES:
                msg = phrase("the calendar has more than %(most)s bytes", most=Number(MAX_BYTES))
                raise InputError(msg)
            return path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            msg = phrase("the calendar's file cannot be read: %(kind)s", kind=type(error).__name__)
            raise InputError(msg) from error
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as client,
            client.stream("GET", address, headers={"User-Agent": "groundswell"}) as answer,
        ):
            if not answer.is_success:
                msg = phrase(
                    "the calendar's server answered %(status_code)s", status_code=answer.status_code
                )
                raise TransientError(msg)
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    msg = phrase(
                        "the calendar has more than %(most)s bytes",
                        most=Number(MAX_BYTES),
                    )
                    raise InputError(msg)
            return content.decode("utf-8-sig", errors="replace")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Only the kind: the text of the error names the address, which is a secret.
        msg = phrase("the calendar's server did not answer: %(kind)s", kind=type(error).__name__)
        raise TransientError(msg) from error


@lru_cache(maxsize=32)
def _parse(content: str) -> icalendar.Calendar | None:
    """Return the calendar; None where the text is none, or one that cannot be worked out."""
    try:
        calendar = icalendar.Calendar.from_ical(content)
        if calendar.name != "VCALENDAR":
            return None
        # Broken repetitions show only when they are worked out.
        recurring_ical_events.of(calendar).at(datetime(2026, 1, 1, tzinfo=UTC))
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        return None
    return calendar


def _instant(moment: date | datetime, zone: str) -> datetime:
    """Return an event's time; floating times and whole days are on the rotation's clock."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)


def _words(event: icalendar.Event) -> Iterator[str]:
    """Yield what an event may name a contact by."""
    yield str(event.get("SUMMARY", "")).strip().lower()
    attendees = event.get("ATTENDEE", [])
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        yield str(attendee).strip().lower().removeprefix("mailto:")
        yield str(attendee.params.get("CN", "")).strip().lower()


def _key(address: str) -> str:
    """Return a calendar's key: a hash, since a private address is a secret."""
    with suppress(InputError):  # said where it is read
        address = resolve_address(address)
    return hashlib.sha256(address.encode()).hexdigest()
