"""Names as keys: the same for `José García`, `Garcia, Jose` and `GARCÍA José`. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from nameparser import HumanName
from nameparser.config.suffixes import SUFFIX_ACRONYMS, SUFFIX_WORDS
from nameparser.config.titles import TITLES

_SUFFIXES = frozenset(SUFFIX_ACRONYMS) | frozenset(SUFFIX_WORDS)

#: Marks that are accents and vowel points; others (Devanagari vowels) are letters.
_ACCENTS = (range(0x300, 0x370), range(0x64B, 0x653), range(0x591, 0x5C8))
#: What people add in brackets is no name: (she/her), [on leave].
_BRACKETS = re.compile(r"[(\[{][^)\]}]{0,80}[)\]}]")
_TATWEEL = "\u0640"
_APOSTROPHES = frozenset("'`\u2019\u02bc")

#: A name of one word (Sukarno, 王小明) is a key where it has at least that many letters.
_MIN_MONONYM = 2


@lru_cache(maxsize=8192)
def name_tokens(text: str) -> tuple[str, ...]:
    """Return a name's words in order: no accents, case, titles, suffixes or emoji."""
    words = _words(_reorder(_BRACKETS.sub(" ", text)))
    while len(words) > 2 and words[0] in TITLES:  # first and last name stay
        words.pop(0)
    while len(words) > 2 and words[-1] in _SUFFIXES:
        words.pop()
    return tuple(words)


def name_key(text: str) -> str | None:
    """Return the key of a name: first and last word, in alphabetical order.

    The order is dropped because exports, display names and cultures differ in it; middle
    names are, because half of the sources leave them out.
    """
    words = name_tokens(text)
    if not words:
        return None
    if len(words) == 1:
        return words[0] if len(words[0]) >= _MIN_MONONYM else None
    return " ".join(sorted((words[0], words[-1])))


def names_agree(one: str, other: str) -> bool:
    """Say whether two names are the same by their keys."""
    key = name_key(one)
    return key is not None and key == name_key(other)


def shares_a_word(one: str, other: str) -> bool:
    """Say whether two names have a word of at least two letters in common."""
    return any(len(word) > 1 for word in set(name_tokens(one)) & set(name_tokens(other)))


def is_full_name(text: str) -> bool:
    """Say whether a display name looks like a person's: two or three words, no digits."""
    return len(name_tokens(text)) in {2, 3} and not any(letter.isdigit() for letter in text)


def squeeze(text: str) -> str:
    """Return only letters and digits, without case and accents."""
    return "".join(letter for letter in _fold(text) if letter.isalnum())


def _reorder(text: str) -> str:
    """Return `Smith, John A. Jr.` as `John A. Smith Jr.`."""
    if "," not in text:
        return text
    name = HumanName(text)
    return " ".join(part for part in (name.first, name.middle, name.last) if part) or text


def _words(text: str) -> list[str]:
    spaced = "".join(
        letter if unicodedata.category(letter)[0] in "LM" else " "
        for letter in _fold(text)
        if letter not in _APOSTROPHES
    )
    return spaced.split()


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize(
        "NFKC",
        "".join(
            letter
            for letter in decomposed
            if letter != _TATWEEL and not any(ord(letter) in marks for marks in _ACCENTS)
        ),
    )
