"""By what a text is recognised when it is said again with a few words changed. Pure.

Links, handles, case, accents and punctuation do not count. MinHash bands (rensa) find
candidates by an index, and rapidfuzz compares the texts themselves, so that a collision of
bands is no match. Texts that differ in a long number (an order, a phone) are two cases.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from rapidfuzz import fuzz
from rensa import RMinHash

from crm_link.triage_rules import UNSPACED, fold_text

#: Shorter texts are said by many people independently, in characters without links and handles.
LEAST_CHARS = 25
#: The same for scripts that put no space between words.
LEAST_UNSPACED_CHARS = 12
#: Texts with fewer words fold only where all words agree.
LEAST_WORDS_NEAR = 8
#: rapidfuzz's ratio from which two texts are the same, 0 to 100.
LEAST_RATIO = 90.0
#: Bands and rows of the MinHash: texts that share 80 % of their words meet with 88 %, those that
#: share 90 % with 98 %; 1 - (1 - s^rows)^bands.
BANDS, ROWS = 3, 3
#: Seed of the MinHash; another one would find none of the stored keys.
SEED = 20_261_122
#: Longer texts are compared by their beginnings.
MAX_CHARS = 4_000

_NOISE = re.compile(r"https?://\S+|\bwww\.\S+|(?<!\w)@[\w.-]+|^\s*rt\b")
_WORD = re.compile(r"\w+")
_LONG_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By what a text is recognised: its words in one line, and the keys of its index rows."""

    normal: str
    exact: str | None
    bands: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that find the text's duplicates, the surest first."""
        return () if self.exact is None else (self.exact, *self.bands)


def fingerprint(text: str) -> Fingerprint:
    """Return by what `text` is recognised; a short text has no keys."""
    words = _words(text)
    normal = " ".join(words)
    is_unspaced = UNSPACED.search(normal) is not None
    if len(normal) < (LEAST_UNSPACED_CHARS if is_unspaced else LEAST_CHARS):
        return Fingerprint(normal, None, ())
    exact = "t:" + digest(normal)
    if is_unspaced:
        words = [normal[start : start + 3] for start in range(len(normal) - 2)]
    if len(words) < LEAST_WORDS_NEAR:
        return Fingerprint(normal, exact, ())
    minhash = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
    minhash.update(words)
    values = minhash.digest()
    bands = tuple(
        f"{band}:" + ".".join(f"{one:x}" for one in values[band * ROWS : (band + 1) * ROWS])
        for band in range(BANDS)
    )
    return Fingerprint(normal, exact, bands)


def normal_text(text: str) -> str:
    """Return the words of `text` in one line, without what does not count."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    return _WORD.findall(_NOISE.sub(" ", fold_text(text[:MAX_CHARS])))


def is_same(one: str, other: str) -> bool:
    """Say whether two normal texts say the same."""
    if one == other:
        return True
    if fuzz.ratio(one, other, score_cutoff=LEAST_RATIO) < LEAST_RATIO:
        return False
    return set(_LONG_NUMBER.findall(one)) == set(_LONG_NUMBER.findall(other))


def digest(text: str) -> str:
    """Return a short hash of `text`, in hexadecimal."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
