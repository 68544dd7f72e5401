"""People's names in every script as words that can be compared. Pure.

Two forms are kept of a word: its letters in ASCII (`Παπαδόπουλος` is `papadopoylos`), and
its skeleton, the consonants that are left when vowels go, because Arabic and Hebrew write
no vowels and Indian scripts not all (`محمد` and `Mohammed` are both `mhmd`). Which word is
the family name is not guessed more than it must be: cultures and exports differ in it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii
from nameparser.config.suffixes import SUFFIX_ACRONYMS, SUFFIX_WORDS
from nameparser.config.titles import TITLES

#: Titles and honorifics that nameparser does not have, in ASCII.
_MORE_TITLES = frozenset(
    {
        *("sen", "congressman", "congresswoman", "cong", "mp", "mep", "msp", "cllr", "councillor"),
        *(
            "sr",
            "sra",
            "srta",
            "senor",
            "senora",
            "dona",
            "herr",
            "frau",
            "hr",
            "fr",
            "mme",
            "mlle",
        ),
        *("bapak", "pak", "ibu", "bu", "shri", "sri", "smt", "shrimati", "dr", "d r", "prof"),
        *("san", "sama", "sensei", "shi", "xiansheng", "nushi", "gospodin", "kyrios", "kyria"),
        *("alsyd", "lsyd", "alsayed", "sayyid", "ustadh", "haji", "hajj", "hajjah"),
    }
)
_TITLES = frozenset(TITLES) | _MORE_TITLES
_SUFFIXES = frozenset(SUFFIX_ACRONYMS) | frozenset(SUFFIX_WORDS)

#: Words that begin a family name of several words.
_PARTICLES = frozenset(
    {
        *("van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "das", "do", "du"),
        *("la", "le", "el", "al", "bin", "ibn", "bint", "ter", "ten", "st", "san", "santa", "mac"),
    }
)

#: The Arabic article, which Arabic writes as the beginning of the word and Latin often apart.
ARTICLES = frozenset({"al", "el"})

#: Words of accounts that are kept for somebody, or against them: no part of a name.
_NOT_NAMES = frozenset(
    {
        *("team", "press", "office", "official", "campaign", "vote", "elect", "reelect", "re"),
        *("for", "the", "of", "and", "friends", "news", "hq", "page", "real", "fan", "fans"),
        *("congress", "senate", "house", "parliament", "governor", "mayor", "president"),
        *("account", "archive", "archived", "parody", "unofficial", "staff", "media", "updates"),
    }
)

_POSSESSIVE = re.compile(r"(?<=[A-Za-z])['\u2019]s\b")
_BRACKETS = re.compile(r"[(\[{][^)\]}]{0,80}[)\]}]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IN_HANDLE = re.compile(rf"{_CAMEL.pattern}|[\d_.\-]+")
_APOSTROPHES = str.maketrans("", "", "'`\u2019\u02bc\u2018\u02bb")
_VOWELS = re.compile(r"^[aeiou]+|(?<=.)[aeiouyw]+")
#: The h of sh, kh, bh, ...: one letter where the other script has one.
_BREATHED = re.compile(r"(?<=[bcdgjkpst])h")
_DOUBLED = re.compile(r"(.)\1+")

#: Chinese and Korean family names have one syllable, except these.
_TWO_SYLLABLE = ("OuYang", "SiMa", "ZhuGe", "ShangGuan", "XiaHou", "HuangFu", "MuRong", "NamGung")
_SYLLABLE = re.compile(r"[A-Z][a-z]*")

#: Words looked at in one display name; people write sentences there too.
MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class PersonName:
    """A contact's name.

    Args:
        given: The words of the given names, in ASCII.
        family: The words of the family name; empty for a name of one word.
        is_without_vowels: It was written in a script that has none.

    """

    given: tuple[str, ...]
    family: tuple[str, ...]
    is_without_vowels: bool = False

    @property
    def first(self) -> str:
        """The first given name, or the only name; empty if there is none."""
        return self.given[0] if self.given else ""

    @property
    def last(self) -> str:
        """The family name in one word."""
        return "".join(self.family)


@lru_cache(maxsize=8192)
def contact_name(name: str, given: str = "", family: str = "") -> PersonName:
    """Return the name of a contact, from its columns where the CRM has them apart."""
    is_bare = _is_without_vowels(name or given + family)
    if given.strip() and family.strip():
        return PersonName(_without_titles(words(given)), _without_suffixes(words(family)), is_bare)
    whole = name or given or family
    if "," in whole:
        last, _, first = whole.partition(",")
        parts = _without_titles(words(first))
        while parts and parts[-1] in _SUFFIXES:
            parts = parts[:-1]
        if parts and (family_words := words(last)):
            return PersonName(parts, family_words, is_bare)
    found = _without_suffixes(_without_titles(words(whole)))
    if len(found) < 2:  # a name of one word is a given name
        return PersonName(found, (), is_bare)
    place = next(
        (at for at, word in enumerate(found[1:-1], 1) if word in _PARTICLES), len(found) - 1
    )
    return PersonName(found[:place], found[place:], is_bare)


@lru_cache(maxsize=8192)
def display_words(text: str) -> tuple[str, ...]:
    """Return the words of a display name without titles: `RepMattGaetz` is `matt gaetz`."""
    plain = _BRACKETS.sub(" ", text).strip()
    found = _without_titles(words(plain if " " in plain else _CAMEL.sub(" ", plain)))
    names = tuple(word for word in found if word not in _NOT_NAMES)
    return (names or found)[:MAX_WORDS]


@lru_cache(maxsize=8192)
def handle_words(handle: str) -> tuple[str, ...]:
    """Return the words that a handle is written of: `RepJimClyburn` is `jim clyburn`."""
    return display_words(_IN_HANDLE.sub(" ", handle.partition("@")[0]))


@lru_cache(maxsize=16384)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a name in ASCII, without accents, case, digits and signs."""
    text = _POSSESSIVE.sub("", text)
    if text.isascii():
        plain = text.translate(_APOSTROPHES)
    else:
        text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
        plain = " ".join(_latin(part) for part in _letters(text).split())
    return tuple(_letters(plain).casefold().split())


