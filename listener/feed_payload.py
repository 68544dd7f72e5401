"""Reading feeds: RSS, Atom and RDF, well-formed or not, through feedparser.

What a broken document still holds is kept. An item without an id is known by a hash of
what it says, one without a date by when it was first seen.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import unicodedata
from calendar import timegm
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import feedparser
from selectolax.lexbor import LexborHTMLParser

from listener.types import AuthorProfile, Post, PostKind, RejectedItem

#: Longest id that is kept as it is, in characters; longer ones are hashed.
_ID_LENGTH = 200
#: Links kept of one item.
_MAX_LINKS = 50
#: How far in the future a date may lie before it is taken for wrong.
_FUTURE = timedelta(days=1)
#: Elements that stand on lines of their own.
_BLOCKS = "p,div,br,li,tr,h1,h2,h3,h4,h5,h6,blockquote,pre,ul,ol,table,section,article,figure,hr"
#: What feedparser complains about although it read everything.
_HARMLESS = ("CharacterEncodingOverride", "NonXMLContentType")
#: How a document ends that was not cut.
_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
#: Ids that are unique in the world, so that they need no feed's name before them.
_GLOBAL_ID = re.compile(r"^(?:https?://|tag:|urn:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Feed:
    """What a document held.

    Args:
        posts: Its items, in its order.
        rejected: Items that say nothing.
        undated: External ids of the items without a date, which got `now`.
        is_feed: Whether it is a feed at all.
        is_whole: Whether it was read to its end.

    """

    posts: tuple[Post, ...]
    rejected: tuple[RejectedItem, ...]
    undated: frozenset[str]
    is_feed: bool
    is_whole: bool


def parse_feed(
    document: bytes, *, url: str, now: datetime, content_type: str | None = None
) -> Feed:
    """Return what the feed at `url` holds."""
    headers = {"content-location": url}
    if content_type:
        headers["content-type"] = content_type
    read = feedparser.parse(io.BytesIO(document), response_headers=headers)
    problem = type(read.get("bozo_exception")).__name__ if read.get("bozo") else None
    defaults = _Defaults.of(read.get("feed") or {}, url)
    contents = [(entry, _Content.of(entry)) for entry in read.entries]
    keys = _keys(contents, url)
    posts: list[Post] = []
    rejected: list[RejectedItem] = []
    undated: set[str] = set()
    is_cut = problem is not None and _END.search(document[-2_000:]) is None
    for number, ((entry, content), key) in enumerate(zip(contents, keys, strict=True), 1):
        problem_here = None if content.text else "the item has neither title nor text"
        if is_cut and number == len(contents):
            # Half an item may have lost its id, and would be stored beside the whole one.
            problem_here = "the document ends within this item"
        if problem_here:
            raw = json.dumps(_plain(entry), ensure_ascii=False)
            rejected.append(RejectedItem(problem_here, raw, key))
            continue
        published_at = _date(entry, now)
        if published_at is None:
            undated.add(key)
        posts.append(_post(entry, content, key, published_at or now, defaults))
    return Feed(
        posts=tuple(posts),
        rejected=tuple(rejected),
        undated=frozenset(undated),
        is_feed=bool(read.get("version") or read.entries),
        is_whole=not is_cut and (problem is None or problem in _HARMLESS),
    )


def to_text(markup: str) -> str:
    """Return what a reader of a piece of HTML sees, in lines."""
    if "<" not in markup and "&" not in markup:
        return _lines(markup)
    tree = LexborHTMLParser(markup)
    if tree.body is None:
        return _lines(markup)
    for node in tree.body.css("script,style,template,noscript"):
        node.decompose()
    for node in tree.body.css(_BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    return _lines(tree.body.text())


@dataclass(frozen=True, slots=True)
class _Content:
    """What an item says."""

    text: str
    links: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> _Content:
        title = _piece(entry.get("title_detail"), entry.get("title"))
        bodies = entry.get("content") or [entry.get("summary_detail") or {}]
        body_markup = str(bodies[0].get("value") or entry.get("summary") or "")
        body = _piece(bodies[0], body_markup)
        text = (
            body if title and body.startswith(title) else "\n\n".join(filter(None, (title, body)))
        )
        links = [str(entry.get("link") or "")]
        if "<a" in body_markup.lower():
            anchors = LexborHTMLParser(body_markup).css("a[href]")
            links += [str(node.attributes.get("href") or "") for node in anchors]
        wanted = [link for link in links if link.startswith(("http://", "https://"))]
        said = "\0".join((links[0], text))
        return cls(
            text=text,
            links=tuple(dict.fromkeys(wanted))[:_MAX_LINKS],
            fingerprint=hashlib.sha256(said.encode()).hexdigest()[:32],
        )


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What holds for all items of a feed that say nothing else."""

    host: str
    author: str | None
    lang: str | None

    @classmethod
    def of(cls, feed: Mapping[str, Any], url: str) -> _Defaults:
        author = _name(feed) or _piece(feed.get("title_detail"), feed.get("title")) or None
        return cls(urlsplit(url).hostname or "", author, _lang(feed.get("language")))


