"""Who reads a page, and what templates look texts up with; the texts are `config.language`'s."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from babel import negotiate_locale
from markupsafe import Markup
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

#: Texts of templates that are kept as they are said: there are some 2,000 in each language.
MANY_TEXTS = 8192


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


def lookups() -> dict[str, Callable[..., Markup]]:
    """Return what templates say texts with; values are filled in as HTML-safe text.

    They stand in place of Jinja's own wrappers, which pass three calls and the context for each of
    the 800 texts of a page: a fifth of the time that it takes to make one.
    """
    return {
        "_": _said,
        "gettext": _said,
        "ngettext": _said_of,
        "pgettext": _said_in,
        "npgettext": _said_of_in,
    }


def plain_lookups() -> dict[str, object]:
    """Return the same for Jinja's own wrappers, which escape only where a template is HTML."""
    return {
        "gettext": lambda message: catalogue().gettext(message),
        "ngettext": lambda one, many, num: catalogue().ngettext(one, many, num),
        "pgettext": lambda context, message: catalogue().pgettext(context, message),
        "npgettext": lambda context, one, many, num: catalogue().npgettext(context, one, many, num),
        "newstyle": True,
    }


def _said(message: str, /, **values: object) -> Markup:
    said = _text(language(), message)
    return said % values if values else _plain(said)


def _said_in(context: str, message: str, /, **values: object) -> Markup:
    return _text(language(), message, context) % {"context": context, **values}


def _said_of(one: str, many: str, num: int, /, **values: object) -> Markup:
    return _markup(catalogue().ngettext(one, many, num)) % {"num": num, **values}


def _said_of_in(context: str, one: str, many: str, num: int, /, **values: object) -> Markup:
    text = catalogue().npgettext(context, one, many, num)
    return _markup(text) % {"context": context, "num": num, **values}


@lru_cache(MANY_TEXTS)
def _text(_language: str, message: str, context: str | None = None) -> Markup:
    texts = catalogue()
    return _markup(texts.gettext(message) if context is None else texts.pgettext(context, message))


@lru_cache(MANY_TEXTS)
def _plain(said: Markup) -> Markup:
    return said % {}  # `%%` is a percent sign


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - from our own templates and catalogues
