"""Where a person answers a post: the platform's own page for it."""

from __future__ import annotations

from urllib.parse import urlencode

from api.formats import web_link
from listener.models import Mention

#: X opens its own composer there, as a reply and with the words filled in:
#: https://developer.x.com/en/docs/x-for-websites/tweet-button/guides/web-intent
X_INTENT = "https://x.com/intent/post"


def reply_page(mention: Mention, answer: str = "") -> str:
    """Return the address of the page where `mention` can be answered; empty where none is known."""
    if mention.deleted_at is not None:
        return ""
    if mention.platform == "x":
        asked = {"in_reply_to": mention.external_id} | ({"text": answer} if answer else {})
        return f"{X_INTENT}?{urlencode(asked)}"
    return web_link(mention.url)
