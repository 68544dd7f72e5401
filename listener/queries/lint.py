"""What is allowed in a brand query, but probably not meant.

Every warning is for the person who types the query. One that begins with "error:" means
that the query must not be used: it would select everything, or cannot be searched for.
"""

from __future__ import annotations

from collections import Counter

from config.phrases import Phrase, phrase
from listener.queries.compile import X_DIALECT, compile_query
from listener.queries.terms import (
    And,
    Node,
    Not,
    Or,
    Term,
    TermKind,
    negate,
    push_negation_down,
    render,
    signed_terms,
)
from listener.query import Query, QueryError

#: What is wrong with a query that selects everything.
EVERYTHING = phrase(
    "the query selects almost every post, because part of it only excludes: add a word, phrase, "
    "hashtag or handle that a wanted post must have"
)

#: Letters below which a word finds mostly other things.
SHORT_WORD = 3
#: Words that stand in a large share of all posts, in the languages that write them so.
STOP_WORDS = frozenset(
    """
    a about all also am an and any are as at be been but by can did do does for from get had has
    have he her him his how i if in into is it its just like me more my new no not now of on one
    or our out rt she so some than that the their them then there they this to too up us via was
    we were what when who why will with you your
    de des du el en et la las le les los que un una une y der die das ein eine ist und o os
    """.split()  # noqa: SIM905 - a list would take a page
)


def lint(query: Query) -> tuple[str, ...]:
    """Return warnings about `query`, the most serious first; none means that it looks right."""
    node = push_negation_down(query.node)
    if not _is_bounded(node):
        return (Phrase("error: %(problem)s", {"problem": EVERYTHING}), *_of_terms(node))
    found = (*_of_terms(node), *_of_branches(node), *_of_grouping(query.node), *_of_x(query))
    return tuple(dict.fromkeys(found))


def _is_bounded(node: Node) -> bool:
    """Return whether something is wanted of every post that the query finds."""
    match node:
        case Term():
            return True
        case Not():
            return False
        case And():
            return any(map(_is_bounded, node.nodes))
        case Or():
            return all(map(_is_bounded, node.nodes))


def _of_terms(node: Node) -> list[str]:
    return [
        warning
        for term, wanted in signed_terms(node)
        if wanted and (warning := _of_term(term)) is not None
    ]


def _of_term(term: Term) -> str | None:  # noqa: PLR0911 - a list of rules
    value = term.value.rstrip("*")
    if term.kind is TermKind.PREFIX and value.isascii() and len(value) < SHORT_WORD:
        return phrase(
            "'%(term)s' finds every word that begins so: write more of the word", term=term
        )
    if term.kind is not TermKind.WORD:
        return None
    if value in {"#", "@", "$"}:
        return phrase(
            "a lone '%(value)s' finds every post that has one and floods the desk: write the name "
            "directly after it, as in %(value)sacme",
            value=value,
        )
    if value in {"and", "or", "not"}:
        return phrase(
            "'%(value)s' is looked for as a word: write %(upper)s to join terms",
            value=value,
            upper=value.upper(),
        )
    if value in STOP_WORDS:
        return phrase(
            "'%(value)s' stands in a large share of all posts: put it in a phrase, or remove it",
            value=value,
        )
    if value.isascii() and not any(map(str.isalnum, value)):
        return phrase(
            "'%(value)s' is punctuation only: remove it, or put it in a phrase", value=value
        )
    if value.isascii() and len(value) < SHORT_WORD:
        return phrase(
            "'%(value)s' is very short and finds mostly other things: add a word beside it",
            value=value,
        )
    return None


def _of_branches(node: Node) -> list[str]:
    """Return warnings about duplicates, and about branches that decide nothing."""
    if not isinstance(node, And | Or):
        return []
    warnings: list[str] = [
        phrase(
            "'%(part)s' is written %(count)s times: once is enough", part=render(part), count=count
        )
        for part, count in Counter(node.nodes).items()
        if count > 1
    ]
    present = set(node.nodes)
    for part in present:
        opposite = negate(part)
        if isinstance(part, Term) and opposite in present:
            warnings.append(
                phrase(
                    "'%(part)s' is both wanted and excluded, so that part finds nothing", part=part
                )
                if isinstance(node, And)
                else phrase(
                    "'%(part)s' OR its opposite is every post, so that part decides nothing",
                    part=part,
                )
            )
    warnings.extend(_of_values(node))
    inner: type[And | Or] = And if isinstance(node, Or) else Or
    for part in node.nodes:
        # "a OR (a b)" and "a (a OR b)" are both "a".
        if isinstance(part, inner):
            needless = [one for one in part.nodes if one in present]
            if needless:
                warnings.append(
                    phrase(
                        "'%(part)s' changes nothing beside '%(needless)s': remove it",
                        part=render(part),
                        needless=render(needless[0]),
                    )
                )
        warnings.extend(_of_branches(part))
    return warnings


def _of_values(node: And | Or) -> list[str]:
    """Return warnings about fields that no post can have twice."""
    if isinstance(node, Or):
        return []
    single = (TermKind.AUTHOR, TermKind.PLATFORM, TermKind.KIND)
    fields = Counter(
        part.kind for part in set(node.nodes) if isinstance(part, Term) and part.kind in single
    )
    return [
        phrase(
            "a post has only one %(kind)s, so that two of them find nothing: put OR between them",
            kind=kind,
        )
        for kind, count in fields.items()
        if count > 1
    ]


def _of_grouping(node: Node) -> list[str]:
    """Return a warning where an exclusion belongs to the last alternative only."""
    if isinstance(node, Or) and isinstance(last := node.nodes[-1], And):
        excluded = [part for part in last.nodes if isinstance(part, Not)]
        others = [part for part in node.nodes[:-1] if isinstance(part, Term)]
        if excluded and others:
            warning = phrase(
                "'%(excluded)s' excludes from the last alternative only: to exclude from all, put "
                "the alternatives in brackets: (a OR b) -c",
                excluded=render(excluded[0]),
            )
            return [warning]
    return []


def _of_x(query: Query) -> list[str]:
    try:
        searches = len(compile_query(query, X_DIALECT).texts)
    except QueryError as error:
        return [phrase("on X: %(problem)s", problem=error.problem)]
    if searches > 1:
        warning = phrase(
            "too long for one search on X (%(max_length)s characters): it becomes %(searches)s, "
            "each with requests of its own",
            max_length=X_DIALECT.max_length,
            searches=searches,
        )
        return [warning]
    return []
