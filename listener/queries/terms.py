"""The parts of a brand query: terms, joined by AND, OR and NOT.

Nodes hold folded text (see `listener.queries.text.fold`), so that two queries that mean the
same words are equal, whatever case or width they were typed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class TermKind(StrEnum):
    """What one term of a query looks at."""

    WORD = "word"
    PREFIX = "prefix"
    PHRASE = "phrase"
    NEAR = "near"
    HASHTAG = "hashtag"
    MENTION = "mention"
    CASHTAG = "cashtag"
    AUTHOR = "author"
    LANG = "lang"
    URL = "url"
    PLATFORM = "platform"
    KIND = "kind"
    HAS = "has"


#: The kinds that look at what was written, and can be highlighted in it.
TEXT_KINDS = frozenset(
    {
        TermKind.WORD,
        TermKind.PREFIX,
        TermKind.PHRASE,
        TermKind.NEAR,
        TermKind.HASHTAG,
        TermKind.MENTION,
        TermKind.CASHTAG,
    }
)

_SIGNS = {TermKind.HASHTAG: "#", TermKind.MENTION: "@", TermKind.CASHTAG: "$"}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for.

    Args:
        kind: Where to look, and how.
        value: Folded text, without sign, quotes or field name. The words of a phrase are
            joined by one space. A hashtag that ends in `*` finds what begins like it.
        slop: Other words allowed between the words of a NEAR term.
        typed: The value with the accents that were typed, where it has any.

    """

    kind: TermKind
    value: str
    slop: int = 0
    typed: str = field(default="", compare=False)

    def __str__(self) -> str:
        """Return the term as it is typed."""
        value = self.typed or self.value
        match self.kind:
            case TermKind.WORD:
                return value if is_plain(value) else f'"{value}"'
            case TermKind.PREFIX:
                return f"{value}*"
            case TermKind.PHRASE:
                return f'"{value}"'
            case TermKind.NEAR:
                return f'"{value}"~{self.slop}'
            case TermKind.HASHTAG | TermKind.MENTION | TermKind.CASHTAG:
                return _SIGNS[self.kind] + self.value
            case _:
                quoted = re.search(r"[\s()]", self.value) is not None
                return f'{self.kind}:"{self.value}"' if quoted else f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but `node`."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """What all `nodes` find; at least two, none of them an And."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What any of `nodes` finds; at least two, none of them an Or."""

    nodes: tuple[Node, ...]


Node = Term | Not | And | Or


def is_plain(value: str) -> bool:
    """Return whether a word needs no quotes: typed bare, it is read as the same word."""
    return (
        re.search(r'[\s()"*]', value) is None
        and re.match(r"[-\u2013\u2014\u2212#@$]", value) is None
        and re.match(r"[a-z_]+:", value) is None
    )


def join_all(nodes: list[Node]) -> Node:
    """Return the AND of `nodes`, without an And inside an And."""
    return _join(nodes, And)


def join_any(nodes: list[Node]) -> Node:
    """Return the OR of `nodes`, without an Or inside an Or."""
    return _join(nodes, Or)


def negate(node: Node) -> Node:
    """Return the opposite of `node`; the opposite of a Not is what it holds."""
    return node.node if isinstance(node, Not) else Not(node)


def push_negation_down(node: Node, *, negative: bool = False) -> Node:
    """Return the same query with NOT only before single terms (De Morgan)."""
    match node:
        case Term():
            return Not(node) if negative else node
        case Not():
            return push_negation_down(node.node, negative=not negative)
        case And() | Or():
            parts = [push_negation_down(part, negative=negative) for part in node.nodes]
            return join_all(parts) if isinstance(node, And) is not negative else join_any(parts)


def render(node: Node) -> str:
    """Return the query as canonical text, which parses to the same node."""
    match node:
        case Term():
            return str(node)
        case Not(node=inner):
            return f"-{render(inner)}" if isinstance(inner, Term) else f"-({render(inner)})"
        case And():
            return " ".join(_bracketed(part) for part in node.nodes)
        case Or():
            return " OR ".join(render(part) for part in node.nodes)


def signed_terms(node: Node, *, negative: bool = False) -> Iterator[tuple[Term, bool]]:
    """Yield every term from left to right, with whether it is wanted (not negated)."""
    match node:
        case Term():
            yield node, not negative
        case Not():
            yield from signed_terms(node.node, negative=not negative)
        case And() | Or():
            for part in node.nodes:
                yield from signed_terms(part, negative=negative)


def depth_exceeds(node: Node, limit: int) -> bool:
    """Return whether nodes are nested deeper than `limit`, without recursion of its own."""
    level = [node]
    for _ in range(limit):
        deeper: list[Node] = []
        for part in level:
            if isinstance(part, Not):
                deeper.append(part.node)
            elif not isinstance(part, Term):
                deeper.extend(part.nodes)
        if not deeper:
            return False
        level = deeper
    return True


def _bracketed(node: Node) -> str:
    return f"({render(node)})" if isinstance(node, Or) else render(node)


def _join(nodes: list[Node], kind: Callable[[tuple[Node, ...]], And | Or]) -> Node:
    flat: list[Node] = []
    for node in nodes:
        if isinstance(node, And | Or) and type(node) is kind:
            flat.extend(node.nodes)
        else:
            flat.append(node)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
