"""Comparing the name that an author shows with a contact's. Pure.

The name is one comparison, whether the display name, the handle or the bio shows it: they
repeat each other, and counted apart they would confirm namesakes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from rapidfuzz.distance import OSA, JaroWinkler

from crm_link.linking.given_names import is_given_name, related_names
from crm_link.linking.person_names import ARTICLES, PersonName, skeleton
from crm_link.linking.sounds import sound

#: Jaro-Winkler similarity from which two words are one word written twice.
_ALIKE = 0.93
_SOUND_ALIKE = 0.85
_MIN_FUZZY = 4


class NameLevel(StrEnum):
    """How much of a contact's name an author shows, most first."""

    FULL = "full"  # given and family name
    NICK = "nick"  # a short form or a middle name, and the family name
    FUZZY = "fuzzy"  # one of both is written otherwise, or half of a double family name
    INITIAL = "initial"
    HANDLE_FULL = "handle_full"  # the handle shows both, the display name does not
    HANDLE_NICK = "handle_nick"
    FAMILY = "family"  # the family name; no given name is shown
    HANDLE_FAMILY = "handle_family"
    OTHER = "other"  # the family name, beside a word that is no known given name
    CONFLICT = "conflict"  # the family name, and another given name
    GIVEN = "given"
    NONE = "none"


class ShownName(Protocol):
    """What an author shows of a name."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the display name."""
        ...

    @property
    def stem(self) -> str:
        """The letters of the handle."""
        ...

    @property
    def handle_words(self) -> tuple[str, ...]:
        """The words that the handle is written of."""
        ...

    @property
    def bio_pairs(self) -> frozenset[tuple[str, str]]:
        """Each two words that stand beside each other in the bio."""
        ...

    @property
    def is_without_vowels(self) -> bool:
        """Whether the display name is in a script without vowels."""
        ...


@dataclass(slots=True)
class _Match:
    family: str = "none"
    given: str = "missing"
    before: list[str] = field(default_factory=list)


def name_level(author: ShownName, name: PersonName) -> tuple[NameLevel, str]:
    """Return the level, and the given name that agrees (empty if none does)."""
    if not name.family:
        return _single_name(author, name)
    is_bare = author.is_without_vowels or name.is_without_vowels
    shown = _match(author.words, name, is_bare=is_bare)
    level = _COMBINED.get((shown.family, shown.given), NameLevel.NONE)
    if level in _UPGRADES:
        level = _by_handle(author, name, level)
    if level in _BIO_UPGRADES and name.family and _in_bio(author, name):
        level = NameLevel.NICK
    given = name.first if level not in _WITHOUT_GIVEN else ""
    return level, given


_WITHOUT_GIVEN = frozenset(
    {
        NameLevel.FAMILY,
        NameLevel.HANDLE_FAMILY,
        NameLevel.OTHER,
        NameLevel.CONFLICT,
        NameLevel.NONE,
    }
)
_UPGRADES = frozenset(
    {
        NameLevel.INITIAL,
        NameLevel.FAMILY,
        NameLevel.OTHER,
        NameLevel.CONFLICT,
        NameLevel.GIVEN,
        NameLevel.NONE,
    }
)
_BIO_UPGRADES = frozenset(
    {
        NameLevel.FAMILY,
        NameLevel.HANDLE_FAMILY,
        NameLevel.OTHER,
        NameLevel.CONFLICT,
        NameLevel.INITIAL,
    }
)

#: The level of (family name, given name) in a display name.
_COMBINED = {
    ("exact", "exact"): NameLevel.FULL,
    ("exact", "nick"): NameLevel.NICK,
    ("exact", "fuzzy"): NameLevel.FUZZY,
    ("exact", "initial"): NameLevel.INITIAL,
    ("exact", "missing"): NameLevel.FAMILY,
    ("exact", "other"): NameLevel.OTHER,
    ("exact", "conflict"): NameLevel.CONFLICT,
    ("part", "exact"): NameLevel.FUZZY,
    ("part", "nick"): NameLevel.FUZZY,
    ("fuzzy", "exact"): NameLevel.FUZZY,
    ("fuzzy", "nick"): NameLevel.FUZZY,
    ("fuzzy", "fuzzy"): NameLevel.FUZZY,
    ("none", "exact"): NameLevel.GIVEN,
    ("none", "nick"): NameLevel.GIVEN,
}


def _single_name(author: ShownName, name: PersonName) -> tuple[NameLevel, str]:
    word = name.first
    if not word:
        return NameLevel.NONE, ""
    if author.words == (word,) or "".join(author.words) == word:
        return NameLevel.FULL, word
    if word in author.words:
        return NameLevel.FAMILY, word
    if author.stem == word:
        return NameLevel.HANDLE_FULL, word
    return NameLevel.NONE, ""


def _match(shown: tuple[str, ...], name: PersonName, *, is_bare: bool) -> _Match:
    found = _Match()
    place, length = _find_family(shown, name, found, is_bare=is_bare)
    if found.family == "none":
        rest = list(shown)
        found.before = []
    else:
        rest = [*shown[:place], *shown[place + length :]]
        found.before = [word for word in shown[:place] if len(word) > 1]
    found.given = _given_level(rest, found.before, name, is_bare=is_bare)
    if rest and not place and found.given == "other":
        found.family = "none"  # Adam in Adam Jones is not the family name of Al Adam
    return found


