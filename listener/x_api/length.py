"""How long X finds a text: its weighted length. Pure.

Source: configuration 3 of twitter-text, "weighted length calculation" in
https://developer.x.com/en/docs/counting-characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import emoji
import regex
import tldextract

#: The most that a post may weigh without X Premium, which the API counts by.
MAX_WEIGHT = 280

#: What any address weighs, as all become links of t.co.
LINK_WEIGHT = 23

#: What a sign outside of these ranges, or an emoji of any length, weighs; within it weighs 1.
HEAVY_WEIGHT = 2
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

#: Domains of today's list, without asking the network for a newer one.
_domains = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

_LINK = regex.compile(
    r"(?<![\p{L}\p{N}@#$_.-])"
    r"(?P<scheme>https?://)?"
    r"(?P<host>(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?\.)+\p{L}{2,})"
    r"(?::\d+)?(?:[/?#][^\s<>\"']*)?",
    regex.IGNORECASE,
)

#: What stands at the end of an address and belongs to the sentence.
_PUNCTUATION = ".,:;!?)]}'\""


def weighted_length(text: str) -> int:
    """Return the weighted length of a text, as X counts it."""
    text = unicodedata.normalize("NFC", text)
    total = end = 0
    for start, stop in _links(text):
        total += _weight(text[end:start]) + LINK_WEIGHT
        end = stop
    return total + _weight(text[end:])


def without_links(text: str) -> str:
    """Return a text with a mark in the place of each address, as X replaces them all."""
    parts, end = [], 0
    for start, stop in _links(text):
        parts += [text[end:start], "\N{LINK SYMBOL}"]
        end = stop
    return "".join([*parts, text[end:]])


def _links(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the addresses of a text begin and end."""
    for match in _LINK.finditer(text):
        if match["scheme"] or _domains(match["host"]).suffix:
            yield match.start(), match.start() + len(match[0].rstrip(_PUNCTUATION))


def _weight(text: str) -> int:
    total = end = 0
    for found in emoji.emoji_list(text):
        total += sum(map(_weight_of, text[end : found["match_start"]])) + HEAVY_WEIGHT
        end = found["match_end"]
    return total + sum(map(_weight_of, text[end:]))


def _weight_of(sign: str) -> int:
    point = ord(sign)
    return 1 if any(first <= point <= last for first, last in _LIGHT) else HEAVY_WEIGHT
