"""The grammar of brand queries."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from config.phrases import phrase
from listener.queries.match import normal_handle, normal_lang
from listener.queries.problems import explain, fail
from listener.queries.terms import Node, Term, TermKind, join_all, join_any, negate
from listener.queries.text import MAX_NEAR_WORDS, fold, fold_case, trim_punctuation

if TYPE_CHECKING:
    from collections.abc import Callable

#: Words that a NEAR term lets stand between its own.
MAX_SLOP = 20
#: The kinds of post, as the mention table says them.
KINDS = ("post", "reply", "repost", "quote", "comment", "article")

_FIELDS = {
    "author": TermKind.AUTHOR,
    "from": TermKind.AUTHOR,
    "lang": TermKind.LANG,
    "url": TermKind.URL,
    "site": TermKind.URL,
    "platform": TermKind.PLATFORM,
    "kind": TermKind.KIND,
    "has": TermKind.HAS,
}
_FIELD_NAMES = "author:, lang:, url:, site:, platform:, kind: and has:"
_PLATFORM_ALIASES = {"twitter": "x"}
_SIGNS = {"#": TermKind.HASHTAG, "@": TermKind.MENTION, "$": TermKind.CASHTAG}
_TAG = re.compile(r"#\w+\*?|@\w(?:[\w.@-]*\w)?|\$[^\W\d_]+(?:\.[^\W\d_]+)?")
#: What phones and word processors type for ASCII signs. One for one: positions stay true.
_TYPED = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(
    map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb"), '"'
)

# A word or a field ends at space, bracket or quote; NOT and - bind to what follows. The
# rules recurse on the left only, so that the parser's stack grows with brackets alone.
_GRAMMAR = r"""
    start: any
    any: all (OR all)*
    all: one | all one | all AND one
    ?one: NOT one         -> negated
        | MINUS one       -> negated
        | OPEN any CLOSE  -> group
        | PHRASE          -> phrase
        | FIELD           -> fielded
        | WORD            -> word
    OPEN: "("
    CLOSE: ")"
    PHRASE.5: /"[^"]*"(~\d+)?/
    FIELD.4: /[A-Za-z_]+:("[^"]*"|[^\s()"]*)/
    OR.3: /OR(?![^\s()"])/
    AND.3: /AND(?![^\s()"])/
    NOT.3: /NOT(?![^\s()"])/
    MINUS.3: /[-\u2013\u2014\u2212](?=[^\s)])/
    WORD.1: /[^\s()"]+/
    %ignore /\s+/
"""


def read(text: str) -> Node:
    """Return the node that `text` says.

    Raises:
        QuerySyntaxError: The text does not follow the grammar.

    """
    try:
        # The transformer turns lark's tree into a Node while it is parsed.
        return cast("Node", cast("object", _parser().parse(text.translate(_TYPED))))
    except UnexpectedInput as error:
        raise explain(error) from None


class _Builder(Transformer[Token, Node]):
    """Makes nodes from the bottom up, without recursion."""

    def start(self, parts: list[Node]) -> Node:
        return parts[0]

    def any(self, parts: list[Node | Token]) -> Node:
        return join_any([part for part in parts if not isinstance(part, Token)])

    def all(self, parts: list[Node | Token]) -> Node:
        return join_all([part for part in parts if not isinstance(part, Token)])

    def negated(self, parts: list[Node | Token]) -> Node:
        return negate(cast("Node", parts[1]))

    def group(self, parts: list[Node | Token]) -> Node:
        return cast("Node", parts[1])

    def phrase(self, parts: list[Token]) -> Node:
        token = parts[0]
        quoted, _, slop = token.rpartition("~") if token[-1] != '"' else (token, "", "")
        words = fold_case(quoted[1:-1]).split()
        if not words:
            fail(token, phrase("nothing in the quotes: write a phrase in them, or remove them"))
        bare = [trimmed for word in words if (trimmed := trim_punctuation(word))]
        if slop:
            return _near(token, bare, slop)
        if len(words) == 1 or not bare:
            return _text_term(token, TermKind.WORD, " ".join(words))
        if len(bare) == 1:
            return _text_term(token, TermKind.WORD, bare[0])
        return _text_term(token, TermKind.PHRASE, " ".join(bare))

    def fielded(self, parts: list[Token]) -> Node:
        token = parts[0]
        name, _, raw = token.partition(":")
        kind = _FIELDS.get(name.lower())
        value = raw.strip('"').strip()
        if kind is None:
            fail(
                token,
                phrase(
                    "unknown field '%(name)s:': the fields are %(fields)s; to look for the "
                    'text itself, put it in quotes: "%(name)s:%(value)s"',
                    name=name,
                    fields=_FIELD_NAMES,
                    value=value,
                ),
            )
        if not value:
            fail(
                token,
                phrase("'%(name)s:' has no value: write it directly after the colon", name=name),
            )
        return Term(kind, _READERS[kind](token, value))

    def word(self, parts: list[Token]) -> Node:
        token = parts[0]
        if token in {"-", "\u2013", "\u2014", "\u2212"}:
            fail(
                token,
                phrase(
                    "lone '%(token)s': to exclude a word, write -word without a space", token=token
                ),
            )
        if _TAG.fullmatch(token):
            return Term(_SIGNS[token[0]], fold(token[1:]))
        if len(token) > 1 and token.endswith("*"):
            stem = fold_case(token.rstrip("*"))
            if "*" in stem or not any(map(str.isalnum, stem)):
                fail(token, phrase("'*' stands only at a word's end, as in refund*"))
            return _text_term(token, TermKind.PREFIX, stem)
        if "*" in token:
            fail(token, phrase("'*' stands only at a word's end, as in refund*"))
        return _text_term(token, TermKind.WORD, fold_case(token))


def _text_term(token: Token, kind: TermKind, typed: str, slop: int = 0) -> Term:
    value = fold(typed)
    if not value:
        fail(token, phrase("this character cannot be seen: write a word"))
    return Term(kind, value, slop, typed if typed != value else "")


def _near(token: Token, words: list[str], slop: str) -> Term:
    if not 1 < len(words) <= MAX_NEAR_WORDS:
        fail(
            token,
            phrase(
                "'~' needs 2 to %(most)s words in the quotes before it",
                most=MAX_NEAR_WORDS,
            ),
        )
    if len(slop) > len(str(MAX_SLOP)) or int(slop) > MAX_SLOP:
        fail(
            token,
            phrase(
                "'~%(slop)s' is too far: at most ~%(most)s words between",
                slop=slop,
                most=MAX_SLOP,
            ),
        )
    return _text_term(token, TermKind.NEAR, " ".join(words), int(slop))


def _author(token: Token, value: str) -> str:
    return normal_handle(value) or fail(
        token, phrase("'author:' needs a handle, as in author:acme")
    )


def _lang(token: Token, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        fail(
            token,
            phrase(
                "'%(value)s' is no language code: write two letters, as in lang:en", value=value
            ),
        )
    return normal_lang(value)


def _url(token: Token, value: str) -> str:
    fragment = re.sub(r"^https?://", "", value.casefold())
    if not any(map(str.isalnum, fragment)):
        fail(token, phrase("an address needs letters, as in url:acme.com/help"))
    return fragment


def _platform(_: Token, value: str) -> str:
    name = fold(value)
    return _PLATFORM_ALIASES.get(name, name)


def _kind(token: Token, value: str) -> str:
    if value.lower() not in KINDS:
        fail(
            token,
            phrase(
                "unknown kind '%(value)s': the kinds are %(kinds)s",
                value=value,
                kinds=", ".join(KINDS),
            ),
        )
    return value.lower()


def _has(token: Token, value: str) -> str:
    if value.lower() not in {"link", "links"}:
        fail(token, phrase("unknown 'has:%(value)s': only has:link is known", value=value))
    return "link"


_READERS: dict[TermKind, Callable[[Token, str], str]] = {
    TermKind.AUTHOR: _author,
    TermKind.LANG: _lang,
    TermKind.URL: _url,
    TermKind.PLATFORM: _platform,
    TermKind.KIND: _kind,
    TermKind.HAS: _has,
}


@cache
def _parser() -> Lark:
    """Return what reads queries; made once, by whoever has a query to read."""
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())
