"""How tweepy reaches X, for the collector and the replier: address, time-outs, names of fields.

tweepy has a fixed address and no time-outs.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

#: The address that is fixed in tweepy.
TWEEPY_HOST = "https://api.twitter.com"
_USER_FIELDS = "created_at,description,entities,location,name,public_metrics,url,username,verified"
#: What is asked for, in the names of OpenAPI 2.166 and in those of 2.167.
OLD_NAMES = {
    "tweet.fields": "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,"
    "in_reply_to_user_id,lang,note_tweet,public_metrics,referenced_tweets",
    "expansions": "author_id,referenced_tweets.id,referenced_tweets.id.author_id",
    "user.fields": _USER_FIELDS,
}
NEW_NAMES = {
    "post.fields": "conversation_id,created_at,entities,lang,note_post,public_metrics",
    "expansions": "author_id,edit_history_post_ids,referenced_posts",
    "user.fields": _USER_FIELDS,
}


class Redirect(HTTPAdapter):
    """Sends tweepy's requests to the configured address, and gives up in time."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        super().__init__()
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        """Send a request; see `requests.adapters.HTTPAdapter.send`."""
        request.url = (request.url or "").replace(TWEEPY_HOST, self._base_url, 1)
        how["timeout"] = (min(5.0, self._timeout_s), self._timeout_s)
        return super().send(request, **how)
