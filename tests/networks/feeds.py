"""The fake feeds: RSS 2.0 and Atom documents of the newest items, well-formed or not.

A feed has no paging: what falls off its end between two readings is lost. Its oddities are
set for each feed with `Control.set_feed`; see `DEFAULTS`.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from .faults import bend

if TYPE_CHECKING:
    from .faults import Fault
    from .store import Post, Store

#: What `Control.set_feed` can change of a feed.
DEFAULTS: dict[str, Any] = {
    "format": "rss",  # or "atom"
    "title": "Made-up news",
    "horizon": 20,  # how many newest items the document holds
    "ids": True,  # guid or id
    "dates": True,
    "links": True,
    "authors": True,
    "html": False,  # texts are wrapped in markup
    "validators": True,  # ETag and Last-Modified, and 304
    "encoding": "utf-8",  # of the bytes
    "declared": "",  # encoding that the document claims, if another
    "content_type": "",
    # "ill_formed": a tag is never closed; "cut": the document ends in the middle;
    # "empty": no item; "not_xml": a page; "control": control characters that XML forbids
    "broken": "",
    "redirect_to": "",  # 301 to that address
    "gone": False,  # 410
}


@dataclass(frozen=True, slots=True)
class Document:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def document(
    store: Store, name: str, request_headers: dict[str, str], fault: Fault | None
) -> Document:
    """Give a feed as it is now; the caller holds the store's lock."""
    settings = DEFAULTS | store.feeds.get(name, {})
    newest = (
        post for post in store.shelves["feeds"].newest_first(store.now()) if post.place == name
    )
    posts = list(itertools.islice(newest, settings["horizon"]))
    if not posts and name not in store.feeds:
        return Document(404, {"content-type": "text/plain"}, b"no such feed")
    if settings["gone"]:
        return Document(410, {"content-type": "text/plain"}, b"gone")
    if settings["redirect_to"]:
        return Document(301, {"location": settings["redirect_to"]}, b"")
    changed = max((post.edited_at or post.at for post in posts), default=0.0)
    body = _written(settings, name, posts, fault)
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    modified = datetime.fromtimestamp(int(changed), UTC)
    kind = "atom" if settings["format"] == "atom" else "rss"
    headers = {"content-type": settings["content_type"] or f"application/{kind}+xml"}
    if settings["validators"]:
        headers |= {"etag": tag, "last-modified": format_datetime(modified, usegmt=True)}
        if _unchanged(request_headers, tag, modified):
            return Document(304, headers, b"")
    return Document(200, headers, body)


def _unchanged(headers: dict[str, str], tag: str, modified: datetime) -> bool:
    if known := headers.get("if-none-match"):
        return tag in known
    if since := headers.get("if-modified-since"):
        try:
            return modified <= parsedate_to_datetime(since)
        except ValueError:
            return False
    return False


def _written(settings: dict[str, Any], name: str, posts: list[Post], fault: Fault | None) -> bytes:
    """Write the document, and break it as the settings say."""
    broken = settings["broken"]
    if broken == "not_xml":
        return b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"
    if broken == "empty":
        posts = []
    items = bend([_fields(settings, post) for post in posts], fault)
    write = _atom if settings["format"] == "atom" else _rss
    text = write(settings, name, items)
    if broken == "ill_formed":
        text = text.replace("</title>", "", 2).replace("&amp;", "&")
    if broken == "control":
        text = text.replace("</title>", "\x0b</title>")
    if broken == "cut":
        text = text[: len(text) * 2 // 3]
    return text.encode(settings["encoding"], "xmlcharrefreplace")


def _fields(settings: dict[str, Any], post: Post) -> dict[str, Any]:
    """Choose what an item shows."""
    shown: dict[str, Any] = {"title": post.title, "text": post.text}
    if settings["html"]:
        shown["text"] = f"<p>{escape(post.text)}</p><img src='https://example.invalid/a.png'>"
    if settings["ids"]:
        shown["guid"] = post.external_id
    if settings["links"]:
        shown["link"] = post.url or f"https://news.example/{post.place}/{post.external_id}"
    if settings["dates"]:
        shown["published"] = post.at
        shown["updated"] = post.edited_at or post.at
    if settings["authors"]:
        shown["author"] = post.author.name
    return shown


def _head(settings: dict[str, Any]) -> str:
    declared = settings["declared"] or settings["encoding"]
    return f'<?xml version="1.0" encoding="{declared}"?>\n'


def _date(value: Any, *, rss: bool) -> str:
    """Write a date; what a fault put in its place is written as it is."""
    if not isinstance(value, float):
        return str(value)
    moment = datetime.fromtimestamp(int(value), UTC)
    return format_datetime(moment, usegmt=True) if rss else moment.isoformat()


def _rss(settings: dict[str, Any], name: str, items: list[Any]) -> str:
    written = []
    for item in items:
        if not isinstance(item, dict):
            written.append(f"<item>{escape(str(item or ''))}</item>")
            continue
        parts = [f"<title>{escape(str(item['title']))}</title>"] if item["title"] else []
        parts.append(f"<description>{escape(str(item['text']))}</description>")
        if "link" in item:
            parts.append(f"<link>{escape(item['link'])}</link>")
        if "guid" in item:
            parts.append(f'<guid isPermaLink="false">{escape(str(item["guid"]))}</guid>')
        if "published" in item:
            parts.append(f"<pubDate>{_date(item['published'], rss=True)}</pubDate>")
        if "author" in item:
            parts.append(f"<dc:creator>{escape(item['author'])}</dc:creator>")
        written.append(f"<item>{''.join(parts)}</item>")
    return (
        f'{_head(settings)}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>{escape(settings['title'])}</title>"
        f"<link>https://news.example/{name}</link><description>Made up &amp; free</description>\n"
        + "\n".join(written)
        + "\n</channel></rss>\n"
    )


def _atom(settings: dict[str, Any], name: str, items: list[Any]) -> str:
    written = []
    for item in items:
        if not isinstance(item, dict):
            written.append(f"<entry>{escape(str(item or ''))}</entry>")
            continue
        parts = [f"<title>{escape(str(item['title']))}</title>"]
        parts.append(f'<content type="html">{escape(str(item["text"]))}</content>')
        if "link" in item:
            parts.append(f'<link rel="alternate" href="{escape(item["link"])}"/>')
        if "guid" in item:
            parts.append(f"<id>tag:news.example,2020:{escape(str(item['guid']))}</id>")
        if "published" in item:
            parts.append(f"<published>{_date(item['published'], rss=False)}</published>")
            parts.append(f"<updated>{_date(item['updated'], rss=False)}</updated>")
        if "author" in item:
            parts.append(f"<author><name>{escape(item['author'])}</name></author>")
        written.append(f"<entry>{''.join(parts)}</entry>")
    return (
        f'{_head(settings)}<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{escape(settings['title'])} &amp; more</title>"
        f"<id>tag:news.example,2020:{name}</id>\n" + "\n".join(written) + "\n</feed>\n"
    )
