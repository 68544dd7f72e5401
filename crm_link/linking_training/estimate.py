"""Estimating m and u of every level from pairs whose probability is known. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from crm_link.linking.levels import Levels, NameLevel, PlaceLevel, WebLevel
from crm_link.linking.weights import Frequencies, Level, Weights
from crm_link.linking_training.pairs import Pair, Sample

#: Pairs that are counted in at each level, so that an unseen one is not impossible.
_SMOOTHING = 0.5

#: Probability from which a link may be confirmed, and from which any is suggested. Chosen by
#: five-fold cross-validation on labelled profiles: no wrong link at 0.9 and above.
CONFIRM = 0.9
SUGGEST = 0.5

#: Levels whose wrong pairs are not all found by keys: at least that share of all pairs.
_LEAST_U = {NameLevel.GIVEN: 0.004, NameLevel.NONE: 0.95}

_E = TypeVar("_E", bound=StrEnum)


@dataclass(slots=True)
class _Sums:
    right: float = 0.0
    wrong: float = 0.0
    family: float = 0.0
    given: float = 0.0
    with_given: float = 0.0
    rarity: list[float] = field(default_factory=list)


def estimate(sample: Sample, pairs: Sequence[Pair], *, version: str, trained: str) -> Weights:
    """Return weights from pairs with their probabilities.

    `u` of a name is its share of *all* pairs of an author and a contact, not of the
    candidates only: the keys find every contact of that name. `u` of place and site is
    their share of wrong candidates, which say nothing about place and site by themselves.
    """
    frequencies = sample.table.scale.frequencies
    right = sum(pair.chance for pair in pairs)
    everything = max(1.0, float(sample.authors) * frequencies.contacts)
    return Weights(
        version=version,
        trained=trained,
        prior=min(0.95, max(0.01, right / max(1, sample.authors))),
        confirm=CONFIRM,
        suggest=SUGGEST,
        name=_names(pairs, frequencies, everything),
        place=_plain(pairs, PlaceLevel, lambda levels: levels.place),
        region_share=sample.table.region_share,
        web=_plain(pairs, WebLevel, lambda levels: levels.web),
    )


def _names(
    pairs: Sequence[Pair], frequencies: Frequencies, everything: float
) -> dict[NameLevel, Level]:
    sums: dict[NameLevel, _Sums] = defaultdict(_Sums)
    for pair in pairs:
        levels, wrong = pair.levels, 1 - pair.chance
        one = sums[levels.name]
        one.right += pair.chance
        one.wrong += wrong
        one.family += wrong * frequencies.log2_family(levels.family)
        if levels.given:
            one.given += wrong * frequencies.log2_given(levels.given)
            one.with_given += wrong
    rights = sum(one.right for one in sums.values()) + _SMOOTHING * len(NameLevel)
    found: dict[NameLevel, Level] = {}
    for level in NameLevel:
        one = sums[level]
        found[level] = Level(
            m=(one.right + _SMOOTHING) / rights,
            u=max(_LEAST_U.get(level, 0.0), (one.wrong + _SMOOTHING) / everything),
            family=one.family / one.wrong if one.wrong > 1 else -12.0,
            given=_given(one, level),
        )
    return found


def _given(one: _Sums, level: NameLevel) -> float | None:
    if one.with_given > 1:
        return one.given / one.with_given
    is_of_both = level in {NameLevel.FULL, NameLevel.HANDLE_FULL, NameLevel.HANDLE_NICK}
    return -8.0 if is_of_both else None


def _plain(
    pairs: Sequence[Pair], levels: type[_E], level_of: Callable[[Levels], StrEnum]
) -> dict[_E, Level]:
    right: dict[StrEnum, float] = defaultdict(float)
    wrong: dict[StrEnum, float] = defaultdict(float)
    for pair in pairs:
        level = level_of(pair.levels)
        right[level] += pair.chance
        wrong[level] += 1 - pair.chance
    rights = sum(right.values()) + _SMOOTHING * len(levels)
    wrongs = sum(wrong.values()) + _SMOOTHING * len(levels)
    return {
        level: Level(m=(right[level] + _SMOOTHING) / rights, u=(wrong[level] + _SMOOTHING) / wrongs)
        for level in levels
    }
