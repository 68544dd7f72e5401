"""Turning a query into a function that says at once whether a post matches.

Every term becomes a closure when the query is parsed. A closure first looks for a fixed
piece of text, which takes some 50 ns, and checks word boundaries only where it is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from listener.queries.terms import TEXT_KINDS, And, Node, Not, Or, Term, TermKind, signed_terms
from listener.queries.text import anchor, fold, fold_with_origins, term_regex, url_regex


@dataclass(frozen=True, slots=True)
class Subject:
    """What a query looks at: a post, or a sample text.

    What is None is not known. A language, platform or kind that is not known excludes
    nothing: neither `lang:en` nor `-lang:en` drops a post whose language nobody has found
    yet. A post without a known author is by nobody.

    Args:
        text: What was written, in full.
        author_handle: The author's handle, with or without `@`.
        url: The post's own address. `url:` looks at it only where the post is a page of
            its own: an article, or of unknown kind.
        lang: BCP 47 code as the platform gave it; "und" is not known.
        platform: The platform's name: "x", "reddit", ...
        kind: "post", "reply", "repost", "quote", "comment" or "article".
        links: The addresses in the post, expanded.

    """

    text: str
    author_handle: str | None = None
    url: str | None = None
    lang: str | None = None
    platform: str | None = None
    kind: str | None = None
    links: tuple[str, ...] = ()


if TYPE_CHECKING:
    import regex

#: Says whether a folded text and its subject match.
Matcher = Callable[[str, Subject], bool]

_URL = re.compile(r"https?://\S+", re.IGNORECASE)
#: Codes that platforms still use, and the codes that replaced them (ISO 639 changes).
_LANG_ALIASES = {"iw": "he", "in": "id", "ji": "yi", "nb": "no"}


def normal_lang(code: str) -> str:
    """Return a language code in lower case, with today's name for the language."""
    main, dash, rest = code.lower().replace("_", "-").partition("-")
    return _LANG_ALIASES.get(main, main) + dash + rest


def normal_handle(handle: str) -> str:
    """Return a handle as queries compare it: folded, without `@` or Reddit's `u/`."""
    return re.sub(r"^(?:@|/?u/)", "", fold(handle.strip()))


def make_matcher(node: Node) -> Matcher:
    """Return the function that decides for `node`, where NOT stands only before terms."""
    match node:
        case Term():
            return _term_matcher(node, wanted=True)
        case Not(node=Term() as term):
            return _term_matcher(term, wanted=False)
        case Not():
            return _opposite(make_matcher(node.node))
        case And():
            return _all_of(tuple(make_matcher(part) for part in node.nodes))
        case Or():
            return _any_of(tuple(make_matcher(part) for part in node.nodes))


def find_spans(node: Node, text: str) -> tuple[tuple[int, int], ...]:
    """Return where wanted terms stand in `text`: code points, in order, overlaps merged."""
    wanted = {term for term, positive in signed_terms(node) if positive}
    folded, starts, ends = fold_with_origins(text)
    spans = sorted(
        (starts[found.start()], ends[found.end() - 1])
        for term in wanted
        if term.kind in TEXT_KINDS and anchor(term) in folded
        for found in term_regex(term).finditer(folded)
    )
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _all_of(parts: tuple[Matcher, ...]) -> Matcher:
    def matches(text: str, subject: Subject) -> bool:
        for part in parts:  # noqa: SIM110 - all() costs a generator on the hot path
            if not part(text, subject):
                return False
        return True

    return matches


def _any_of(parts: tuple[Matcher, ...]) -> Matcher:
    def matches(text: str, subject: Subject) -> bool:
        for part in parts:  # noqa: SIM110 - any() costs a generator on the hot path
            if part(text, subject):
                return True
        return False

    return matches


def _opposite(part: Matcher) -> Matcher:
    return lambda text, subject: not part(text, subject)


def _term_matcher(term: Term, *, wanted: bool) -> Matcher:
    known = _KNOWN.get(term.kind)
    if known is not None:
        return _known_field(known, term, wanted=wanted)
    matcher = _FIELDS[term.kind](term) if term.kind in _FIELDS else _text_matcher(term)
    return matcher if wanted else _opposite(matcher)


def _text_matcher(term: Term) -> Matcher:
    piece = anchor(term)
    finder: regex.Pattern[str] | None = None

    def matches(text: str, _: Subject) -> bool:
        nonlocal finder
        if piece not in text:
            return False
        if finder is None:  # compiling takes 0.3 ms, and most terms of a long query never hit
            finder = term_regex(term)
        return finder.search(text) is not None

    return matches


def _known_field(field: Callable[[Subject], str | None], term: Term, *, wanted: bool) -> Matcher:
    value = term.value
    subtag = value + "-"

    def matches(_: str, subject: Subject) -> bool:
        found = field(subject)
        if not found:
            return True
        return (found == value or found.startswith(subtag)) is wanted

    return matches


def _lang(subject: Subject) -> str | None:
    lang = normal_lang(subject.lang) if subject.lang else None
    return None if lang == "und" else lang


def _author_matcher(term: Term) -> Matcher:
    handle = term.value
    return lambda _, subject: (
        subject.author_handle is not None and normal_handle(subject.author_handle) == handle
    )


def _url_matcher(term: Term) -> Matcher:
    search = url_regex(term.value).search
    return lambda _, subject: any(search(link.casefold()) for link in _links(subject))


def _link_matcher(_: Term) -> Matcher:
    return lambda _, subject: bool(subject.links) or _URL.search(subject.text) is not None


def _links(subject: Subject) -> list[str]:
    own = [subject.url] if subject.url and subject.kind in {None, "article"} else []
    return [*subject.links, *own, *_URL.findall(subject.text)]


_KNOWN: dict[TermKind, Callable[[Subject], str | None]] = {
    TermKind.LANG: _lang,
    TermKind.PLATFORM: lambda subject: subject.platform,
    TermKind.KIND: lambda subject: subject.kind,
}
_FIELDS: dict[TermKind, Callable[[Term], Matcher]] = {
    TermKind.AUTHOR: _author_matcher,
    TermKind.URL: _url_matcher,
    TermKind.HAS: _link_matcher,
}