def _find_family(
    shown: tuple[str, ...], name: PersonName, found: _Match, *, is_bare: bool
) -> tuple[int, int]:
    """Set how the family name is shown; return where, and over how many words."""
    last = name.last
    for at in range(len(shown) - 1, -1, -1):
        for length in (1, 2, 3):
            if at + length <= len(shown) and "".join(shown[at : at + length]) == last:
                found.family = "exact"
                return at, length
    parts = _family_parts(name)
    for at in range(len(shown) - 1, -1, -1):
        if shown[at] in parts:
            found.family = "part"
            return at, 1
    for at in range(len(shown) - 1, -1, -1):
        length = 2 if is_bare and shown[at] in ARTICLES else 1
        if _is_alike("".join(shown[at : at + length]), last, is_bare=is_bare):
            found.family = "fuzzy"
            return at, length
    return 0, 0


def _family_parts(name: PersonName) -> frozenset[str]:
    parts = [word for word in name.family if len(name.family) > 1 and len(word) > 3]
    if len(name.family) == 1 and len(name.given) > 1 and len(name.given[-1]) > 3:
        parts.append(name.given[-1])
    return frozenset(parts)


def _given_level(rest: list[str], before: list[str], name: PersonName, *, is_bare: bool) -> str:
    first = name.first
    if _has_given(rest, name):
        return "exact" if len(first) > 1 else "initial"
    if _has_other_form(rest, name):
        return "nick"
    if any(_is_alike(word, first, is_bare=is_bare) for word in rest):
        return "fuzzy"
    if len(first) == 1:
        is_initial = not before or any(word[0] == first for word in before)
    else:
        is_initial = first[0] in rest
    if is_initial:
        return "initial"
    return _other_given(rest, before)


def _has_given(rest: list[str], name: PersonName) -> bool:
    whole = "".join(name.given)
    return name.first in rest or whole in rest or "".join(rest) == whole


def _has_other_form(rest: list[str], name: PersonName) -> bool:
    related = related_names(name.first)
    return any(
        word in related
        or (word in name.given[1:] and len(word) > 2)
        or _is_short_form(word, name.first)
        for word in rest
    )


def _other_given(rest: list[str], before: list[str]) -> str:
    if before:
        return "conflict" if any(is_given_name(word) for word in before) else "other"
    return "other" if rest else "missing"


def _is_short_form(word: str, name: str) -> bool:
    return len(word) > 2 and len(name) > 2 and (name.startswith(word) or word.startswith(name))


@lru_cache(maxsize=65536)
def _is_alike(word: str, other: str, *, is_bare: bool) -> bool:
    if is_bare and skeleton(word) == skeleton(other):
        return True
    if min(len(word), len(other)) < _MIN_FUZZY:
        return False
    if OSA.distance(word, other, score_cutoff=1) <= 1 and word[0] == other[0]:
        return True
    least = _SOUND_ALIKE if sound(word) == sound(other) else _ALIKE
    return JaroWinkler.similarity(word, other) >= least and abs(len(word) - len(other)) <= 1


def _by_handle(author: ShownName, name: PersonName, level: NameLevel) -> NameLevel:
    """Return the level with what the handle shows beyond the display name."""
    last = name.last
    at = author.stem.find(last)
    is_word = last in author.handle_words
    if at == -1 or len(last) < (2 if is_word else 4):
        return level
    rest = f"{author.stem[:at]} {author.stem[at + len(last) :]}"
    found = _handle_given(rest, name)
    if level is NameLevel.NONE and found != "exact" and len(author.words) > 1:
        return level  # who shows a whole name means that one
    if level is NameLevel.CONFLICT:
        return NameLevel.NICK if found == "exact" else level
    if level in {NameLevel.FAMILY, NameLevel.OTHER, NameLevel.INITIAL}:
        return _BESIDE_FAMILY.get(found, level)
    return _IN_HANDLE.get(found, level)


#: What a given name in the handle makes of a display name with the family name, and of one
#: without.
_BESIDE_FAMILY = {"exact": NameLevel.HANDLE_FULL, "nick": NameLevel.HANDLE_NICK}
_IN_HANDLE = {
    "exact": NameLevel.HANDLE_FULL,
    "nick": NameLevel.HANDLE_NICK,
    "initial": NameLevel.HANDLE_NICK,
    "missing": NameLevel.HANDLE_FAMILY,
}


def _handle_given(rest: str, name: PersonName) -> str:
    first = name.first
    if len(first) > 2 and first in rest:
        return "exact"
    others = (*related_names(first), *name.given[1:])
    if any(len(word) > 2 and word in rest for word in others):
        return "nick"
    plain = rest.split()
    if plain == [first[:1]]:
        return "initial"
    if any(len(word) > 2 and is_given_name(word) for word in plain):
        return "conflict"
    return "missing"


def _in_bio(author: ShownName, name: PersonName) -> bool:
    givens = {name.first, *related_names(name.first)}
    return any((given, name.family[-1]) in author.bio_pairs for given in givens if len(given) > 1)
