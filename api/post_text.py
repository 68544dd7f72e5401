"""A post's text as safe HTML: links that can be followed, the query's hits marked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup, escape

from config.errors import InputError
from listener.query import Query, parse

#: Hits and links are looked for in this many characters: more of them help nobody, and a
#: megabyte of links must not be a slow page. The rest is text.
MAX_MARKED = 20_000

_URL = re.compile(r"https?://[^\s<>\"'\u200b]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}\u2019\u201d\u3002\uff0c"


def post_text(text: str, query: str = "") -> Markup:
    """Return `text` as HTML. Nothing in it is markup but our own links and marks."""
    head, rest = text[:MAX_MARKED], text[MAX_MARKED:]
    hits = _hits(head, query)
    pieces = [
        _link(head[start:end], _marked(head, start, end, hits))
        if is_url
        else _marked(head, start, end, hits)
        for start, end, is_url in _pieces(head)
    ]
    return Markup("").join([*pieces, escape(rest)])


def _pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    at = 0
    for found in _URL.finditer(text):
        start = found.start()
        end = start + len(found.group().rstrip(_TRAILING))
        if start > at:
            yield at, start, False
        yield start, end, True
        at = end
    if at < len(text):
        yield at, len(text), False


def _link(url: str, content: Markup) -> Markup:
    return Markup('<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>').format(
        url, content
    )


def _marked(text: str, start: int, end: int, hits: tuple[tuple[int, int], ...]) -> Markup:
    parts: list[Markup] = []
    at = start
    first = bisect_right(hits, start, key=lambda hit: hit[1])
    for hit_start, hit_end in hits[first:]:
        if hit_start >= end:
            break
        begin, stop = max(hit_start, at), min(hit_end, end)
        parts += [escape(text[at:begin]), Markup("<mark>{}</mark>").format(text[begin:stop])]
        at = stop
    parts.append(escape(text[at:end]))
    return Markup("").join(parts)


def _hits(text: str, query: str) -> tuple[tuple[int, int], ...]:
    parsed = _parsed(query) if query else None
    return parsed.hits(text) if parsed else ()


@lru_cache(maxsize=256)
def _parsed(query: str) -> Query | None:
    try:
        return parse(query)
    except InputError:
        return None  # an old query that is no longer valid marks nothing
