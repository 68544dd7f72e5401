"""Posting on the fake X: what it takes, and its refusals in X's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .store import Post, Store
from .x_params import RefusedError

if TYPE_CHECKING:
    Json = dict[str, Any]


def forbidden(detail: str) -> RefusedError:
    """Make X's 403 with its own words."""
    body = {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}
    return RefusedError(403, body)


def write(store: Store, posted: Json) -> Json:
    """Publish a post of the token's account; it is seen from `x_write_lag_s` on."""
    if store.rules.x_app_only:
        raise forbidden("Authenticating with OAuth 2.0 Application-Only is forbidden")
    text, reply_to = str(posted.get("text", "")), ""
    if "reply" in posted:
        reply_to = str(posted["reply"].get("in_reply_to_tweet_id", ""))
        target = store.find("x", reply_to)
        if target is None or target.gone:
            raise forbidden(
                "You attempted to reply to a Tweet that is deleted or not visible to you."
            )
    shelf, now = store.shelves["x"], store.now()
    me = shelf.author(store.rules.x_me)
    if any(
        post.author is me and post.text == text and post.reply_to == reply_to
        for post in shelf.newest_first(now)
    ):
        raise forbidden("You are not allowed to create a Tweet with duplicate content.")
    number = shelf.free_id(now)
    post = Post(
        id=number,
        platform="x",
        kind="post",
        text=text,
        author=me,
        at=now,
        reply_to=reply_to,
        history=[number],
        visible_from=now + store.rules.x_write_lag_s,
    )
    shelf.put([post])
    return {"data": {"id": post.external_id, "text": text, "edit_history_tweet_ids": [str(number)]}}
