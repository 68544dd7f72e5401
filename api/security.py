"""What every answer says to browsers, and where a sign-in may lead."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: No inline script or style, nothing from other sites, in no frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

#: Seconds that browsers keep to https once they have seen it: a year.
HTTPS_ONLY_S = 31_536_000


class SecurityHeaders:
    """Gives every answer its headers; an answer that is streamed goes through as it comes."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if is_https:
            self._headers["Strict-Transport-Security"] = f"max-age={HTTPS_ONLY_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


#: Where people land after signing in.
HOME = "/queue"


def safe_next(target: str) -> str:
    r"""Return `target` if it is a path of this console, else its home.

    Browsers read a backslash as a slash and skip control characters, so that `/\\evil.example`
    and `/<tab>/evil.example` would lead away.
    """
    if not target.startswith("/") or target.startswith("//"):
        return HOME
    if "\\" in target or any(ord(character) < ord(" ") for character in target):
        return HOME
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path.startswith("/sign-"):
        return HOME
    return target


def sign_in_path(target: str) -> str:
    """Return the address of the sign-in page that leads on to `target`."""
    return f"/sign-in?next={quote(safe_next(target), safe='/')}"
