"""What the searches of platforms can express, as `listener.queries.compile` needs to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from listener.queries.terms import TermKind


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one platform's search can express. NOT is always asked of single terms only.

    Args:
        name: What people call the platform, for messages.
        platform: What `platform:` calls it; queries that exclude it ask it nothing.
        max_length: Characters in one search.
        max_texts: Searches that one query may become; each is a walk of its own.
        templates: For each kind of term, how it is asked, with `{}` for the value. A kind
            that is missing is not asked for. Words and phrases are always asked for.
        langs: Our code to how it is asked. A code that is missing is not asked for.
        kinds: Our kind of post to how it is asked.
        not_kinds: Our kind to how its opposite is asked; not by negating `kinds`, because
            a post that is both reply and quote on the platform is only one of them here.
        negatable: Kinds of term that mean there what they mean here, or less.
        negation: What is put before a term to exclude it.
        dependent: Kinds of term that cannot be asked for without another one.
        and_: What is put between terms that must all be there.
        or_: Whether alternatives can be asked for; if not, each becomes a search.
        grouping: Whether alternatives can stand in brackets.
        ignores_accents: Whether "cafe" finds "café" there. If not, both are asked for.
        handle: What every handle there looks like; others are nobody's.
        hashtag: What every hashtag there looks like; others are asked for as words.

    """

    name: str
    platform: str
    max_length: int
    max_texts: int = 10
    templates: Mapping[str, str] = field(default_factory=dict)
    langs: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    not_kinds: Mapping[str, str] = field(default_factory=dict)
    negatable: frozenset[TermKind] = frozenset()
    negation: str = "-"
    dependent: frozenset[TermKind] = frozenset()
    and_: str = " "
    or_: bool = True
    grouping: bool = True
    ignores_accents: bool = False
    handle: str = r"\S+"
    hashtag: str = r"\w+"


_X_LANGS = (
    "am ar hy eu bn bs bg my hr ca cs da nl en et fi fr ka de el gu ht hu is it ja kn km ko lo lv "
    "lt ml dv mr ne no or pa ps fa pl pt ro ru sr sd si sk sl ckb es sv tl ta te th bo tr uk ur ug "
    "vi cy"
)
#: X's recent search (GET /2/tweets/search/recent), self-serve. Sources:
#: https://docs.x.com/x-api/posts/search/integrate/build-a-query and .../operators.
#: Words: X cuts at punctuation and ignores accents, as we do. `has:links` counts media too
#: and `url:` matches short links too, so neither may be denied.
X_DIALECT = Dialect(
    name="X",
    platform="x",
    max_length=512,
    templates=MappingProxyType(
        {
            TermKind.HASHTAG: "#{}",
            TermKind.MENTION: "@{}",
            TermKind.CASHTAG: "${}",
            TermKind.AUTHOR: "from:{}",
            TermKind.URL: 'url:"{}"',
            TermKind.HAS: "has:links",
        }
    ),
    langs=MappingProxyType(
        {code: f"lang:{code}" for code in _X_LANGS.split()}
        | {"he": "lang:iw", "id": "lang:in", "hi": "(lang:hi OR lang:hi-Latn)"}
        | {"zh": "(lang:zh-CN OR lang:zh-TW)"}
    ),
    kinds=MappingProxyType(
        {
            "repost": "is:retweet",
            "reply": "is:reply",
            "quote": "is:quote",
            "post": "-is:retweet -is:reply -is:quote",
        }
    ),
    not_kinds=MappingProxyType(
        {"repost": "-is:retweet", "post": "(is:retweet OR is:reply OR is:quote)"}
    ),
    negatable=frozenset(
        {
            TermKind.WORD,
            TermKind.PHRASE,
            TermKind.HASHTAG,
            TermKind.MENTION,
            TermKind.CASHTAG,
            TermKind.AUTHOR,
            TermKind.LANG,
        }
    ),
    dependent=frozenset({TermKind.LANG, TermKind.KIND, TermKind.HAS}),
    ignores_accents=True,
    handle=r"[a-z0-9_]{1,15}",
    # X recognises no hashtag that is all digits.
    hashtag=r"\w*[^\W\d_]\w*",
)
#: Reddit's search for submissions. It stems words and has no hashtags, so that only authors
#: may be denied. Source: https://www.reddit.com/dev/api#GET_search (`q`: 512 characters).
REDDIT_DIALECT = Dialect(
    name="Reddit",
    platform="reddit",
    max_length=512,
    templates=MappingProxyType({TermKind.AUTHOR: "author:{}"}),
    negatable=frozenset({TermKind.AUTHOR}),
    negation="NOT ",
    and_=" AND ",
    handle=r"[a-z0-9_-]{3,20}",
)