def skeleton(word: str) -> str:
    """Return the consonants of a word, for scripts that write no vowels."""
    return _DOUBLED.sub(r"\1", _VOWELS.sub("", _BREATHED.sub("", word)))


def _latin(part: str) -> str:
    """Return one word in ASCII; a Chinese or Korean name comes apart into its two parts."""
    plain = anyascii(part).translate(_APOSTROPHES)
    if not _is_han_or_hangul(part[0]) or len(part) < 2:
        return plain
    for family in _TWO_SYLLABLE:
        if plain.startswith(family) and len(plain) > len(family):
            return f"{plain[len(family) :]} {family}"
    syllables = _SYLLABLE.findall(plain)
    if not 2 <= len(syllables) <= 4:  # longer is no name
        return plain
    return f"{''.join(syllables[1:])} {syllables[0]}"


def _letters(text: str) -> str:
    if text.isascii() and text.isalpha():
        return text
    return "".join(
        letter if letter.isalpha() or unicodedata.category(letter)[0] == "M" else " "
        for letter in text
    )


def _is_han_or_hangul(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3"


def _is_without_vowels(text: str) -> bool:
    return any("\u0590" <= letter <= "\u06ff" or "\u0900" <= letter <= "\u0dff" for letter in text)


def is_without_vowels(text: str) -> bool:
    """Say whether a text is in a script that writes no vowels."""
    return not text.isascii() and _is_without_vowels(text)


def _without_titles(found: tuple[str, ...]) -> tuple[str, ...]:
    start = 0
    while start < len(found) - 1 and found[start] in _TITLES:
        start += 1
    return found[start:]


def _without_suffixes(found: tuple[str, ...]) -> tuple[str, ...]:
    end = len(found)
    while end > 1 and found[end - 1] in _SUFFIXES:
        end -= 1
    return found[:end]
