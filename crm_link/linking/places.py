"""Which part of a country somebody names: states, provinces, counties by ISO 3166-2. Pure.

A region is known by its code (`US-OH`) where the country is known, else by its words.
What an author names is read with care: a bare `IN` or `OR` in a sentence is a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import orjson
import pycountry
from anyascii import anyascii

from crm_link.linking.given_names import is_given_name

#: Regions that people name because the capital is there, not because they live there.
_CAPITALS = {"US": "US-DC", "GB": "GB-LND"}
#: Other words for a region than those of ISO 3166-2.
_MORE_WORDS = {
    "US-DC": ("washington d c", "washington dc", "d c"),
    "US-WA": ("washington state", "washington s"),
}
#: Codes that are words too.
_WORDS = frozenset(
    {"AL", "AM", "AS", "CO", "DE", "DO", "GO", "HI", "ID", "IN", "IT", "LA", "MA", "MD", "ME", "MS"}
    | {"NO", "OH", "OK", "ON", "OR", "PA", "SO", "TO", "UP", "US"}
)
#: Words that are regions and something else that is more usual.
_AMBIGUOUS = {"US-WA": ("washington",)}

_PARTS = re.compile(r"[,/&|;•()]| and ")
_CAPITALISED = re.compile(r"[A-Z][a-z.]+(?:,? (?:and |of |the )?[A-Z][a-z]+){0,3}")
#: A town of one word in a sentence has more letters than that: Hope is a word.
_MIN_TOWN = 5
_MAX_PHRASES = 40
_SPACES = re.compile(r"[^a-z0-9]+")
_DOTTED = re.compile(r"\b([A-Z])\.\s?([A-Z])\.?(?![A-Za-z])")
_NUMBERED = re.compile(
    r"(?<![A-Za-z])(?:([A-Z]{2})[- ]?\d{1,2}(?!\d)|[A-Z]-([A-Z]{2})(?![A-Za-z]))"
)
_AFTER_COMMA = re.compile(r"[A-Za-z.], ?([A-Z]{2})(?![A-Za-z])")
_ALONE = re.compile(r"(?<![A-Za-z@])([A-Z]{2})(?![A-Za-z])")
_IN_HANDLE = re.compile(
    r"(?:(?<=[a-z_])([A-Z]{2})_?\d{0,2}|(?:_([A-Za-z]{2})_?|([A-Za-z]{2})_?\d{1,2}))$"
)
_HANDLE_START = re.compile(r"([A-Z]{2})(?=[A-Z_][a-z])")

#: Share of a table's regions that must be a country's for it to be its home country.
_HOME_SHARE = 0.8
_MIN_REGIONS = 3


@dataclass(frozen=True, slots=True)
class Named:
    """The regions that an author names.

    Args:
        said: Those that are named without doubt.
        towns: Those of towns that are named: they agree with a contact's, and never conflict.
        hinted: Those that may be meant, such as two letters in a handle.
        text: All words of the author, for regions that no list has.

    """

    said: frozenset[str]
    towns: frozenset[str]
    hinted: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class RegionBook:
    """The regions of one country; an empty one knows words only."""

    country: str | None
    by_word: dict[str, str] = field(default_factory=dict)
    names: re.Pattern[str] | None = None
    cities: dict[str, str] = field(default_factory=dict)
    endings: tuple[str, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all regions."""
        return frozenset(self.by_word.values())

    def key(self, region: str) -> str:
        """Return a contact's region as its code, else as its words; empty for none."""
        word = fold_place(region)
        return self.by_word.get(word, word)

    def named(self, *, location: str, bio: str, display: str, handle: str) -> Named:
        """Return what an author names."""
        text = f" {fold_place(f'{location} {bio} {display}')} "
        if self.names is None:
            return Named(frozenset(), frozenset(), frozenset(), text)
        said: set[str] = set()
        hinted: set[str] = set()
        for place in self.names.findall(text):
            code = self.by_word[place]
            (hinted if place in _AMBIGUOUS.get(code, ()) else said).add(code)
        towns = {*self._towns(location, bio), *self._ends_with(handle)}
        for part in (location, bio, display):
            plain = _DOTTED.sub(r"\1\2", part)
            said |= self._codes(
                (
                    *(one or other for one, other in _NUMBERED.findall(plain)),
                    *_AFTER_COMMA.findall(plain),
                )
            )
            alone = set(_ALONE.findall(plain))
            towns |= self._codes(alone - _WORDS)
            hinted |= self._codes(alone)
        if _is_code(location):
            said |= self._codes([location.strip()[:2]])
        hinted |= self._in_handle(handle)
        capital = _CAPITALS.get(self.country or "")
        return Named(
            frozenset(said - {capital}), frozenset(towns - {capital}), frozenset(hinted), text
        )

    def _towns(self, location: str, bio: str) -> Iterator[str]:
        for part in _PARTS.split(location):
            if code := self.cities.get(fold_place(part)):
                yield code
        for phrase in place_phrases(bio):
            if code := self.cities.get(phrase):
                yield code

    def _codes(self, found: Iterable[str]) -> set[str]:
        return {code for text in found if (code := self.by_word.get(text.casefold()))}

    def _in_handle(self, handle: str) -> set[str]:
        found = [*_HANDLE_START.findall(handle)[:1]]
        if match := _IN_HANDLE.search(handle):
            found.append(match[1] or match[2] or match[3])
        return self._codes(found)

    def _ends_with(self, handle: str) -> set[str]:
        """Return the region whose name ends a handle: `DoeForMontana`."""
        short = fold_place(handle).replace(" ", "")
        if not short.endswith(self.endings):
            return set()
        longest = max(
            (
                word
                for word in self.by_word
                if len(word) > 3
                and len(short) > len(word)
                and short.endswith(word.replace(" ", ""))
                and not is_given_name(word)
            ),
            key=len,
            default=None,
        )
        return {self.by_word[longest]} if longest else set()


