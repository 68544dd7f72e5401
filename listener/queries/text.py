"""How a brand query reads text: folding, word boundaries, and where a term is found.

The rules, in the order in which they matter (docs/queries.md tells them to users):

* Case, width (full and half), Latin accents (é and e), curly apostrophes and invisible
  characters (soft hyphen, zero-width space, emoji variation selectors) make no difference.
* A word is found as a whole word. Letters, digits, marks and `_` make words; everything
  else ends them, so `acme` finds "#acme", "@acme" and "Acme's", but not "acmeology".
* Scripts that put no spaces between words (`_UNSPACED`) know no word boundaries: there a
  term is found anywhere. Hangul is among them, since particles are attached to the noun.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import permutations

import regex

from listener.queries.terms import Term, TermKind

_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー"
)
_SPACED_WORD = rf"[\w--[{_UNSPACED}]]"
_GAP = r"[[\s\p{P}]--_]+"
#: Words of a NEAR term are tried in every order, and orders grow as a factorial.
MAX_NEAR_WORDS = 4

_ODD = {
    **{chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFF01, 0xFFEF)},
    "\u3000": " ",
    "\u2018": "'",
    "\u2019": "'",
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff\ufe0e\ufe0f", ""),
}
_ODD_CHARACTER = re.compile("[\u00ad\u200b\u2018\u2019\u2060\u3000\ufe0e\ufe0f\ufeff\uff01-\uffee]")
_ACCENT = re.compile("[\u00df-\u024f\u1e00-\u1eff\u0300-\u036f]")
_IS_SPACED_WORD = regex.compile(rf"(?V1){_SPACED_WORD}")
_PUNCTUATION_ENDS = regex.compile(rf"(?V1)^{_GAP}|{_GAP}$")
_GRAPHEME = regex.compile(r"\X")


def fold(text: str) -> str:
    """Return `text` as queries compare it; folding twice changes nothing."""
    if text.isascii():
        return text.lower()
    text = fold_case(text)
    if _ACCENT.search(text):
        text = _ACCENT.sub(lambda found: _PLAIN.get(found[0], found[0]), text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def fold_case(text: str) -> str:
    """Return `text` folded but for its accents: how a platform may need to be asked."""
    if _ODD_CHARACTER.search(text):
        text = _ODD_CHARACTER.sub(lambda found: _ODD.get(found[0], found[0]), text)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def fold_with_origins(text: str) -> tuple[str, list[int], list[int]]:
    """Return the folded text and, for each of its characters, where it came from.

    The two lists give the start and end of the original grapheme, in code points.
    """
    if text.isascii():
        return text.lower(), list(range(len(text))), list(range(1, len(text) + 1))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _GRAPHEME.finditer(text):
        piece = fold(found[0])
        pieces.append(piece)
        starts.extend([found.start()] * len(piece))
        ends.extend([found.end()] * len(piece))
    return "".join(pieces), starts, ends


def trim_punctuation(word: str) -> str:
    """Return `word` without the punctuation at its ends."""
    return str(_PUNCTUATION_ENDS.sub("", word))


@lru_cache(4096)
def term_regex(term: Term) -> regex.Pattern[str]:
    """Return what finds a text term in folded text."""
    return regex.compile(f"(?V1){_pattern(term)}")


def anchor(term: Term) -> str:
    """Return a piece of text without which `term` cannot be in a text: a fast first look."""
    match term.kind:
        case TermKind.PHRASE | TermKind.NEAR:
            return max(term.value.split(" "), key=len)
        case TermKind.HASHTAG:
            return "#" + term.value.rstrip("*")
        case TermKind.MENTION:
            return "@" + term.value
        case TermKind.CASHTAG:
            return "$" + term.value
        case _:
            return term.value


def url_regex(fragment: str) -> regex.Pattern[str]:
    """Return what finds `fragment` in a casefolded address, not inside a longer word."""
    left = r"(?<!\w)" if fragment[0].isalnum() else ""
    right = r"(?!\w)" if fragment[-1].isalnum() else ""
    return regex.compile(f"{left}{regex.escape(fragment, special_only=True)}{right}")


def _pattern(term: Term) -> str:  # noqa: PLR0911 - one line for each kind
    value = term.value
    match term.kind:
        case TermKind.PREFIX:
            return _left(value) + _literal(value)
        case TermKind.PHRASE:
            words = value.split(" ")
            return _left(value) + _GAP.join(map(_literal, words)) + _right(value)
        case TermKind.NEAR:
            gap = rf"(?:\W+\w+){{0,{term.slop}}}?\W+"
            orders = dict.fromkeys(permutations(value.split(" ")))
            return "|".join(f"(?:{gap.join(map(_word, words))})" for words in orders)
        case TermKind.HASHTAG:
            stem = value.rstrip("*")
            end = "" if stem != value else r"(?!\w)"
            return rf"(?<![\w&/])\#{_literal(stem)}{end}"
        case TermKind.MENTION:
            return rf"(?<!\w)@{_literal(value)}(?!\w)"
        case TermKind.CASHTAG:
            return rf"(?<![\w$])\${_literal(value)}(?!\w)"
        case _:
            return _word(value)


def _word(value: str) -> str:
    return _left(value) + _literal(value) + _right(value)


def _literal(value: str) -> str:
    # V1 patterns read doubled punctuation (`--`, `&&`) as set operations, but only in sets.
    return str(regex.escape(value, special_only=True))


def _left(value: str) -> str:
    return rf"(?<!{_SPACED_WORD})" if _IS_SPACED_WORD.match(value[0]) else ""


def _right(value: str) -> str:
    return rf"(?!{_SPACED_WORD})" if _IS_SPACED_WORD.match(value[-1]) else ""


def _without_accents() -> dict[str, str]:
    """Return Latin letters with accents and their bare letters, and stray accents and nothing.

    X's search does the same ("Diacritics" in
    https://docs.x.com/x-api/posts/search/integrate/build-a-query), so that what is asked
    there and what is checked here agree.
    """
    plain = {chr(code): "" for code in range(0x0300, 0x0370)}
    for code in (*range(0x00DF, 0x0250), *range(0x1E00, 0x1F00)):
        letter = unicodedata.normalize("NFD", chr(code))
        if len(letter) > 1 and letter[0].isascii():
            plain[chr(code)] = letter[0]
    return plain


_PLAIN = _without_accents()
