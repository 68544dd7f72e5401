"""Pieces of a search, as they are put together for one platform. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a search. `stands` says whether the platform would take it alone."""

    text: str
    stands: bool
    negative: bool = False
    alternatives: tuple[Part, ...] = ()
    conjuncts: tuple[Part, ...] = ()


def only_excludes(part: Part) -> bool:
    """Return whether a piece only says what not to find."""
    return part.negative or (bool(part.conjuncts) and all(map(only_excludes, part.conjuncts)))


def is_several(part: Part) -> bool:
    """Return whether a piece needs brackets beside others."""
    return bool(part.alternatives or part.conjuncts) or part.text.startswith("(")


def length(part: Part) -> int:
    """Return the characters of a piece."""
    return len(part.text)
