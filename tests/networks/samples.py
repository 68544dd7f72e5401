"""What several tests of the fake networks ask and publish."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from .server import Networks

ALL_FIELDS = {
    "tweet.fields": "author_id,created_at,lang,entities,referenced_tweets,note_tweet,"
    "public_metrics,edit_controls,conversation_id,in_reply_to_user_id",
    "user.fields": "created_at,description,location,url,verified,public_metrics",
    "expansions": "author_id,referenced_tweets.id,referenced_tweets.id.author_id",
}
POST_FIELDS = {
    "post.fields": "created_at,lang,entities,note_post,public_metrics,edit_controls",
    "user.fields": "created_at,description",
    "expansions": "author_id,referenced_posts,edit_history_post_ids",
}


def get(networks: Networks, path: str, **query: Any) -> httpx.Response:
    headers = {"authorization": "Bearer token"}
    return httpx.get(networks.x_url + path, params=query, headers=headers, timeout=5)


def texts(count: int, word: str = "nordlicht") -> list[dict[str, Any]]:
    start = time.time() - 3_600
    return [
        {"text": f"{word} number {index}", "published_at": start + index} for index in range(count)
    ]


def comments(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{**post, "kind": "comment", "place": "gadgets", **more} for post in texts(count)]
