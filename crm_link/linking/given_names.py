"""Which given names are short or other forms of each other: Bob is Robert. Pure."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from nicknames import name_triplets

_EMPTY: frozenset[str] = frozenset()


def related_names(name: str) -> frozenset[str]:
    """Return the given names that the same person may go by, without `name` itself."""
    return _relations().get(name, _EMPTY)


def is_given_name(word: str) -> bool:
    """Say whether a word is known as a given name or as a short form of one."""
    return word in _relations()


@cache
def _relations() -> dict[str, frozenset[str]]:
    """Return formal and short forms of each name, from the list that `nicknames` bundles.

    Two short forms of one formal name are related too: Liz and Betty are both Elizabeth.
    """
    formal: dict[str, set[str]] = defaultdict(set)
    short: dict[str, set[str]] = defaultdict(set)
    for triplet in name_triplets():
        short[triplet.name1].add(triplet.name2)
        formal[triplet.name2].add(triplet.name1)
    found: dict[str, frozenset[str]] = {}
    for name in {*formal, *short}:
        siblings = {other for canonical in formal[name] for other in short[canonical]}
        found[name] = frozenset((short[name] | formal[name] | siblings) - {name})
    return found
