"""The same person in two CRMs: records compared field by field, weighed, paired one to one. Pure.

The machinery is that of authors and contacts (levels, m and u, log2 odds, competing
candidates); the fields are those of a CRM record. What comes out are suggestions, so that
nobody is contacted twice by two departments; nothing is merged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import OSA, JaroWinkler

from crm_link.linking.given_names import related_names
from crm_link.linking.sounds import sound


class FieldLevel(StrEnum):
    """How far a field of two records agrees."""

    SAME = "same"
    ALIKE = "alike"  # written a little differently, a short form, or two digits swapped
    MISSING = "missing"
    DIFFERENT = "different"


#: The fields that are compared, in this order.
FIELDS = (
    *("given", "family", "birth_date", "email", "phone", "id_number"),
    *("street", "house_number", "city", "postcode", "region"),
)

#: Records that may share a key before it says too little to compare them all.
MAX_PER_KEY = 50
_ALIKE = 0.88
_SIGNS = re.compile(r"[^\w@.+ ]+")


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person as one CRM has them: normalised values by field, absent ones left out."""

    record_id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordPair:
    """Two records that share a key, and the level of each field of `FIELDS`."""

    one: int
    other: int
    levels: tuple[str, ...]


def read_record(record_id: str, values: Mapping[str, str | None]) -> PersonRecord:
    """Return a record with its values in one form; fields that are not known are left out."""
    plain = {
        name: " ".join(_SIGNS.sub(" ", str(values[name])).casefold().split())
        for name in FIELDS
        if values.get(name)
    }
    return PersonRecord(record_id, {name: value for name, value in plain.items() if value})


def find_pairs(one: Sequence[PersonRecord], other: Sequence[PersonRecord]) -> list[RecordPair]:
    """Return the pairs that share a key, compared; each once."""
    by_key: dict[str, list[int]] = defaultdict(list)
    for at, record in enumerate(other):
        for key in _keys(record):
            by_key[key].append(at)
    found: list[RecordPair] = []
    for at, record in enumerate(one):
        near: dict[int, None] = {}
        for key in _keys(record):
            group = by_key.get(key, ())
            if len(group) <= MAX_PER_KEY:
                near.update(dict.fromkeys(group))
        found.extend(RecordPair(at, place, compare(record, other[place])) for place in near)
    return found


def compare(one: PersonRecord, other: PersonRecord) -> tuple[str, ...]:
    """Return the level of each field of `FIELDS`; given and family name may be swapped."""
    mine, theirs = one.values, other.values
    is_swapped = _are_swapped(mine, theirs)
    found = []
    for name in FIELDS:
        match = {"given": "family", "family": "given"}.get(name, name) if is_swapped else name
        found.append(_level(name, mine.get(name, ""), theirs.get(match, "")).value)
    return tuple(found)


def pair_up(
    pairs: Sequence[RecordPair], chances: Sequence[float], *, least: float = 0.5
) -> list[tuple[RecordPair, float]]:
    """Return the likely pairs, each record in one at most, the likeliest first."""
    order = sorted(range(len(pairs)), key=lambda at: (-chances[at], pairs[at].one, pairs[at].other))
    ones: set[int] = set()
    others: set[int] = set()
    found: list[tuple[RecordPair, float]] = []
    for at in order:
        pair = pairs[at]
        if chances[at] < least:
            break
        if pair.one in ones or pair.other in others:
            continue
        ones.add(pair.one)
        others.add(pair.other)
        found.append((pair, chances[at]))
    return found


def _keys(record: PersonRecord) -> Iterator[str]:
    values = record.values
    for name in ("email", "phone", "id_number"):
        if name in values:
            yield f"{name}|{values[name]}"
    given, family = values.get("given", ""), values.get("family", "")
    names = sorted(filter(None, (sound(given.replace(" ", "")), sound(family.replace(" ", "")))))
    if len(names) == 2:  # both
        yield f"names|{names[0]}|{names[1]}"
    birth, postcode = values.get("birth_date"), values.get("postcode")
    if birth:
        for word in filter(None, (given, family, postcode)):
            yield f"birth|{birth}|{word[:4]}"
    if postcode:
        for word in filter(None, (given, family, values.get("street"))):
            yield f"post|{postcode}|{word[:5]}"
    if values.get("street") and values.get("house_number"):
        yield f"street|{values['street']}|{values['house_number']}"


def _are_swapped(mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    crossed = (mine.get("given"), mine.get("family")) == (
        theirs.get("family"),
        theirs.get("given"),
    )
    return crossed and mine.get("given") != theirs.get("given")


def _level(name: str, one: str, other: str) -> FieldLevel:
    if not one or not other:
        return FieldLevel.MISSING
    if one == other:
        return FieldLevel.SAME
    if name == "given" and other in related_names(one):
        return FieldLevel.ALIKE
    is_near = min(len(one), len(other)) > 2 and OSA.distance(one, other, score_cutoff=1) <= 1
    if is_near or (len(one) > 2 and JaroWinkler.similarity(one, other) >= _limit(name)):
        return FieldLevel.ALIKE
    return FieldLevel.DIFFERENT


def _limit(name: str) -> float:
    """Return the similarity from which values are alike; numbers of two people are similar."""
    return 0.95 if name in {"birth_date", "id_number", "phone", "postcode"} else _ALIKE


def columns_of(pairs: Iterable[RecordPair]) -> dict[str, list[str]]:
    """Return the levels of all pairs by field, as training takes them."""
    found: dict[str, list[str]] = {name: [] for name in FIELDS}
    for pair in pairs:
        for name, level in zip(FIELDS, pair.levels, strict=True):
            found[name].append(level)
    return found
