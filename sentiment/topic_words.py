"""The words by which a text tells its topic: no links, handles, stop words or brand names. Pure."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import regex
import stopwordsiso

#: Characters of a text that are looked at.
MAX_CHARS = 4_000

#: Shorter words name nothing; scripts that put no space between words are cut in pairs.
LEAST_LETTERS = 3

#: Languages whose stop words count where a text's own is not known.
_USUAL = ("en", "es", "fr", "de", "it", "pt", "hi", "ar")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: What stop lists have and customers talk about.
_KEPT = _listed(
    "bill cash charge down fire free home information order page price problem repair sick "
    "system text work"
)

#: Chat that stop lists leave out: it is everywhere and about nothing.
_CHAT = _listed(
    "actually again already always amazing amp another anymore anyone awesome awful back bad best "
    "better bit come coming day days dear dont cant wont didnt doesnt isnt ever every everyone "
    "feel fuck fucking getting gonna good got gotta great guess guys hate hello hey hi hope im ive "
    "just know last lately let lets literally lmao lol look looking lot love made make makes many "
    "maybe might minutes month months morning much need never new next nice night nothing now omg "
    "one ok okay people please pls put really right said say saying says see seriously since "
    "something still stop such sure take tell terrible thank thanks thats thing things think "
    "thought time times today tomorrow tonight took total totally tried try trying two u use used "
    "using via wait want wanted wants way week weeks well went wow wtf year years yes yesterday "
    "yet yo youre youve "
    "gracias hoy ayer favor buenos buenas dias hola nadie nunca siempre muy mal bien mejor peor "
    "merci bonjour aujourd hui hier jamais toujours tres svp vraiment "
    "danke bitte heute gestern immer nie sehr einfach wirklich mal schon noch gut schlecht hallo "
    "grazie oggi ieri sempre mai molto davvero ciao per favore "
    "obrigado obrigada hoje ontem sempre nunca muito mesmo gente"
)

_NOISE = regex.compile(r"(?:https?://|www\.)\S+|(?<!\w)@[\w.-]+|^\s*rt\b", regex.IGNORECASE)
#: Letters with their marks: Devanagari's vowels are marks, which `\w` leaves out.
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['\u2019][\p{L}\p{M}]+)?")
_MARKS = regex.compile(r"[\u0300-\u036f]")
_UNSPACED = regex.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that tells a topic: its key (case and accents do not count) and how it is written.

    `gap` is how many stop words stand between it and the word that tells before it.
    """

    key: str
    shown: str
    gap: int


def telling_words(text: str, lang: str | None, names: Collection[str] = ()) -> list[Word]:
    """Return the words of `text` that tell what it is about, in order.

    Args:
        text: As the platform shows it.
        lang: ISO 639-1 code where known: it chooses the stop words.
        names: Folded words (`fold`) of brands and handles; everybody says them.

    """
    stops = stop_words(lang or "")
    found: list[Word] = []
    gap = 0
    for shown in _WORD.findall(_NOISE.sub(" . ", html.unescape(text[:MAX_CHARS]))):
        written = shown.lower().replace("\u2019", "'").removesuffix("'s")
        key = fold(written)
        if _UNSPACED.search(key):
            found += [Word(pair, pair, 0) for pair in _pairs(key)]
            gap = 0
        elif len(key) < LEAST_LETTERS or key.isdigit() or key in stops or key in names:
            gap += 1
        else:
            found.append(Word(key, written, gap))
            gap = 0
    return found


def fold(word: str) -> str:
    """Return a word without case, accents and letter widths."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize(
        "NFC", _MARKS.sub("", unicodedata.normalize("NFKD", word.casefold()))
    )


def name_words(names: Sequence[str]) -> frozenset[str]:
    """Return the folded words of brand names and handles, whole and in their parts."""
    parts = {fold(word) for name in names for word in _WORD.findall(name)}
    return frozenset(
        parts | {"".join(fold(word) for word in _WORD.findall(name)) for name in names}
    )


def normal_text(text: str) -> str:
    """Return the words of `text` in one line: two texts with the same one say the same."""
    return " ".join(_WORD.findall(_NOISE.sub(" ", fold(text[:MAX_CHARS]))))


@cache
def stop_words(lang: str) -> frozenset[str]:
    """Return the folded stop words of a language, with the English ones that all mix in."""
    languages = {lang, "en"} if stopwordsiso.has_lang(lang) else set(_USUAL)
    listed = {
        part
        for one in languages
        for word in stopwordsiso.stopwords(one)
        for part in _WORD.findall(word)
    }
    return (frozenset(fold(word) for word in listed) | _CHAT) - _KEPT


def _pairs(key: str) -> list[str]:
    return [key[at : at + 2] for at in range(max(1, len(key) - 1))]
