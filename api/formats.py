"""Values as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from api import language
from api.language import gettext, later, looked_up, told
from crm_link.escalation.models import OPERATIONS
from crm_link.escalation.protocol import ProtocolContact
from crm_link.linking.link_compare import level_words, title_of
from crm_link.types import EvidenceKind

#: Units of an age, largest first: seconds, and how it is written.
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))

_TEN = 10
_THOUSAND = 1_000
_TEN_THOUSAND = 10_000
_MILLION = 1_000_000


def iso(moment: datetime) -> str:
    """Return a time for machines."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def utc(moment: datetime) -> str:
    """Return a time that says its zone, for readers without script."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def local(moment: datetime) -> str:
    """Return a time in the reader's zone and language."""
    return _local(moment, language.language(), language.zone().key)


@lru_cache(4096)
def _local(moment: datetime, locale: str, zone: str) -> str:
    # One order for all, because the English of a browser may be American or British.
    text = format_datetime(moment, "d MMM y, HH:mm", tzinfo=ZoneInfo(zone), locale=locale)
    return f"{text} UTC" if zone == "UTC" else text


def short_local(moment: datetime) -> str:
    """Return a time in the reader's zone without its year."""
    return format_datetime(
        moment, "d MMM HH:mm", tzinfo=language.zone(), locale=language.language()
    )


def zone_name(moment: datetime) -> str:
    """Return what the reader's zone is called at a time, as `CET`; its offset if it has no name."""
    return moment.astimezone(language.zone()).tzname() or language.zone().key


def day(moment: datetime) -> str:
    """Return the day of a time in the reader's zone, as their language writes it."""
    return format_date(
        moment.astimezone(language.zone()).date(), "d MMM y", locale=language.language()
    )


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a time is, in one unit."""
    age_s = (now - moment).total_seconds()
    for unit_s, name in _UNITS:
        if age_s >= unit_s:
            return gettext("%(age)s ago", age=f"{int(age_s // unit_s)} {name}")
    if age_s > -_UNITS[-1][0]:
        return gettext("now")
    return gettext("in %(age)s", age=duration(moment - now))


def duration(length: timedelta) -> str:
    """Return a length of time in one unit."""
    seconds = abs(length.total_seconds())
    for unit_s, name in _UNITS:
        if seconds >= unit_s:
            return f"{decimal(round(seconds / unit_s, 1), '#,##0.#')} {name}"
    return f"{seconds:.0f} s"


def drill_part(part: Mapping[str, Any] | None) -> str:
    """Return how long a part of a drill took, or why nothing is known of it."""
    if part is None:
        return "–"  # noqa: RUF001 - a dash stands for nothing
    if not part.get("is_asked", True):
        return gettext("not asked")
    if part.get("took_s") is None:
        return gettext("never")
    return duration(timedelta(seconds=float(part["took_s"])))


def count(number: float | None) -> str:
    """Return a number of things, short where it is large."""
    if number is None:
        return "–"  # noqa: RUF001 - a dash stands for nothing
    if number >= _MILLION:
        return gettext("%(number)sM", number=decimal(number / _MILLION, "0.0"))
    if number >= _TEN_THOUSAND:
        return gettext("%(number)sk", number=decimal(number / _THOUSAND, "0.0"))
    return decimal(round(number), "#,##0")


@lru_cache(4096)
def _decimal(number: float, pattern: str, locale: str) -> str:
    return format_decimal(number, format=pattern, locale=locale)


def decimal(number: float, pattern: str = "#,##0.###") -> str:
    """Return a number as the reader's language writes it."""
    return _decimal(number, pattern, language.language())