def _keys(contents: list[tuple[Mapping[str, Any], _Content]], url: str) -> list[str]:
    """Return an id for each item.

    Ids like "12" are given by many feeds, so the feed's address goes before them. Where
    several items claim one id, each is known by what it says: one would hide the others.
    """
    feed_hash = hashlib.sha256(url.encode()).hexdigest()[:10]
    claims: defaultdict[str, set[str]] = defaultdict(set)
    given: list[str] = []
    for entry, content in contents:
        own = str(entry.get("id") or "").strip()
        if own and not _GLOBAL_ID.match(own):
            own = f"{feed_hash}:{own}"
        if len(own) > _ID_LENGTH:
            own = f"{feed_hash}:{hashlib.sha256(own.encode()).hexdigest()[:32]}"
        given.append(own)
        claims[own].add(content.fingerprint)
    return [
        own if own and len(claims[own]) == 1 else f"{own or feed_hash}#{content.fingerprint}"
        for own, (_, content) in zip(given, contents, strict=True)
    ]


def _post(
    entry: Mapping[str, Any],
    content: _Content,
    key: str,
    published_at: datetime,
    defaults: _Defaults,
) -> Post:
    updated_at = _moment(entry, "updated_parsed")
    link = str(entry.get("link") or "")
    return Post(
        external_id=key,
        text=content.text,
        published_at=published_at,
        author=_author(entry, defaults),
        url=link if link.startswith(("http://", "https://")) else None,
        kind=PostKind.ARTICLE,
        lang=_lang(entry.get("language")) or defaults.lang,
        edited_at=updated_at if updated_at and updated_at > published_at else None,
        links=content.links,
        raw=_plain(entry),
    )


def _author(entry: Mapping[str, Any], defaults: _Defaults) -> AuthorProfile | None:
    """Return who wrote an item. A feed has names only, so the host goes before the name."""
    name = _name(entry) or defaults.author
    if not name:
        return None
    home = str((entry.get("author_detail") or {}).get("href") or "")
    return AuthorProfile(
        external_id=f"{defaults.host}:{name}"[:_ID_LENGTH],
        name=name,
        links=(home,) if home.startswith(("http://", "https://")) else (),
    )


def _name(values: Mapping[str, Any]) -> str:
    """Return a name without the e-mail address that RSS puts before it.

    feedparser cuts addresses after four letters of their last part, so they are not kept:
    half an address would be evidence for somebody else.
    """
    detail = values.get("author_detail") or {}
    name = _lines(str(detail.get("name") or values.get("author") or values.get("publisher") or ""))
    in_brackets = re.search(r"\(([^()]+)\)?$", name)
    return in_brackets[1] if in_brackets else name


def _date(entry: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when an item was published; None where that is unknown or cannot be."""
    moment = _moment(entry, "published_parsed") or _moment(entry, "updated_parsed")
    return moment if moment and moment <= now + _FUTURE else None


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    """Return a date of feedparser, which takes dates without a zone for UTC."""
    # Asked first, because feedparser gives the publication's date for a missing update.
    parsed = entry[name] if name in entry else None  # noqa: SIM401 - see above
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _piece(detail: Any, value: Any) -> str:  # noqa: ANN401 - feedparser has no types
    """Return a title or body as text."""
    kind = str((detail or {}).get("type") or "text/html")
    markup = str(value or "")
    return _lines(markup) if kind == "text/plain" else to_text(markup)


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return unicodedata.normalize("NFC", re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


def _lang(code: Any) -> str | None:  # noqa: ANN401 - feedparser has no types
    main = str(code or "").replace("_", "-").partition("-")[0].lower()
    return main if re.fullmatch(r"[a-z]{2,3}", main) else None


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as JSON can hold it."""
    kept = {name: value for name, value in entry.items() if not name.endswith("_parsed")}
    plain: dict[str, Any] = json.loads(json.dumps(kept, default=str))
    return plain
