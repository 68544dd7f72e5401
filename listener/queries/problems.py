"""What is wrong with a text that does not follow the grammar of queries, in words."""

from __future__ import annotations

from typing import NoReturn

from lark import Token, UnexpectedInput, UnexpectedToken

from config.phrases import phrase


class QuerySyntaxError(Exception):
    """A text is no query: what is wrong, and at which code point.

    `listener.query.parse` makes a `QueryError` of it, which people see.
    """

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


def fail(token: Token, problem: str) -> NoReturn:
    """Refuse a query at one of its words."""
    raise QuerySyntaxError(problem, token.start_pos or 0)


def explain(error: UnexpectedInput) -> QuerySyntaxError:
    """Return what to tell a person about a text that the parser gave up on."""
    if not isinstance(error, UnexpectedToken):
        # The terminals take every character but a quote that nothing closes.
        unclosed = phrase("quote is not closed: add '\"' at the phrase's end")
        return QuerySyntaxError(unclosed, error.pos_in_stream or 0)
    token = error.token
    stack = error.interactive_parser.parser_state.value_stack
    position = token.start_pos or 0
    before = next((part for part in reversed(stack) if isinstance(part, Token)), None)
    last = stack[-1] if stack and isinstance(stack[-1], Token) else None
    if last is not None and last.type in {"OR", "AND", "NOT", "MINUS"}:
        return QuerySyntaxError(
            phrase(
                "'%(last)s' has nothing after it: add a term, or remove it (to look for the word "
                "itself, write it in small letters)",
                last=last,
            ),
            last.start_pos or 0,
        )
    if token.type == "CLOSE" and last is not None:
        empty = phrase("empty brackets: write terms in them, or remove them")
        return QuerySyntaxError(empty, position)
    if token.type == "CLOSE":
        return QuerySyntaxError(phrase("unbalanced ')': remove it, or add '(' before it"), position)
    if token.type == "$END" and before is not None:
        opened = next(
            part for part in reversed(stack) if isinstance(part, Token) and part.type == "OPEN"
        )
        return QuerySyntaxError(phrase("unbalanced '(': close it with ')'"), opened.start_pos or 0)
    return QuerySyntaxError(
        phrase(
            "'%(token)s' has nothing before it: add a term, or remove it (to look for the word "
            "itself, write it in small letters)",
            token=token,
        ),
        position,
    )
