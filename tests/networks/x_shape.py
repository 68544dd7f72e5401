"""How X writes posts, users and problems (API v2, either naming)."""

from __future__ import annotations

import hashlib
import html
import re
from typing import TYPE_CHECKING, Any

from .store import Author, Post, Store, iso

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]
PROBLEMS = "https://api.twitter.com/2/problems/"

#: The post fields that OpenAPI 2.166 allows.
POST_FIELDS = {
    "article",
    "attachments",
    "author_id",
    "card_uri",
    "community_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "id",
    "in_reply_to_user_id",
    "lang",
    "matched_media_notes",
    "media_metadata",
    "non_public_metrics",
    "note_request_suggestions",
    "note_tweet",
    "organic_metrics",
    "paid_partnership",
    "possibly_sensitive",
    "promoted_metrics",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "scopes",
    "source",
    "suggested_source_links",
    "suggested_source_links_with_counts",
    "text",
    "withheld",
}
USER_FIELDS = {
    "affiliation",
    "confirmed_email",
    "connection_status",
    "created_at",
    "description",
    "entities",
    "id",
    "is_identity_verified",
    "location",
    "most_recent_tweet_id",
    "name",
    "parody",
    "pinned_tweet_id",
    "profile_banner_url",
    "profile_image_url",
    "protected",
    "public_metrics",
    "receives_your_dm",
    "subscription",
    "subscription_type",
    "url",
    "username",
    "verified",
    "verified_followers_count",
    "verified_type",
    "withheld",
}
EXPANSIONS = {
    "article.cover_media",
    "article.media_entities",
    "attachments.media_keys",
    "attachments.media_source_tweet",
    "attachments.poll_ids",
    "author_id",
    "edit_history_tweet_ids",
    "entities.mentions.username",
    "geo.place_id",
    "in_reply_to_user_id",
    "entities.note.mentions.username",
    "referenced_tweets.id",
    "referenced_tweets.id.attachments.media_keys",
    "referenced_tweets.id.author_id",
}
#: What the new naming calls the fields and expansions, old name first.
RENAMED = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "referenced_tweets.id": "referenced_posts",
    "note_tweet": "note_post",
    "tweets": "posts",
    "tweet_count": "post_count",
    "retweet_count": "repost_count",
    "total_tweet_count": "total_post_count",
}

_URL = re.compile(r"https?://[^\s<>\"]+")
_HANDLE = re.compile(r"(?<!\w)@([A-Za-z0-9_]{1,15})")
_TAG = re.compile(r"(?<![\w&])#(\w+)")
_REPOST_LENGTH = 140
_POST_LENGTH = 280


def short_link(url: str) -> str:
    """Give the t.co address that stands for a link in a text."""
    return f"https://t.co/{hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()[:10]}"


def delivered_text(text: str) -> str:
    """Write a text as X delivers it: short links, and &, < and > as entities."""
    return html.escape(_URL.sub(lambda found: short_link(found[0]), text), quote=False)


def entities(text: str, original: str, store: Store) -> Json:
    """Find links, tags and mentions; offsets are code points of the delivered text."""
    links = {short_link(found): found for found in _URL.findall(original)}
    users = store.shelves["x"].authors
    found: Json = {}
    urls = [
        {
            "start": hit.start(),
            "end": hit.end(),
            "url": hit[0],
            "expanded_url": links[hit[0]],
            "display_url": links[hit[0]].partition("://")[2][:30],
        }
        for hit in _URL.finditer(text)
        if hit[0] in links
    ]
    tags = [{"start": h.start(), "end": h.end(), "tag": h[1]} for h in _TAG.finditer(text)]
    mentions = []
    for hit in _HANDLE.finditer(text):
        mention = {"start": hit.start(), "end": hit.end(), "username": hit[1]}
        if known := users.get(hit[1].lower()):
            mention |= {"username": known.username, "id": str(known.id)}
        mentions.append(mention)
    for name, values in (("urls", urls), ("hashtags", tags), ("mentions", mentions)):
        if values:
            found[name] = values
    return found


def texts(post: Post, store: Store) -> tuple[str, str]:
    """Give a post's `text` as X cuts it, and the whole text."""
    original = store.find("x", post.repost_of) if post.repost_of else None
    if original is not None:
        whole = delivered_text(f"RT @{original.author.username}: {original.text}")
        if len(whole) > _REPOST_LENGTH:
            return whole[: _REPOST_LENGTH - 1] + "…", whole
        return whole, whole
    whole = delivered_text(post.text)
    if len(whole) > _POST_LENGTH:
        more = f"… {short_link(f'https://x.com/i/web/status/{post.id}')}"
        return whole[: _POST_LENGTH - len(more)] + more, whole
    return whole, whole


