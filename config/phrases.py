"""Texts of services that a page or a message shows in its reader's language.

A service knows no reader: it says what it says in English, for the log, the command line and
the JSON API. A phrase is that English text, and remembers what it was made of, so that it can
be looked up in a catalogue when somebody reads it (`config.language.told`, docs/translating.md).
What is stored remembers it too: `config.kept_phrases`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Self, SupportsIndex


class Phrase(str):
    """An English text with what it was made of.

    Args:
        template: The text, with `%(name)s` where values go. Without values it is the text as
            it is, also with a percent sign in it.
        values: What is filled in.
        counted: Where the text depends on a number of things: the template for other numbers
            than one, and the number.

    """

    __slots__ = ("counted", "template", "values")

    template: str
    values: Mapping[str, object]
    counted: tuple[str, int] | None

    def __new__(
        cls,
        template: str,
        values: Mapping[str, object],
        *,
        counted: tuple[str, int] | None = None,
    ) -> Self:
        """Return the English text."""
        said = template if counted is None or counted[1] == 1 else counted[0]
        made = super().__new__(cls, said % values if values else said)
        made.template = template
        made.values = MappingProxyType(dict(values))
        made.counted = counted
        return made

    def __getitem__(self, key: SupportsIndex | slice, /) -> str:
        """Return a part, which is a plain text; the whole stays a phrase."""
        part = super().__getitem__(key)
        return self if part == self else part

    def strip(self, chars: str | None = None, /) -> str:
        """Return it without what surrounds it, which a phrase rarely has: it stays one."""
        bare = super().strip(chars)
        return self if bare == self else bare

    def __reduce__(
        self,
    ) -> tuple[
        Callable[[str, dict[str, object], tuple[str, int] | None], Phrase],
        tuple[str, dict[str, object], tuple[str, int] | None],
    ]:
        """Say how a copy is made."""
        return _copied, (self.template, dict(self.values), self.counted)


def _copied(template: str, values: dict[str, object], counted: tuple[str, int] | None) -> Phrase:
    return Phrase(template, values, counted=counted)


@dataclass(frozen=True, slots=True)
class Number:
    """A number of things: `1,234`, `1.234`. An id is no number of things."""

    value: float
    digits: int = 0  # behind the point, at most

    def __str__(self) -> str:
        text = f"{self.value:,.{self.digits}f}"
        return text.rstrip("0").rstrip(".") if self.digits else text


@dataclass(frozen=True, slots=True)
class Share:
    """A share of 0 to 1, in whole percent: `34%`, `34 %`."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:.0%}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: in the zone of whoever reads, in UTC where nobody is known to."""

    value: datetime

    def __str__(self) -> str:
        return f"{self.value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Day:
    """The day of a time: in the zone of whoever reads, in UTC where nobody is known to."""

    value: datetime

    def __str__(self) -> str:
        return f"{self.value.astimezone(UTC):%Y-%m-%d}"


def joined(between: str, texts: Sequence[str]) -> str:
    """Return texts one after the other; each of them is translated."""
    if not texts:
        return ""
    names = [f"text{number}" for number in range(len(texts))]
    template = between.replace("%", "%%").join(f"%({name})s" for name in names)
    return Phrase(template, dict(zip(names, texts, strict=True)))


def lines_of(text: str) -> list[str]:
    """Return a text's lines; those that `joined` put together stay phrases."""
    if isinstance(text, Phrase):
        lines = [f"%({name})s" for name in text.values]
        if lines and text.template == "\n".join(lines):
            return [str(one) if not isinstance(one, str) else one for one in text.values.values()]
    return text.splitlines()


def phrase(template: str, /, **values: object) -> Phrase:
    """Return a text that pages can show in another language.

    Args:
        template: The text in English, with `%(name)s` where values go.
        values: What is filled in; a value may be a phrase or a figure too.

    """
    return Phrase(template, values)


def nphrase(one: str, many: str, num: int, /, **values: object) -> Phrase:
    """Return a text about a number of things, in the form that a reader's language has for it.

    Args:
        one: The text in English for one thing, which may leave the number out.
        many: The text for other numbers, with `%(num)s` where the number goes.
        num: How many things.
        values: What else is filled in; `num` itself, where it is not to be written as it is.

    """
    return Phrase(one, {"num": Number(num), **values}, counted=(many, num))


def later(template: str) -> str:
    """Mark a template whose values come later, for the catalogues."""
    return template


def nlater(one: str, many: str) -> tuple[str, str]:
    """Mark templates for one thing and for many, whose number comes later, for the catalogues."""
    return one, many
