"""What is to be said about a query before it is used: errors, warnings, what it asks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.phrases import joined
from listener.queries.compile import REDDIT_DIALECT, X_DIALECT, Dialect, compile_query
from listener.queries.lint import EVERYTHING, lint
from listener.query import Query, QueryError, parse

_DIALECTS = (X_DIALECT, REDDIT_DIALECT)
_ERROR = re.compile("^error: *")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one platform is asked for a query.

    Args:
        platform: Its key.
        name: What people call it.
        searches: The searches, each with requests of its own; none: it finds nothing there.
        dropped: Terms that the platform cannot be asked for; what they exclude is removed here.
        problem: Why the platform cannot be asked at all; empty if it can.

    """

    platform: str
    name: str
    searches: tuple[str, ...]
    dropped: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """What is to be said about a query's text.

    Args:
        query: The query; None where it must not be used.
        problem: Why not, with a caret under the place where there is one; else empty.
        position: That place: code points from the beginning, or None.
        warnings: What is allowed but probably not meant, the most serious first.
        asked: What each platform is asked.

    """

    query: Query | None
    problem: str
    position: int | None
    warnings: tuple[str, ...]
    asked: tuple[Asked, ...]


def check_query(text: str) -> QueryCheck:
    """Return what is to be said about a query; nothing is raised."""
    try:
        query = parse(text)
    except QueryError as error:
        return QueryCheck(None, error.said, error.position, (), ())
    said = lint(query)
    wrong = [EVERYTHING] if any(_ERROR.match(one) for one in said) else []
    warnings = tuple(one for one in said if not _ERROR.match(one))
    asked = tuple(_ask(query, dialect) for dialect in _DIALECTS)
    return QueryCheck(None if wrong else query, joined("\n", wrong), None, warnings, asked)


def _ask(query: Query, dialect: Dialect) -> Asked:
    try:
        compiled = compile_query(query, dialect)
    except QueryError as error:
        return Asked(dialect.platform, dialect.name, (), (), error.problem)
    return Asked(dialect.platform, dialect.name, compiled.texts, compiled.dropped, "")