def references(post: Post) -> list[Json]:
    """List what a post refers to."""
    pairs = (
        ("retweeted", post.repost_of),
        ("quoted", post.quote_of),
        ("replied_to", post.reply_to),
    )
    return [{"type": kind, "id": other} for kind, other in pairs if other]


def post_json(post: Post, fields: set[str], store: Store) -> Json:
    """Write a post with the asked fields (old names), always with id, text and history."""
    text, whole = texts(post, store)
    original = store.find("x", post.repost_of) if post.repost_of else None
    written_by = original.text if original else post.text
    parent = store.find("x", post.reply_to) if post.reply_to else None
    every: Json = {
        "author_id": str(post.author.id),
        "conversation_id": post.reply_to or post.external_id,
        "created_at": iso(post.at)[:-5] + ".000Z",
        "lang": post.lang,
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "source": "Twitter Web App",
        "edit_controls": {
            "edits_remaining": max(0, 5 - len(post.history) + 1),
            "is_edit_eligible": not post.repost_of,
            "editable_until": iso(post.at + 3600)[:-5] + ".000Z",
        },
        "public_metrics": {
            "retweet_count": 0,
            "reply_count": 0,
            "like_count": post.id % 17,
            "quote_count": 0,
            "bookmark_count": 0,
            "impression_count": post.id % 997,
        },
        "entities": entities(text, written_by, store),
        "referenced_tweets": references(post),
        "in_reply_to_user_id": str(parent.author.id) if parent else "",
    }
    if whole != text and original is None:
        every["note_tweet"] = {"text": whole, "entities": entities(whole, post.text, store)}
    history = [str(number) for number in post.history]
    written: Json = {"id": str(post.id), "text": text, "edit_history_tweet_ids": history}
    written |= {name: value for name, value in every.items() if name in fields and value != ""}
    for name in ("entities", "referenced_tweets"):
        if not written.get(name, True):
            del written[name]
    return written | post.extra


def user_json(author: Author, fields: set[str]) -> Json:
    """Write a user with the asked fields, always with id, name and username."""
    every = {
        "created_at": iso(author.created_at)[:-5] + ".000Z",
        "description": author.bio,
        "location": author.location,
        "url": author.url,
        "verified": author.verified,
        "verified_type": "blue" if author.verified else "none",
        "protected": False,
        "profile_image_url": f"https://pbs.twimg.com/profile_images/{author.id}/a_normal.jpg",
        "public_metrics": {
            "followers_count": author.followers,
            "following_count": 10,
            "tweet_count": 100,
            "listed_count": 0,
        },
    }
    written: Json = {"id": str(author.id), "name": author.name, "username": author.username}
    return written | {
        name: value for name, value in every.items() if name in fields and value != ""
    }


def missing(post: Post | None, value: str, parameter: str) -> Json:
    """Say why a post is not given, in X's words."""
    reason = post.gone if post else ""
    title, kind = "Not Found Error", "resource-not-found"
    detail = f"Could not find tweet with {parameter}: [{value}]."
    if reason == "suspended":
        title, detail = "Forbidden", f"User has been suspended: [{value}]."
    elif reason == "protected":
        title, kind = "Authorization Error", "not-authorized-for-resource"
        detail = f"Sorry, you are not authorized to see the Tweet with {parameter}: [{value}]."
    return {
        "value": value,
        "detail": detail,
        "title": title,
        "resource_type": "tweet",
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + kind,
    }


def renamed(answer: Any) -> Any:
    """Give an answer with the names of OpenAPI 2.167."""
    if isinstance(answer, dict):
        return {RENAMED.get(name, name): renamed(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [renamed(value) for value in answer]
    if isinstance(answer, str) and answer.startswith(PROBLEMS):
        return answer.replace("api.twitter.com", "api.x.com", 1)
    return answer


def old_names(names: Iterable[str], *, expansions: bool = False) -> list[str]:
    """Give the old names of fields or expansions that may be new ones."""
    old = {new: name for name, new in RENAMED.items() if ("." in name) == expansions}
    if expansions:
        old |= {"edit_history_post_ids": "edit_history_tweet_ids"}
    return [old.get(name, name) for name in names]
