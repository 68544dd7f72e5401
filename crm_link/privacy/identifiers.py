"""What names a person, and how it is found and taken out of other rows. Pure.

Handles, addresses and numbers are looked for wherever they stand. A name is looked for only
where it is a full one: "Rose" in somebody else's post is a flower, "Rose Tavares" is she. A
handle that is an ordinary word counts where it is written as one: `@rose`, `/rose`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm_link.linking.names import squeeze
from crm_link.triage_rules import UNSPACED

#: What stands in a text in place of what named somebody.
ERASED = "[erased]"

#: Shorter handles, names and numbers are too common to be looked for.
_LEAST_HANDLE, _LEAST_NAME, _LEAST_ID, _LEAST_DIGITS = 3, 5, 8, 7
#: A handle from this length on, or with a digit or a sign, is no ordinary word.
_RARE_HANDLE = 9
#: A name in a script without spaces counts from so many characters on.
_LEAST_UNSPACED = 3
_RARE_SIGN = re.compile(r"[\d_.-]")


class Kind(StrEnum):
    """What an identifier is."""

    HANDLE = "handle"
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    ACCOUNT = "account"  # a platform's id, a CRM's id


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing that names a person."""

    kind: Kind
    value: str

    @property
    def is_usable(self) -> bool:
        """Whether it can be looked for without meeting others."""
        value = self.value.strip()
        match self.kind:
            case Kind.HANDLE:
                return len(value.lstrip("@")) >= _LEAST_HANDLE
            case Kind.NAME:
                if UNSPACED.search(value):
                    return len(value) >= _LEAST_UNSPACED
                return len(value) >= _LEAST_NAME and len(value.split()) > 1
            case Kind.EMAIL:
                return "@" in value
            case Kind.PHONE:
                return sum(char.isdigit() for char in value) >= _LEAST_DIGITS
            case Kind.ACCOUNT:
                return len(value) >= _LEAST_ID

    @property
    def pattern(self) -> str:
        """The regular expression that finds it in a text."""
        value = self.value.strip()
        match self.kind:
            case Kind.HANDLE:
                handle = value.lstrip("@")
                found = re.escape(handle)
                if len(handle) >= _RARE_HANDLE or _RARE_SIGN.search(handle):
                    return rf"(?<![\w])@?{found}(?!\w)"
                return rf"(?:(?<=[@/:\"])|^)@?{found}(?!\w)"
            case Kind.NAME:
                if UNSPACED.search(value):
                    return re.escape(value)
                words = r"[\s,]+".join(map(re.escape, value.split()))
                return rf"(?<!\w){words}(?!\w)"
            case _:
                return rf"(?<![\w]){re.escape(value)}(?!\w)"

    @property
    def needle(self) -> str:
        """What every text that has it contains, but for upper and lower case."""
        value = self.value.strip().lstrip("@")
        if self.kind is Kind.NAME and not UNSPACED.search(value):
            return max(value.split(), key=len)
        return value


class Redaction:
    """Takes what names a person out of texts and JSON.

    Args:
        identifiers: What names them; what cannot be looked for is left out.

    """

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        self.identifiers = tuple(
            sorted(
                {one for one in identifiers if one.is_usable},
                key=lambda one: (-len(one.value), one.kind, one.value),
            )
        )
        self._pattern = (
            re.compile("|".join(one.pattern for one in self.identifiers), re.IGNORECASE)
            if self.identifiers
            else None
        )
        #: Single words of their names and handles, as lists of words keep them.
        self._words = {
            word
            for one in self.identifiers
            if one.kind in {Kind.NAME, Kind.HANDLE}
            for part in (one.value, *one.value.split())
            if len(word := squeeze(part)) >= _LEAST_HANDLE
        }

    def needles(self) -> list[str]:
        """Return what a row that names the person contains, in the forms that databases keep."""
        found: set[str] = set()
        for one in self.identifiers:
            for text in {one.needle, one.needle.lower(), one.needle.upper(), one.needle.title()}:
                found |= {text, json.dumps(text)[1:-1]}
        plain = {one.lower() for one in found if one.isascii() and "\\" not in one}
        return sorted(plain | {one for one in found if not one.isascii() or "\\" in one})

    def names_them(self, text: str) -> bool:
        """Say whether a text names the person."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def in_text(self, text: str) -> str:
        """Return a text without what names the person."""
        return text if self._pattern is None else self._pattern.sub(ERASED, text)

    def in_json(
        self,
        value: Any,  # noqa: ANN401 - any JSON
        *,
        clears: bool = False,
        drops_words: bool = False,
    ) -> Any:  # noqa: ANN401
        """Return a JSON value without what names the person.

        Args:
            value: The value.
            clears: A text that names them becomes None as a whole: for values that are written
                into somebody's record, where half a text would be nonsense.
            drops_words: Single words of their names go too: for lists of a topic's words.

        """
        if isinstance(value, str):
            if clears and self.names_them(value):
                return None
            return self.in_text(value)
        if isinstance(value, Mapping):
            return {
                self.in_text(key): self.in_json(one, clears=clears, drops_words=drops_words)
                for key, one in value.items()
                if not (drops_words and self._is_word(key))
            }
        if isinstance(value, list):
            return [
                self.in_json(one, clears=clears, drops_words=drops_words)
                for one in value
                if not (drops_words and isinstance(one, str) and self._is_word(one))
            ]
        return value

    def _is_word(self, text: str) -> bool:
        return squeeze(text) in self._words
