"""Answers to forms that the console's script sends, see `static/forms.js`.

A browser follows a redirect unseen, and whoever sent a form by script would get the next page
without its address, its notice spent. So a form that says who sends it is told where to go instead.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: `whole`: the browser goes to the next page; `inline`: it does only if that is another one.
SENT = "X-Form"
GO_TO = "X-Go-To"

_SEE_OTHER = 303


def is_sent_by_script(request: Request) -> bool:
    """Say whether the console's script sent a form."""
    return SENT in request.headers


class FormAnswers:
    """Turns redirects into words for the script, where it sent the form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        how = Headers(scope=scope).get(SENT) if scope["type"] == "http" else None
        if how is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        shown = _path(Headers(scope=scope).get("HX-Current-URL", ""))

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == _SEE_OTHER:
                headers = MutableHeaders(scope=message)
                to = headers["location"]
                if how != "inline" or _path(to) != shown:
                    message["status"] = 200
                    del headers["location"]
                    headers[GO_TO] = to
            await send(message)

        await self._app(scope, receive, told)


def _path(address: str) -> str:
    """Return what of an address names the page: its path and what is asked there."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"
