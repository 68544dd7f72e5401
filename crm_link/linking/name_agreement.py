"""Whether the names of two CRM records may be one person's, compared as linking compares names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm_link.linking.levels import split_name
from crm_link.linking.name_levels import NameLevel, name_level
from crm_link.linking.person_names import PersonName

#: Names of the two parts of a name among what differs.
GIVEN, FAMILY = "given", "family"

#: Levels at which two names are one person's.
_SAME_NAME = frozenset(
    {NameLevel.FULL, NameLevel.NICK, NameLevel.FUZZY, NameLevel.INITIAL, NameLevel.FAMILY}
)
_OTHER_GIVEN = frozenset({NameLevel.CONFLICT, NameLevel.OTHER})


def names_that_differ(one: Any, other: Any) -> tuple[str, ...]:  # noqa: ANN401 - a contact, or its row
    """Return the parts of two contacts' names that speak against one person, either way round."""
    mine = split_name(one.name, one.family_name or "")
    theirs = split_name(other.name, other.family_name or "")
    if not mine.given or not theirs.given:
        return ()
    levels = {name_level(_Written(theirs), mine)[0], name_level(_Written(mine), theirs)[0]}
    if levels & _SAME_NAME:
        return ()
    if levels & _OTHER_GIVEN:
        return (GIVEN,)
    return (FAMILY,) if NameLevel.GIVEN in levels else (GIVEN, FAMILY)


@dataclass(frozen=True, slots=True)
class _Written:
    """A contact's name as something that shows a name: there is no handle and no bio."""

    name: PersonName
    stem: str = ""
    handle_words: tuple[str, ...] = ()
    bio_pairs: frozenset[tuple[str, str]] = frozenset()

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.name.given, *self.name.family)

    @property
    def is_without_vowels(self) -> bool:
        return self.name.is_without_vowels
