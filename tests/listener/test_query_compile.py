from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from listener.queries.compile import REDDIT_DIALECT, X_DIALECT, Dialect, compile_query
from listener.query import QueryError, Subject, parse
from tests.listener.query_cases import FIELD_ATOMS, PIECES, TEXT_ATOMS, queries, subjects

TOKEN = re.compile(r'[-]?(?:[a-z]+:)?"[^"]*"|\(|\)|[^\s()]+')
Atom = Callable[[str, Subject], bool]


def plain(text: str) -> str:
    """Return text as platforms index it: no case, no accents."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+|[^\s\w.,'@#$&:/-]", plain(text))


def has_run(needle: str, text: str) -> bool:
    """Return whether the tokens of `needle` follow one another in `text`.

    Scripts without spaces are found anywhere, as search engines index their syllables.
    """
    wanted, have = tokens(needle), tokens(text)
    if not needle.isascii() and len(wanted) == 1:
        return wanted[0] in plain(text)
    runs = (have[start : start + len(wanted)] for start in range(len(have)))
    return any(run == wanted for run in runs)


def evaluate(search: str, post: Subject, atom: Atom, negation: str) -> bool:
    """Decide about a post as a platform would: a parser of its own, AND before OR."""
    parts = TOKEN.findall(search.replace("NOT ", "-") if negation == "NOT " else search)
    place = 0

    def alternatives() -> bool:
        nonlocal place
        result = conjunction()
        while place < len(parts) and parts[place] == "OR":
            place += 1
            result = conjunction() or result
        return result

    def conjunction() -> bool:
        nonlocal place
        result, positive = True, 0
        while place < len(parts) and parts[place] not in {"OR", ")"}:
            part = parts[place]
            place += 1
            if part == "AND":
                continue
            if part == "(":
                value = alternatives()
                assert parts[place] == ")"
                place += 1
                positive += 1
            elif part.startswith("-"):
                assert part != "-", "a group is negated"
                value = not atom(part[1:], post)
            else:
                value = atom(part, post)
                positive += 1
            result = value and result
        assert positive, f"an alternative only excludes: {search}"
        return result

    result = alternatives()
    assert place == len(parts), search
    return result


def x_atom(part: str, post: Subject) -> bool:  # noqa: PLR0911 - one for each operator
    name, colon, value = part.partition(":")
    value = value.strip('"')
    text = post.text.casefold()
    match name if colon and not part.startswith('"') else part[0]:
        case "from":
            return (post.author_handle or "").casefold() == value
        case "lang":
            return post.lang == value
        case "is":
            return post.kind == {"retweet": "repost"}.get(value, value)
        case "has":
            return bool(post.links)
        case "url":
            return any(has_run(value, link) for link in post.links)
        case "#":
            return part[1:] in re.findall(r"(?<!\w)#(\w*[^\W\d_]\w*)", text)
        case "@":
            return part[1:] in re.findall(r"(?<!\w)@(\w+)", text)
        case "$":
            return part[1:] in re.findall(r"(?<!\w)\$(\w+)", text)
        case _:
            return has_run(part.strip('"'), post.text)


def reddit_atom(part: str, post: Subject) -> bool:
    """Decide as Reddit: stems words (here: drops a final s), knows no signs."""
    if part.startswith("author:"):
        return (post.author_handle or "").casefold() == part[7:]
    return has_run(part.strip('"'), post.text) or has_run(
        part.strip('"'), re.sub(r"s\b", "", post.text)
    )


def check(text: str, post: Subject, dialect: Dialect, atom: Atom) -> None:
    query = parse(text)
    try:
        compiled = compile_query(query, dialect)
    except QueryError:
        assume(False)  # noqa: FBT003 - what cannot be asked has tests of its own
        return
    assert len(compiled.texts) <= dialect.max_texts
    assert all(0 < len(search) <= dialect.max_length for search in compiled.texts)
    asked = any(evaluate(one, post, atom, dialect.negation) for one in compiled.texts)
    assert asked or not query.matches(post), (text, compiled, post)
    if compiled.is_exact and dialect is X_DIALECT and "link" not in text and "url" not in text:
        assert asked is query.matches(post), (text, compiled, post)


@given(queries(), subjects("x"))
@settings(max_examples=600, deadline=None)
def test_what_x_is_asked_holds_all_that_the_query_finds(text: str, post: Subject) -> None:
    check(
        f"acme OR corp ({text})" if len(text) % 2 else f"(acme OR at) {text}",
        post,
        X_DIALECT,
        x_atom,
    )


@given(queries(), subjects("reddit"))
@settings(max_examples=400, deadline=None)
def test_what_reddit_is_asked_holds_all_that_the_query_finds(text: str, post: Subject) -> None:
    check(f"(acme OR corp) ({text})", post, REDDIT_DIALECT, reddit_atom)


@given(
    queries(),
    subjects("x"),
    st.integers(20, 60),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=600, deadline=None)
def test_splitting_loses_nothing_in_the_narrowest_dialects(
    text: str,
    post: Subject,
    length: int,
    or_: bool,  # noqa: FBT001
    grouping: bool,  # noqa: FBT001
) -> None:
    narrow = replace(X_DIALECT, max_length=length, or_=or_, grouping=grouping, max_texts=50)

    check(f"(acme OR corp OR #acme) ({text})", post, narrow, x_atom)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("atom", TEXT_ATOMS + FIELD_ATOMS)
@pytest.mark.parametrize(
    ("dialect", "platform_atom"), [(X_DIALECT, x_atom), (REDDIT_DIALECT, reddit_atom)]
)
def test_no_term_hides_a_post_that_the_query_finds(
    sign: str, atom: str, dialect: Dialect, platform_atom: Atom
) -> None:
    query = parse(f"acme {sign}{atom}")
    compiled = compile_query(query, dialect)
    kinds = ("post", "reply", "repost", "quote") if dialect is X_DIALECT else ("post",)
    posts = [
        Subject(
            text=f"acme {first} {second}",
            author_handle="Bob" if number % 2 else "eve",
            lang=("en", "fr", "de")[number % 3],
            platform=dialect.platform,
            kind=kinds[number % len(kinds)],
            links=("https://acme.com/help",) if number % 5 else (),
        )
        for number, (first, second) in enumerate(product(PIECES, PIECES))
    ]

    hidden = [
        post
        for post in posts
        if query.matches(post)
        and not any(
            evaluate(text, post, platform_atom, dialect.negation) for text in compiled.texts
        )
    ]

    assert hidden == []


@pytest.mark.parametrize(
    ("query", "text", "dropped"),
    [
        ("acme", "acme", ()),
        ("acme -(dental OR lang:fr)", "acme -dental -lang:fr", ()),
        ("(acme OR b) -(c d)", "acme OR b", ("-c OR -d",)),
        ('acme "big Corp" #Tag @h $ACME', 'acme "big corp" #tag @h $acme', ()),
        ("acme kind:post -author:bob", "acme -is:retweet -is:reply -is:quote -from:bob", ()),
        ("acme -kind:post", "acme (is:retweet OR is:reply OR is:quote)", ()),
        ("acme -kind:repost -kind:reply", "acme -is:retweet", ("-kind:reply",)),
        ("acme ref*", "acme", ("ref*",)),
        ('"a b"~3', "a b", ('"a b"~3',)),
        ("café lang:he", "cafe lang:iw", ()),
        ("acme lang:xx", "acme", ("lang:xx",)),
        ("acme -lang:hi", "acme", ("-lang:hi",)),
        ("at&t -q&a", '"at&t"', ("at&t", "-q&a")),
        ('acme "or"', 'acme "or"', ()),
        ("#2024 @a.bsky.social", '2024 "a.bsky.social"', ("#2024", "@a.bsky.social")),
        (
            "acme url:acme.com/x has:link -has:link",
            'acme url:"acme.com/x" has:links',
            ("-has:link",),
        ),
        ("🔥 acme", '"🔥" acme', ("🔥",)),
        ("acme platform:x OR corp platform:reddit", "acme", ()),
        ("acme OR author:not.an.x.name", "acme", ()),
    ],
)
def test_x_searches(query: str, text: str, dropped: tuple[str, ...]) -> None:
    compiled = compile_query(parse(query), X_DIALECT)

    assert (compiled.texts, compiled.dropped) == ((text,), dropped)
    assert compiled.is_exact is not bool(dropped)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("acme #tag -dental lang:en", "acme AND tag"),
        ("nestlé", "nestlé OR nestle"),
        ("nestlé bad", "(nestlé OR nestle) AND bad"),
        ("acme -author:AutoModerator", "acme AND NOT author:automoderator"),
    ],
)
def test_reddit_searches(query: str, text: str) -> None:
    assert compile_query(parse(query), REDDIT_DIALECT).texts == (text,)


def test_a_query_for_other_platforms_asks_nothing() -> None:
    compiled = compile_query(parse("(acme OR corp) platform:reddit"), X_DIALECT)

    assert compiled.texts == ()
    assert compiled.is_exact


def test_many_alternatives_become_several_searches_that_share_the_conditions() -> None:
    words = [f"acmeword{number}" for number in range(100)]

    compiled = compile_query(parse(f"({' OR '.join(words)}) -dental lang:en"), X_DIALECT)

    assert compiled.is_exact
    assert len(compiled.texts) == 3
    assert all(text.startswith("-dental lang:en (acmeword") for text in compiled.texts)
    assert re.findall(r"acmeword\d+", " ".join(compiled.texts)) == words


def test_conditions_that_do_not_fit_are_left_out_and_said() -> None:
    unwanted = " ".join(f"-unwanted{number:03}" for number in range(60))

    compiled = compile_query(parse(f"acme {unwanted}"), X_DIALECT)

    assert compiled.texts[0].startswith("acme -unwanted")
    assert 480 < len(compiled.texts[0]) <= 512
    assert not compiled.is_exact
    assert "-unwanted" in compiled.dropped[0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("-acme", "X cannot search for this query: it needs a word"),
        ("lang:en has:link", "X cannot search for this query"),
        ("acme OR -corp", "Add a word to each alternative"),
        ("ref*", re.escape("X cannot search for ref*")),
        ("x" * 600, "a term is too long for X, which takes 512 characters: shorten 'xxx"),
        (
            " OR ".join(f"acmeword{n}" for n in range(600)),
            r"becomes \d+ searches on X, and at most 10",
        ),
    ],
)
def test_what_cannot_be_asked_says_what_to_change(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        compile_query(parse(query), X_DIALECT)


def test_the_longest_queries_compile_in_bounded_time() -> None:
    word = iter(range(10_000))
    groups = ["(" + " OR ".join(f"w{next(word)}" for _ in range(12)) + ")" for _ in range(100)]
    started = time.process_time()

    compiled = compile_query(parse(" ".join(groups)), X_DIALECT)

    assert len(compiled.texts[0]) <= 512
    assert time.process_time() - started < 5