def number(value: float | None) -> str:
    """Return a number with one digit behind the point where it is small."""
    if value is None or abs(value) >= _TEN:
        return count(value)
    return decimal(round(value, 1), "#,##0.#")


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in percent."""
    if share is None:
        return "–"  # noqa: RUF001 - a dash stands for nothing
    return _percent(round(share, 4), language.language())


@lru_cache(4096)
def _percent(share: float, locale: str) -> str:
    return format_percent(share, locale=locale)


def signed(value: float | None, digits: int = 2) -> str:
    """Return a value with its sign, with the minus that is as wide as the plus."""
    if value is None:
        return "–"  # noqa: RUF001 - a dash stands for nothing
    places = "0" * digits
    return decimal(
        value, f"+0.{places};\N{MINUS SIGN}0.{places}" if digits else "+0;\N{MINUS SIGN}0"
    )


def words(name: object) -> str:
    """Return a value of an enum as words."""
    return looked_up(str(name).replace("_", " "))


def web_link(url: str | None) -> str:
    """Return `url` if it leads to a web page, else nothing: never `javascript:`."""
    try:
        scheme = urlsplit(url or "").scheme
    except ValueError:
        return ""
    return url or "" if scheme in {"http", "https"} else ""


def query(values: Mapping[str, object]) -> str:
    """Return the part of an address after `?`, without what is empty."""
    return urlencode({key: value for key, value in values.items() if value not in {"", None}})


def platform(name: str) -> str:
    """Return how a platform is called."""
    return _PLATFORMS.get(name) or words(name).capitalize()


def person_name(contact: ProtocolContact) -> str:
    """Return how a person of a protocol is called."""
    return contact.name or contact.id


def kind_words(kind: str) -> str:
    """Say what an incident that is no crisis is: a drill, a test, an alert about ourselves."""
    return gettext("about Groundswell") if kind == OPERATIONS else words(kind)


def event_words(kind: str) -> str:
    """Return what an entry of a timeline says happened."""
    return looked_up(_EVENTS[kind]) if kind in _EVENTS else words(kind).capitalize()


def evidence_words(kind: str, level: str = "") -> str:
    """Return what speaks for or against a link; `level` says how far names, places, sites agree."""
    agreement = level_words(kind, level)
    if agreement:
        return f"{told(title_of(kind)).lower()}: {told(agreement)}"
    return looked_up(_EVIDENCE[kind]) if kind in _EVIDENCE else words(kind)


_PLATFORMS = {"x": "X", "rss": "RSS"}

_EVENTS = {
    "opened": later("Opened"),
    "grew": later("Still growing"),
    "raised": later("Raised by a person"),
    "reopened": later("Opened again"),
    "notified": later("People were told"),
    "last_resort": later("Everybody was told: nobody had acknowledged"),
    "ack_expired": later("The acknowledgement expired"),
    "severity": later("Severity changed"),
    "escalated": later("Escalated by hand"),
    "acknowledged_one": later("Acknowledged, others must too"),
    "nobody": later("Nobody to tell: passed over"),
    "paused": later("Waits for the hours of the next step"),
    "step_skipped": later("Passed over outside its hours"),
    "silenced": later("Silenced"),
    "unsilenced": later("No longer silenced"),
    "unreachable": later("Cannot be reached: the next step is taken"),
    "delivery_failed": later("A message was given up"),
    "delivery_delayed": later("A message is delayed"),
    "mended": later("The chain had stopped and was mended"),
    "test": later("Test"),
    "assessed": later("Assessed"),
    "claim": later("Verdict on a claim"),
    "claims_merged": later("Claims were merged"),
    "task_done": later("Task done"),
    "task_undone": later("Task not done after all"),
    "overdue": later("Overdue"),
    "said": later("Said in public"),
    "statement_requested": later("Statement asked for"),
    "statement_approved": later("Statement approved"),
    "statement_rejected": later("Statement rejected"),
    "statement_published": later("Statement published"),
    "statement_withdrawn": later("Statement withdrawn"),
}

_EVIDENCE: dict[str, str] = {
    EvidenceKind.CRM_HANDLE: later("the CRM has this account"),
    EvidenceKind.EMAIL: later("same e-mail address"),
    EvidenceKind.PHONE: later("same phone number"),
    EvidenceKind.VERIFIED_LINK: later("verified link to the contact"),
    EvidenceKind.PROFILE_LINK: later("link to the contact's site"),
    EvidenceKind.LOCATION: later("same place"),
    EvidenceKind.NAME: later("same name"),
}
