"""Texts of services that a page shows in its reader's language.

A service knows no reader: it says what it says in English, for the log, the command line and
the JSON API. A phrase is that English text, and remembers what it was made of, so that the
console can look the text up in a catalogue (`api.language.told`, docs/translating.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Self


class Phrase(str):
    """An English text with what it was made of.

    Args:
        template: The text, with `%(name)s` where values go. Without values it is the text as
            it is, also with a percent sign in it.
        values: What is filled in.

    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """Return the English text."""
        made = super().__new__(cls, template % values if values else template)
        made.template = template
        made.values = MappingProxyType(dict(values))
        return made

    def __reduce__(self) -> tuple[type[Phrase], tuple[str, dict[str, object]]]:
        """Say how a copy is made."""
        return Phrase, (self.template, dict(self.values))


def joined(between: str, texts: Sequence[str]) -> str:
    """Return texts one after the other; each of them is translated."""
    if not texts:
        return ""
    names = [f"text{number}" for number in range(len(texts))]
    template = between.join(f"%({name})s" for name in names)
    return Phrase(template, dict(zip(names, texts, strict=True)))


def phrase(template: str, /, **values: object) -> Phrase:
    """Return a text that pages can show in another language.

    Args:
        template: The text in English, with `%(name)s` where values go.
        values: What is filled in; a value may be a phrase too.

    """
    return Phrase(template, values)


def later(template: str) -> str:
    """Mark a template whose values come later, for the catalogues."""
    return template
