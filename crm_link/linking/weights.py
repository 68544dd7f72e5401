"""The weights of comparisons: data, shipped as `linking_data/weights.json`.

Fellegi and Sunter's model ("A theory for record linkage", J. Am. Stat. Assoc. 64 (1969),
1183): each level of a comparison has m, how often a right pair shows it, and u, how often
a wrong one does; it weighs log2(m/u) bits. A rare name weighs more than a common one
(Winkler's term frequencies). The bits of all comparisons and of the prior are the log2 odds
of a link; the candidates of one author compete, and "nobody we know" is one of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import InputError
from crm_link.linking.levels import Levels, NameLevel, PlaceLevel, WebLevel

#: How far the rarity of a name may move its weight, in bits.
MAX_RARITY_BITS = 6.0
#: Odds beyond 2 to this are certain.
_CERTAIN_BITS = 60.0

#: People outside the table that are counted in, so that a small table's names are not all
#: as common as they seem in it; of each, so many have any given and any family name.
_OUTSIDERS = 10_000
_OUTSIDERS_GIVEN = 10
_OUTSIDERS_FAMILY = 1
_OUTSIDERS_REGION = 50


class Level(BaseModel):
    """What one level of a comparison says.

    Args:
        m: Share of right pairs that show it.
        u: Share of wrong pairs that show it.
        family: For names: mean log2 frequency of the family names of the pairs behind `u`.
        given: The same of given names.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    m: float = Field(gt=0, le=1)
    u: float = Field(gt=0, le=1)
    family: float | None = None
    given: float | None = None

    @property
    def bits(self) -> float:
        """Return the weight, log2(m/u)."""
        return math.log2(self.m / self.u)


class Weights(BaseModel):
    """The whole model.

    Args:
        version: Name and version, kept with every link.
        trained: How, on how many authors and pairs.
        prior: Share of authors that are a contact.
        confirm: Probability from which a link may be confirmed.
        suggest: Probability, of an author being any of the candidates, from which one is
            suggested.
        name: By `NameLevel`.
        place: By `PlaceLevel`.
        region_share: Share of contacts in one region where `place` was trained.
        web: By `WebLevel`.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    trained: str = ""
    prior: float = Field(gt=0, lt=1)
    confirm: float = Field(gt=0.5, lt=1)
    suggest: float = Field(gt=0, lt=1)
    name: Mapping[NameLevel, Level]
    place: Mapping[PlaceLevel, Level]
    region_share: float = Field(gt=0, le=1)
    web: Mapping[WebLevel, Level]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many contacts there are, and how many of each name and region."""

    contacts: int
    family: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)
    region: Mapping[str, int] = field(default_factory=dict)

    def log2_family(self, word: str) -> float:
        """Return the log2 share of people with a family name."""
        return self._log2(self.family.get(word, 0), _OUTSIDERS_FAMILY)

    def log2_given(self, word: str) -> float:
        """Return the log2 share of people with a given name."""
        return self._log2(self.given.get(word, 0), _OUTSIDERS_GIVEN)

    def log2_region(self, key: str, share: float) -> float:
        """Return the log2 share of contacts in a region; `share` is what is usual."""
        count = self.region.get(key, 0) + share * _OUTSIDERS_REGION
        return math.log2(count / (self.contacts + _OUTSIDERS_REGION))

    def _log2(self, count: int, outside: int) -> float:
        return math.log2((count + outside) / (self.contacts + _OUTSIDERS))


@dataclass(frozen=True, slots=True)
class Bits:
    """What the comparisons of one pair weigh."""

    name: float
    place: float
    web: float

    @property
    def total(self) -> float:
        """Return all together."""
        return self.name + self.place + self.web


def weigh(levels: Levels, region: str, weights: Weights, frequencies: Frequencies) -> Bits:
    """Return what the levels of a pair weigh, given how common its names and region are."""
    name = weights.name[levels.name]
    rarity = 0.0
    if name.family is not None and levels.family:
        rarity += name.family - frequencies.log2_family(levels.family)
    if name.given is not None and levels.given:
        rarity += name.given - frequencies.log2_given(levels.given)
    if levels.name is NameLevel.CONFLICT:
        rarity = min(0.0, rarity)  # relatives share a rare family name
    place = weights.place[levels.place].bits
    if region and levels.place in {PlaceLevel.AGREES, PlaceLevel.HINTED}:
        usual = math.log2(weights.region_share)
        place += _bounded(usual - frequencies.log2_region(region, weights.region_share))
    return Bits(name.bits + _bounded(rarity), place, weights.web[levels.web].bits)


def prior_bits(weights: Weights, contacts: int) -> float:
    """Return the log2 odds that an author is one given contact, before anything is compared."""
    return math.log2(weights.prior / (1 - weights.prior) / max(1, contacts))


def probabilities(bits: Sequence[float]) -> list[float]:
    """Return the probability of each candidate, from their log2 odds against nobody."""
    odds = [2.0 ** max(-_CERTAIN_BITS, min(_CERTAIN_BITS, one)) for one in bits]
    total = 1.0 + sum(odds)
    return [one / total for one in odds]


def load_weights(path: Path | None = None) -> Weights:
    """Return the weights of a file, or those that are shipped.

    Raises:
        InputError: The file cannot be read, or is no weights.

    """
    if path is None:
        return shipped_weights()
    try:
        return Weights.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: no weights of linking: {where}: {first['msg']}") from error


@cache
def shipped_weights() -> Weights:
    """Return the weights that come with the package."""
    text = files("crm_link.linking_data").joinpath("weights.json").read_bytes()
    return Weights.model_validate_json(text)


def _bounded(bits: float) -> float:
    return max(-MAX_RARITY_BITS, min(MAX_RARITY_BITS, bits))
