"""The language and the time zone that a person reads in, and the texts in that language.

Texts are written in English where they are used and looked up in the catalogues under
`locale`. These are read as they are when the process starts, so that nothing has to be
compiled and nothing binary is kept (docs/translating.md). Who reads is known to whoever serves
a request or writes a message; outside of both, everything is English.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from config.phrases import Day, Moment, Number, Phrase, Share

#: The language that texts are written in, and those that they are translated into.
SOURCE = "en"
LANGUAGES = {"en": "English", "es": "Español"}

FOLDER = Path(__file__).parent / "locale"
DOMAIN = "console"


@dataclass(slots=True)
class Reader:
    """How whoever asks reads; what is known of them is filled in while the request is served."""

    language: str = SOURCE
    zone: str = "UTC"


T = TypeVar("T")

_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)


def begin_reading(*, language: str, zone: str) -> None:
    """Begin to say everything for one reader, for the rest of this context."""
    _reader.set(Reader(language, zone if is_zone(zone) else "UTC"))


def read_as(*, language: str, zone: str) -> None:
    """Take over what a user wishes; what is empty stays what their browser says."""
    reader = _reader.get()
    if reader is not None:
        reader.language = language if language in LANGUAGES else reader.language
        reader.zone = zone if is_zone(zone) else reader.zone


@contextmanager
def reading_as(language: str, zone: str = "") -> Iterator[None]:
    """Say everything for one reader meanwhile: outside of a request, or for somebody else.

    Args:
        language: Their language; one that is not known is English.
        zone: Their time zone; empty, or one that is not known, is UTC.

    """
    known = language if language in LANGUAGES else SOURCE
    before = _reader.set(Reader(known, zone if is_zone(zone) else "UTC"))
    try:
        yield
    finally:
        _reader.reset(before)


def language() -> str:
    """Return the language of whoever reads; English outside of a request."""
    reader = _reader.get()
    return reader.language if reader else SOURCE


def locale() -> Locale:
    """Return how numbers and dates are written for whoever reads."""
    return Locale.parse(language())


def zone() -> ZoneInfo:
    """Return the time zone of whoever reads; UTC outside of a request."""
    reader = _reader.get()
    return ZoneInfo(reader.zone if reader else "UTC")


def is_zone(name: str) -> bool:
    """Say whether there is such a time zone."""
    return name in zones()


@cache
def zones() -> tuple[str, ...]:
    """Return the names of the time zones that people choose from."""
    named = (name for name in available_timezones() if "/" in name)
    return ("UTC", *sorted(name for name in named if not name.startswith(("Etc/", "posix/"))))


def gettext(message: str, /, **values: object) -> str:
    """Return a text in the reader's language, with `%(name)s` filled in; `%%` is a percent sign."""
    return catalogue().gettext(message) % _filled_in(values)


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Return the text for a number of things; `%(num)s` is the number."""
    return catalogue().ngettext(one, many, num) % {"num": num, **_filled_in(values)}


def _filled_in(values: dict[str, object]) -> dict[str, object]:
    # States are looked up by whoever asks, as elsewhere in Python.
    return {
        name: value if isinstance(value, StrEnum) else _value(value)
        for name, value in values.items()
    }


def looked_up(word: str) -> str:
    """Return a word that is known only now, as a name of a state; unknown ones stay as they are."""
    return catalogue().gettext(word) if word else ""


def told(text: T) -> T | str:
    """Return what a service says, in the reader's language; whatever else stays as it is."""
    if not isinstance(text, Phrase):
        return text
    template = _template(text)
    if not text.values:
        return template
    return template % {name: _value(value) for name, value in text.values.items()}


def _template(text: Phrase) -> str:
    if text.counted is not None:
        many, num = text.counted
        return catalogue().ngettext(text.template, many, num)
    return catalogue().gettext(text.template) if text.template else ""


def _value(value: object) -> object:
    """Return a value of a phrase as it is filled in: phrases and states are looked up too."""
    if isinstance(value, StrEnum):
        return looked_up(value.replace("_", " "))
    if isinstance(value, Moment | Day) and _reader.get() is not None:
        return moment_text(value.value) if isinstance(value, Moment) else _day(value.value)
    if isinstance(value, Number | Share) and language() != SOURCE:
        return _written(value, language())
    return told(value) if isinstance(value, Phrase) else value


def moment_text(at: datetime, *, now: datetime | None = None) -> str:
    """Return a time in the reader's language and zone, which is named: `4 Mar 2026, 12:05 CET`.

    Args:
        at: The time.
        now: The present, where who reads needs no more than what tells the days apart: the year
            is left out, and today's date.

    """
    local = at.astimezone(zone())
    form = "d MMM y, HH:mm" if now is None else "d MMM, HH:mm"
    if now is not None and local.date() == now.astimezone(zone()).date():
        form = "HH:mm"
    said = format_datetime(local, form, tzinfo=zone(), locale=language())
    return f"{said} {zone_name(local)}"


def zone_name(local: datetime) -> str:
    """Return what the zone of a time is called then, as `CET`; `UTC-03` where it has no name."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name or str(local.tzinfo)


def _day(at: datetime) -> str:
    return format_date(at.astimezone(zone()).date(), "d MMM y", locale=language())


def _written(figure: Number | Share, language: str) -> str:
    match figure:
        case Number(number, digits):
            places = "." + "#" * digits if digits else ""
            return format_decimal(number, format=f"#,##0{places}", locale=language)
        case Share(share):
            return format_percent(round(share, 2), locale=language)


def later(message: str) -> str:
    """Mark a text that is looked up where it is shown, as in a table of words."""
    return message


def catalogue_path(name: str) -> Path:
    """Return where the texts of a language are."""
    return FOLDER / name / "LC_MESSAGES" / f"{DOMAIN}.po"


def load_catalogues(names: Iterable[str] = LANGUAGES) -> None:
    """Read the catalogues now rather than at the first request."""
    for name in names:
        _load(name)


def catalogue() -> NullTranslations:
    """Return the texts of the reader's language."""
    return _load(language())


@cache
def _load(name: str) -> NullTranslations:
    path = catalogue_path(name)
    if not path.is_file():
        return NullTranslations()  # the language that the texts are written in
    with path.open("rb") as file:
        texts = read_po(file, locale=name, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)
