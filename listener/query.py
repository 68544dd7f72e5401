"""A brand's query: one boolean expression, the same on every platform.

`parse` reads it and says exactly what is wrong with it; `Query.matches` decides about a
post; `listener.queries.compile` asks a platform for it; `listener.queries.lint` warns of what
is allowed but probably not meant. The language is described in docs/queries.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from config.errors import InputError
from config.phrases import Number, Phrase, joined, phrase
from listener.queries.grammar import KINDS, read
from listener.queries.match import Matcher, Subject, find_spans, make_matcher
from listener.queries.problems import QuerySyntaxError
from listener.queries.terms import (
    TEXT_KINDS,
    Node,
    depth_exceeds,
    push_negation_down,
    render,
    signed_terms,
)
from listener.queries.text import fold

__all__ = ["KINDS", "MAX_CHARACTERS", "MAX_DEPTH", "Query", "QueryError", "Subject", "parse"]

#: Characters in a query: more than twice what X allows its largest customers (4,096).
MAX_CHARACTERS = 10_000
#: ANDs, ORs and NOTs within one another. Nobody reads deeper ones.
MAX_DEPTH = 40
#: Characters of the query shown on either side of an error.
_SHOWN = 30


class QueryError(InputError):
    """A brand query cannot be read, or a platform cannot be asked for it.

    Args:
        problem: What is wrong and what to do, without the place.
        query: The query's text.
        position: Where it is wrong: code points from the beginning, or None.

    """

    def __init__(
        self,
        problem: str,
        /,
        *,
        query: str = "",
        position: int | None = None,
        **values: object,
    ) -> None:
        self.problem = problem if isinstance(problem, Phrase) else Phrase(problem, values)
        self.position = position
        super().__init__(
            self.problem if position is None else _point_at(self.problem, query, position)
        )


@dataclass(frozen=True, slots=True)
class Query:
    """A brand query, ready to decide about posts. Made by `parse`."""

    node: Node
    _matcher: Matcher = field(repr=False, compare=False)
    _reads_text: bool = field(repr=False, compare=False)

    def matches(self, subject: Subject) -> bool:
        """Return whether the query finds `subject`."""
        return self._matcher(fold(subject.text) if self._reads_text else "", subject)

    def hits(self, text: str) -> tuple[tuple[int, int], ...]:
        """Return where wanted terms stand in `text`: code points, in order, not overlapping."""
        return find_spans(self.node, text)

    def terms(self) -> tuple[str, ...]:
        """Return the terms that are wanted in texts, each once, as they are typed."""
        wanted = (
            str(term)
            for term, positive in signed_terms(self.node)
            if positive and term.kind in TEXT_KINDS
        )
        return tuple(dict.fromkeys(wanted))

    def __str__(self) -> str:
        """Return the canonical text, which parses to an equal query."""
        return render(self.node)

    def __reduce__(self) -> tuple[Callable[[str], Query], tuple[str]]:
        """Pickle as text, because closures cannot be pickled."""
        return parse, (str(self),)


def parse(text: str) -> Query:
    """Return the query that `text` says.

    Raises:
        QueryError: The text is no query; the message shows where, and what to do.

    """
    if len(text) > MAX_CHARACTERS:
        msg = phrase(
            "the query has %(number)s characters, and at most %(most)s are allowed: shorten it, "
            "or divide it between several brands",
            number=Number(len(text)),
            most=Number(MAX_CHARACTERS),
        )
        raise QueryError(msg)
    if not text.strip():
        msg = phrase("the query is empty: write what to look for, for example: acme -meme")
        raise QueryError(msg)
    try:
        node = read(text)
    except QuerySyntaxError as error:
        raise QueryError(error.problem, query=text, position=error.position) from None
    if depth_exceeds(node, MAX_DEPTH):
        msg = phrase(
            "the query is nested more than %(most)s brackets deep: write it flatter", most=MAX_DEPTH
        )
        raise QueryError(msg)
    return Query(
        node=node,
        _matcher=make_matcher(push_negation_down(node)),
        _reads_text=any(term.kind in TEXT_KINDS for term, _ in signed_terms(node)),
    )


def _point_at(problem: str, query: str, position: int) -> str:
    """Return where a problem is and what it is, and below it the place with a caret."""
    line_start = query.rfind("\n", 0, position) + 1
    line = query[line_start:].partition("\n")[0]
    column = position - line_start
    start, end = max(0, column - _SHOWN), column + _SHOWN
    before = ("..." if start else "") + _printable(line[start:column])
    after = _printable(line[column:end]) + ("..." if end < len(line) else "")
    if "\n" in query.strip():
        said = phrase(
            "line %(line)s, column %(column)s: %(problem)s",
            line=query.count("\n", 0, position) + 1,
            column=column + 1,
            problem=problem,
        )
    else:
        said = phrase("column %(column)s: %(problem)s", column=column + 1, problem=problem)
    return joined("\n", [said, f"  {before}{after}", f"  {' ' * _width(before)}^"])


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _width(text: str) -> int:
    """Return how many columns a terminal needs for `text`."""
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
