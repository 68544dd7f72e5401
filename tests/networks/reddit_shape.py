"""How Reddit writes submissions, comments, messages and listings."""

from __future__ import annotations

import html
import zlib
from typing import TYPE_CHECKING, Any

from .store import base36

if TYPE_CHECKING:
    from .store import Author, Post, Store

Json = dict[str, Any]
_DELETED = "[deleted]"
_REMOVED = "[removed]"


def thing(post: Post, store: Store) -> Json:
    """Write a post as Reddit's kind and data."""
    writers = {"submission": _submission, "comment": _comment, "message": _message}
    kind = post.external_id.partition("_")[0]
    return {"kind": kind, "data": writers[post.kind](post, store) | post.extra}


def inbox_thing(post: Post, store: Store) -> Json:
    """Write a comment as the inbox shows it, or a message."""
    written = thing(post, store)
    if post.kind == "comment":
        for name in ("permalink", "link_id", "link_author", "link_permalink", "edited"):
            del written["data"][name]
        written["data"] |= {
            "type": "username_mention",
            "subject": "username mention",
            "was_comment": True,
            "new": not post.read,
            "dest": store.rules.reddit_me,
            "context": f"{_permalink(post, store)}?context=3",
            "first_message": None,
            "first_message_name": None,
            "num_comments": 1,
        }
    return written


def listing(children: list[Any], after: str | None, before: str | None) -> Json:
    """Write a page of things."""
    return {
        "kind": "Listing",
        "data": {
            "after": after,
            "before": before,
            "dist": len(children),
            "modhash": None,
            "geo_filter": "",
            "children": children,
        },
    }


def account(author: Author) -> Json:
    """Write an account."""
    return {
        "kind": "t2",
        "data": {
            "id": base36(author.id),
            "name": author.username,
            "created_utc": author.created_at,
            "created": author.created_at,
            "link_karma": author.followers,
            "comment_karma": author.followers,
            "total_karma": author.followers * 2,
            "is_employee": False,
            "verified": True,
            "has_verified_email": author.verified,
            "icon_img": "",
            "subreddit": {
                "display_name": f"u_{author.username}",
                "title": author.name,
                "public_description": author.bio,
                "url": f"/user/{author.username}/",
                "over_18": False,
            },
        },
    }


def escaped(answer: Any) -> Any:
    """Write &, < and > as entities, as Reddit does unless asked for `raw_json`."""
    if isinstance(answer, dict):
        return {name: escaped(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [escaped(value) for value in answer]
    return html.escape(answer, quote=False) if isinstance(answer, str) else answer


def link_name(post: Post) -> str:
    """Give the full name of the submission that a comment belongs to."""
    if post.reply_to.startswith("t3_"):
        return post.reply_to
    return str(post.extra.get("link_id") or f"t3_{base36(zlib.crc32(post.place.encode()))}")


def _permalink(post: Post, store: Store) -> str:
    number = base36(post.id)
    if post.kind == "submission":
        return f"/r/{post.place}/comments/{number}/{_slug(post.title)}/"
    link = store.find("reddit", link_name(post))
    slug = _slug(link.title if link else "weekly thread")
    return f"/r/{post.place}/comments/{link_name(post)[3:]}/{slug}/{number}/"


def _slug(title: str) -> str:
    kept = "".join(sign if sign.isalnum() else "_" for sign in title.lower())
    return "_".join(filter(None, kept.split("_")))[:50] or "_"


def _common(post: Post) -> Json:
    """Write what all kinds share."""
    anonymous = bool(post.gone) or post.account_deleted
    written: Json = {
        "id": base36(post.id),
        "name": post.external_id,
        "author": _DELETED if anonymous else post.author.username,
        "created": float(int(post.at)),
        "created_utc": float(int(post.at)),
        "distinguished": None,
        "likes": None,
        "score": 1,
        "ups": 1,
        "downs": 0,
    }
    if not anonymous:
        written["author_fullname"] = f"t2_{base36(post.author.id)}"
    return written


def _in_subreddit(post: Post) -> Json:
    return {
        "subreddit": post.place,
        "subreddit_id": f"t5_{base36(zlib.crc32(post.place.encode()))}",
        "subreddit_name_prefixed": f"r/{post.place}",
        "subreddit_type": "public",
        "archived": False,
        "author_flair_text": None,
        "author_flair_css_class": None,
        "author_premium": False,
        "edited": float(int(post.edited_at)) if post.edited_at else False,
        "gilded": 0,
        "locked": False,
        "num_reports": None,
        "removal_reason": None,
        "saved": False,
        "stickied": False,
        "total_awards_received": 0,
    }


def _body(post: Post) -> str:
    return {"": post.text, "removed": _REMOVED}.get(post.gone, _DELETED)


def _as_html(text: str) -> str:
    paragraphs = "\n\n".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n"))
    return f'<div class="md">{paragraphs}\n</div>'


def _submission(post: Post, store: Store) -> Json:
    permalink = _permalink(post, store)
    body = _body(post)
    hidden = {"deleted": "[deleted by user]", "removed": "[ Removed by moderator ]"}
    is_self = not post.url
    return (
        _common(post)
        | _in_subreddit(post)
        | {
            "title": hidden.get(post.gone, post.title),
            "selftext": body if is_self or post.gone else "",
            "selftext_html": _as_html(body) if is_self and body else None,
            "is_self": is_self,
            "is_video": False,
            "domain": f"self.{post.place}" if is_self else post.url.split("/")[2],
            "url": post.url or f"https://www.reddit.com{permalink}",
            "permalink": permalink,
            "num_comments": 0,
            "num_crossposts": 0,
            "over_18": False,
            "spoiler": False,
            "hidden": False,
            "hide_score": False,
            "upvote_ratio": 1.0,
            "link_flair_text": None,
            "thumbnail": "self",
            "media": None,
            "removed_by_category": "moderator" if post.gone == "removed" else None,
        }
    )


def _comment(post: Post, store: Store) -> Json:
    link = store.find("reddit", link_name(post))
    title = link.title if link else "Weekly thread"
    thread = _permalink(post, store).rstrip("/").rpartition("/")[0] + "/"
    return (
        _common(post)
        | _in_subreddit(post)
        | {
            "body": _body(post),
            "body_html": _as_html(_body(post)),
            "controversiality": 0,
            "is_submitter": False,
            "link_id": link_name(post),
            "link_title": title,
            "link_author": link.author.username if link else _DELETED,
            "link_permalink": f"https://www.reddit.com{thread}",
            "parent_id": post.reply_to or link_name(post),
            "permalink": _permalink(post, store),
            "replies": "",
            "score_hidden": False,
            "collapsed": False,
        }
    )


def _message(post: Post, store: Store) -> Json:
    return _common(post) | {
        "subject": post.title or "hello",
        "body": _body(post),
        "body_html": _as_html(_body(post)),
        "was_comment": False,
        "type": "unknown",
        "new": not post.read,
        "dest": store.rules.reddit_me,
        "context": "",
        "parent_id": None,
        "subreddit": None,
        "subreddit_name_prefixed": None,
        "replies": "",
        "num_comments": None,
        "first_message": None,
        "first_message_name": None,
        "associated_awarding_id": None,
    }
