"""Asking a platform for what a brand query finds.

No platform can express everything, so what is asked selects *at least* what the query
selects, and `Query.matches` decides about each post that comes back. What a platform
cannot express is left out where that only widens the question. A negation is asked only
where the platform's word for it means the same as ours or less: anything more would hide
posts for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from config.phrases import phrase
from listener.queries.dialects import REDDIT_DIALECT, X_DIALECT, Dialect
from listener.queries.parts import Part, is_several, length, only_excludes
from listener.queries.terms import And, Node, Not, Or, Term, TermKind, push_negation_down, render
from listener.query import Query, QueryError

__all__ = ["REDDIT_DIALECT", "X_DIALECT", "CompiledQuery", "Dialect", "compile_query"]

#: Words that every tokenizer cuts as we do; no platform says what it makes of "_" or "&".
_BARE = re.compile(r"[^\W_]+(?: [^\W_]+)*")
_OPERATORS = frozenset({"or", "and", "not", "near", "to"})


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """What to ask one platform.

    Args:
        texts: The searches, whose results together hold all that the query finds there.
            None at all means that the query finds nothing on this platform.
        is_exact: Whether nothing was left out or widened.
        dropped: The terms that were left out or widened, as the brand query says them.

    """

    texts: tuple[str, ...]
    is_exact: bool
    dropped: tuple[str, ...]


#: What a term becomes where a platform cannot say it: nothing is asked, all may come.
_ALL = Part("", stands=False)
#: What a term becomes where nothing on the platform can match it.
_NONE = Part("", stands=True)


def compile_query(query: Query, dialect: Dialect) -> CompiledQuery:
    """Return the searches that together give at least what `query` finds.

    Raises:
        QueryError: The platform cannot be asked for it; the message says what to change.

    """
    compiler = _Compiler(dialect)
    part = compiler.translate(push_negation_down(query.node))
    if part is _NONE:
        return CompiledQuery((), is_exact=True, dropped=())
    if not part.stands:
        name = dialect.name
        if not compiler.dropped:
            raise QueryError(
                "%(dialect)s cannot search for this query: it needs a word, phrase, hashtag or "
                "handle that every wanted post has. Add a word to each alternative",
                dialect=name,
            )
        raise QueryError(
            "%(dialect)s cannot search for this query: it needs a word, phrase, hashtag or handle "
            "that every wanted post has, and %(dialect)s cannot search for %(dropped)s. Add a word "
            "to each alternative",
            dialect=name,
            dropped=_listed(compiler.dropped),
        )
    parts = compiler.split(part)
    if len(parts) > dialect.max_texts:
        msg = phrase(
            "the query becomes %(number)s searches on %(dialect)s, and at most %(max_texts)s are "
            "made: remove alternatives, or shorten what they share",
            number=len(parts),
            dialect=dialect.name,
            max_texts=dialect.max_texts,
        )
        raise QueryError(msg)
    dropped = tuple(dict.fromkeys(compiler.dropped))
    return CompiledQuery(tuple(part.text for part in parts), not dropped, dropped)


class _Compiler:
    """Translates one query, and remembers what it had to leave out."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.dropped: list[str] = []

    def translate(self, node: Node) -> Part:
        """Return what to ask for `node`: the same, or more."""
        match node:
            case Term():
                return self._wanted(node)
            case Not(node=Term() as term):
                return self._unwanted(term)
            case And():
                return self.all_of(self.translate(part) for part in node.nodes)
            case Or():
                return self._alternatives(node)
            case Not():  # pragma: no cover - pushed down before
                raise AssertionError(node)

    def all_of(self, parts: Iterable[Part]) -> Part:
        """Return the AND of `parts`."""
        flat: dict[str, Part] = {}
        for part in parts:
            if part is _NONE:
                return _NONE
            flat |= {one.text: one for one in part.conjuncts or (part,) if one is not _ALL}
        kept = tuple(flat.values())
        if len(kept) < 2:  # noqa: PLR2004 - one or none is no conjunction
            return kept[0] if kept else _ALL
        text = self.dialect.and_.join(
            f"({part.text})" if part.alternatives else part.text for part in kept
        )
        return Part(text, stands=any(part.stands for part in kept), conjuncts=kept)

    def any_of(self, parts: Iterable[Part]) -> Part:
        """Return the OR of `parts`."""
        flat: dict[str, Part] = {}
        for part in parts:
            if part is not _NONE:
                flat |= {one.text: one for one in part.alternatives or (part,)}
        kept = tuple(flat.values())
        if len(kept) < 2:  # noqa: PLR2004 - one or none is no choice
            return kept[0] if kept else _NONE
        text = " OR ".join(part.text for part in kept)
        return Part(text, stands=all(part.stands for part in kept), alternatives=kept)

    def split(self, part: Part) -> list[Part]:
        """Return searches that the platform takes, which together give `part` or more."""
        if self._fits(part):
            return [part]
        if part.alternatives:
            return self._pack([piece for one in part.alternatives for piece in self.split(one)], ())
        if not part.conjuncts:
            raise QueryError(
                phrase(
                    "a term is too long for %(dialect)s, which takes %(max_length)s characters: "
                    "shorten %(text)s",
                    dialect=self.dialect.name,
                    max_length=self.dialect.max_length,
                    text=f"{part.text[:60]!r}",
                )
            )
        return self._split_conjunction(part)

    def _split_conjunction(self, part: Part) -> list[Part]:
        kept = list(part.conjuncts)
        while True:
            whole = self.all_of(kept)
            if self._fits(whole) or len(kept) == 1:
                return self.split(whole)
            longest = max((one for one in kept if one.alternatives), key=length, default=None)
            if longest is not None:
                rest = tuple(one for one in kept if one is not longest)
                searches = self._pack(list(longest.alternatives), rest)
                fit = all(map(self._fits, searches))
                if fit and len(searches) <= self.dialect.max_texts:
                    return searches
            # Asking less precisely finds more, so conditions may go: exclusions first.
            removable = [
                one for one in kept if any(other.stands for other in kept if other is not one)
            ]
            least = max(removable, key=lambda one: (one.negative, length(one)), default=None)
            if least is None:
                # Only one conjunct stands alone; the others go, and it is split by itself.
                least = max((one for one in kept if not one.stands), key=length)
            kept.remove(least)
            self.dropped.append(least.text)

    def _pack(self, parts: list[Part], shared: tuple[Part, ...]) -> list[Part]:
        """Return as few searches as hold all `parts`, in order, each with what is shared."""
        searches: list[Part] = []
        group: list[Part] = []
        for part in parts:
            if group and not self._fits(self.all_of((*shared, self.any_of([*group, part])))):
                searches.append(self.all_of((*shared, self.any_of(group))))
                group = []
            group.append(part)
        return [*searches, self.all_of((*shared, self.any_of(group)))]

    def _fits(self, part: Part) -> bool:
        if len(part.text) > self.dialect.max_length:
            return False
        if not self.dialect.or_:
            return not part.alternatives and not any(one.alternatives for one in part.conjuncts)
        return self.dialect.grouping or not any(one.alternatives for one in part.conjuncts)

    def _alternatives(self, node: Or) -> Part:
        mark = len(self.dropped)
        parts = [self.translate(one) for one in node.nodes]
        # Platforms refuse an alternative that only excludes; without it, nothing is known.
        if not any(part is _ALL or only_excludes(part) for part in parts):
            return self.any_of(parts)
        del self.dropped[mark:]
        self.dropped.append(render(node))
        return _ALL

    def _wanted(self, term: Term) -> Part:  # noqa: PLR0911 - one for each kind
        dialect = self.dialect
        match term.kind:
            case TermKind.PLATFORM:
                return _ALL if term.value == dialect.platform else _NONE
            case TermKind.WORD | TermKind.PHRASE:
                return self._words(term, exact=_BARE.fullmatch(term.value) is not None)
            case TermKind.NEAR:
                self.dropped.append(str(term))
                words, typed = term.value.split(), (term.typed or term.value).split()
                return self.all_of(map(self._text, words, typed))
            case TermKind.LANG:
                return self._ask(term, dialect.langs.get(term.value))
            case TermKind.KIND:
                return self._ask(term, dialect.kinds.get(term.value))
            case TermKind.AUTHOR if not re.fullmatch(dialect.handle, term.value):
                return _NONE
            case TermKind.HASHTAG | TermKind.MENTION | TermKind.CASHTAG:
                return self._tag(term)
            case _:
                template = dialect.templates.get(term.kind)
                return self._ask(term, template and template.format(term.value))

    def _unwanted(self, term: Term) -> Part:
        if term.kind is TermKind.PLATFORM:
            return _NONE if term.value == self.dialect.platform else _ALL
        asked: str | None = None
        if term.kind is TermKind.KIND:
            asked = self.dialect.not_kinds.get(term.value)
        elif term.kind in self.dialect.negatable:
            mark = len(self.dropped)
            part = self._wanted(term)
            if part is _NONE:
                return _ALL
            # Only what is said exactly, and is one term there too, may be denied.
            if len(self.dropped) == mark and not is_several(part):
                asked = self.dialect.negation + part.text
            del self.dropped[mark:]
        if asked is None:
            self.dropped.append(f"-{term}")
            return _ALL
        return self._condition(asked, stands=False)

    def _tag(self, term: Term) -> Part:
        shape = self.dialect.hashtag if term.kind is TermKind.HASHTAG else self.dialect.handle
        template = self.dialect.templates.get(term.kind)
        if term.value.endswith("*"):
            return self._ask(term, None)
        if template is None or not re.fullmatch(shape, term.value):
            return self._words(term, exact=False)
        return self._ask(term, template.format(term.value))

    def _words(self, term: Term, *, exact: bool) -> Part:
        if not exact:
            self.dropped.append(str(term))
        return self._text(term.value, term.typed)

    def _text(self, value: str, typed: str) -> Part:
        spellings = [value] if self.dialect.ignores_accents or not typed else [typed, value]
        return self.any_of(Part(_quoted(one), stands=True) for one in dict.fromkeys(spellings))

    def _ask(self, term: Term, text: str | None) -> Part:
        if text is None:
            self.dropped.append(str(term))
            return _ALL
        return self._condition(text, stands=term.kind not in self.dialect.dependent)

    def _condition(self, text: str, *, stands: bool) -> Part:
        return Part(text, stands=stands, negative=text.startswith(self.dialect.negation))


def _quoted(value: str) -> str:
    plain = re.fullmatch(r"[^\W_]+", value) is not None and value not in _OPERATORS
    return value if plain else f'"{value}"'


def _listed(texts: list[str]) -> str:
    """Return at most three of `texts` for a message."""
    unique = list(dict.fromkeys(texts))
    return ", ".join(unique[:3]) + (", ..." if unique[3:] else "")
