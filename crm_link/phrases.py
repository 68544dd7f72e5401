"""Finding phrases in texts: whole words, case and accents folded, a star for any ending. Pure.

A text is cut into words once; a phrase is found by its first word, so that the cost does not
grow with the number of phrases.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

#: Words of which a finder remembers what begins with them: most words of most texts repeat.
MAX_REMEMBERED = 10_000

_WORD = re.compile(r"\w+")
_MARKS = re.compile(r"[\u0300-\u036f]")
#: Scripts that put no space between words: there a phrase is looked for as it stands.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def fold_text(text: str) -> str:
    """Return the text without case, accents and letter widths."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def split_words(folded: str) -> list[str]:
    """Return the words of a folded text."""
    return _WORD.findall(folded)


#: A phrase as it is looked for: the rank of its group, its words, and how it was written.
_Entry = tuple[int, tuple[str, ...], str]


class PhraseFinder:
    """Finds the first of many groups of which a phrase is in a text."""

    def __init__(self, groups: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Take (name, phrases) in the order in which a group wins over the next."""
        self._names: list[str] = []
        self._by_first: dict[str, list[_Entry]] = defaultdict(list)
        self._by_prefix: dict[str, list[_Entry]] = defaultdict(list)
        self._unspaced: list[tuple[int, str, str]] = []
        self._remembered: dict[str, tuple[_Entry, ...]] = {}
        for rank, (name, phrases) in enumerate(groups):
            self._names.append(name)
            for phrase in phrases:
                self._add(rank, phrase)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._by_prefix})

    def _add(self, rank: int, phrase: str) -> None:
        folded = fold_text(phrase)
        if UNSPACED.search(folded):
            self._unspaced.append((rank, folded.replace("*", ""), phrase))
            return
        words = _phrase_words(folded)
        if words[0].endswith("*"):
            self._by_prefix[words[0][:-1]].append((rank, words, phrase))
        else:
            self._by_first[words[0]].append((rank, words, phrase))

    def find(self, folded: str, words: Sequence[str]) -> tuple[str, str] | None:
        """Return (group, phrase) of the best group found in a text, or None."""
        best: tuple[int, str] | None = None
        for rank, phrase in self._candidates(folded, words):
            if best is None or rank < best[0]:
                best = (rank, phrase)
                if rank == 0:
                    break
        return None if best is None else (self._names[best[0]], best[1])

    def _candidates(self, folded: str, words: Sequence[str]) -> Iterator[tuple[int, str]]:
        remembered = self._remembered
        for place, word in enumerate(words):
            entries = remembered.get(word)
            if entries is None:
                entries = self._remember(word)
            for rank, wanted, phrase in entries:
                if _fits(wanted, words, place):
                    yield rank, phrase
        for rank, wanted_text, phrase in self._unspaced:
            if wanted_text in folded:
                yield rank, phrase

    def _remember(self, word: str) -> tuple[_Entry, ...]:
        """Return the phrases whose first word is met by `word`."""
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        found = list(self._by_first.get(word, ()))
        for length in self._prefix_lengths:
            if length <= len(word):
                found += self._by_prefix.get(word[:length], ())
        entries = self._remembered[word] = tuple(found)
        return entries


def _phrase_words(folded: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+\*?", folded))


def _fits(wanted: tuple[str, ...], words: Sequence[str], place: int) -> bool:
    if len(wanted) > len(words) - place:
        return False
    return all(
        words[place + number].startswith(word[:-1])
        if word.endswith("*")
        else words[place + number] == word
        for number, word in enumerate(wanted)
        if number
    )
