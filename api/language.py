"""Who reads a page, and what templates look texts up with; the texts are `config.language`'s."""

from __future__ import annotations

from babel import negotiate_locale
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from config.language import (
    LANGUAGES,
    SOURCE,
    begin_reading,
    catalogue,
    gettext,
    is_zone,
    language,
    later,
    load_catalogues,
    locale,
    looked_up,
    ngettext,
    read_as,
    reading_as,
    told,
    zone,
    zones,
)

__all__ = [
    "LANGUAGES",
    "SOURCE",
    "ReaderMiddleware",
    "gettext",
    "is_zone",
    "language",
    "later",
    "load_catalogues",
    "locale",
    "looked_up",
    "lookups",
    "negotiated",
    "ngettext",
    "read_as",
    "reading_as",
    "told",
    "zone",
    "zones",
]

#: Languages that a browser may ask for; more are not looked at.
MAX_ASKED = 20


class ReaderMiddleware:
    """Gives each request its reader: as the browser says, until a user's own wish is known."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application; the session must be there already."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            asked = HTTPConnection(scope).headers.get("accept-language", "")
            begin_reading(language=negotiated(asked), zone=scope.get("session", {}).get("zone", ""))
        await self._app(scope, receive, send)


def negotiated(asked: str) -> str:
    """Return the language that suits a header `Accept-Language` best."""
    weighted: list[tuple[float, str]] = []
    for part in asked.split(",")[:MAX_ASKED]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((float(weight or 1), tag.strip()))
        except ValueError:
            continue
    wishes = [tag for weight, tag in sorted(weighted, key=lambda one: -one[0]) if weight > 0]
    return negotiate_locale(wishes, LANGUAGES, sep="-") or SOURCE


def lookups() -> dict[str, object]:
    """Return what the templates look texts up with; they fill in the values themselves."""
    return {
        "gettext": lambda message: catalogue().gettext(message),
        "ngettext": lambda one, many, num: catalogue().ngettext(one, many, num),
        "pgettext": lambda context, message: catalogue().pgettext(context, message),
        "npgettext": lambda context, one, many, num: catalogue().npgettext(context, one, many, num),
        "newstyle": True,
    }