def place_phrases(text: str) -> Iterator[str]:
    """Yield the words and runs of words in a text that are written like names of places."""
    count = 0
    for run in _CAPITALISED.findall(text):
        parts = fold_place(run).split()
        for length in (4, 3, 2, 1):
            for at in range(len(parts) - length + 1):
                phrase = " ".join(parts[at : at + length])
                if length > 1 or len(phrase) > _MIN_TOWN:
                    yield phrase
                    count += 1
                    if count == _MAX_PHRASES:
                        return


def fold_place(text: str) -> str:
    """Return a place's words in ASCII, without case and signs."""
    plain = text if text.isascii() else anyascii(text)
    return _SPACES.sub(" ", plain.casefold()).strip()


def _is_code(location: str) -> bool:
    return re.fullmatch(r"\s*[A-Z]{2}\d{0,2}\s*", location) is not None


@cache
def region_book(country: str | None) -> RegionBook:
    """Return the regions of a country, given by its ISO 3166 code."""
    subdivisions = pycountry.subdivisions.get(country_code=country) if country else None  # type: ignore[no-untyped-call]
    by_word: dict[str, str] = {}
    for one in subdivisions or ():
        if one.parent_code is None:
            by_word[fold_place(one.code.partition("-")[2])] = one.code
            for word in (fold_place(one.name), *_MORE_WORDS.get(one.code, ())):
                by_word[word] = one.code
    names = sorted((word for word in by_word if len(word) > 3 or " " in word), key=len)
    if not names:
        return RegionBook(country, by_word)
    cities = {city: f"{country}-{code}" for code, group in _cities(country) for city in group}
    # A few letters more are the people of the region: Oklahoman, Texans.
    pattern = "|".join(re.escape(name) for name in reversed(names))
    names_pattern = re.compile(rf"(?<= )({pattern})(?=[a-z]{{0,3}} )")
    endings = tuple(word.replace(" ", "") for word in by_word if len(word) > 3)
    return RegionBook(country, by_word, names_pattern, cities, endings)


def _cities(country: str | None) -> Iterable[tuple[str, list[str]]]:
    """Return the towns by region, which `phonenumbers` has for North America only.

    A town counts as its region's where five of six of its numbers are there.
    """
    text = files("crm_link.linking_data").joinpath("cities.json").read_bytes()
    found: dict[str, dict[str, list[str]]] = orjson.loads(text)
    return found.get(country or "", {}).items()


def home_country(regions: Iterable[str]) -> str | None:
    """Return the country whose regions a table's are, None where none fits well."""
    counts = Counter(fold_place(region) for region in regions if region.strip())
    total = len(counts)
    if total < _MIN_REGIONS:
        return None
    best: tuple[float, str] | None = None
    for country in _countries():
        known = region_book(country).by_word
        share = sum(1 for word in counts if word in known) / total
        if share >= _HOME_SHARE and (best is None or share > best[0]):
            best = (share, country)
    return best[1] if best else None


@cache
def _countries() -> tuple[str, ...]:
    return tuple(sorted({one.country_code for one in pycountry.subdivisions}))
