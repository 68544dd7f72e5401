"""Rendering the console's pages with Jinja2."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from api import formats, language
from api.language import gettext
from api.post_text import post_text
from sentiment.heads import EMOTIONS
from sentiment.types import Label

FOLDER = Path(__file__).parent / "console"

templates = Jinja2Templates(directory=FOLDER / "templates")
templates.env.add_extension("jinja2.ext.i18n")
# What texts are looked up with; `newstyle` lets the lookups fill in the values (jinja2 has no
# types for it).
cast("Any", templates.env).newstyle_gettext = True
templates.env.globals.update(language.lookups())
# Files are as they are when the process starts, as the catalogues are: a page looked at the time
# of change of sixty of them.
templates.env.auto_reload = False
# A phrase that is shown is said in the reader's language; as a value of a text, by `told`.
templates.env.finalize = language.told
templates.env.trim_blocks = templates.env.lstrip_blocks = True
templates.env.filters.update(
    ago=formats.ago,
    utc=formats.utc,
    local=formats.local,
    day=formats.day,
    iso=formats.iso,
    count=formats.count,
    number=formats.number,
    decimal=formats.decimal,
    percent=formats.percent,
    signed=formats.signed,
    duration=formats.duration,
    words=formats.words,
    looked_up=language.looked_up,
    told=language.told,
    post_text=post_text,
    web_link=formats.web_link,
    query=formats.query,
    person_name=formats.person_name,
    platform=formats.platform,
    drill_part=formats.drill_part,
)


def render(
    request: Request, name: str, context: dict[str, Any] | None = None, *, status_code: int = 200
) -> HTMLResponse:
    """Return the page `name`; everything in it is escaped unless a template says otherwise."""
    return templates.TemplateResponse(request, name, context or {}, status_code=status_code)


def is_htmx(request: Request) -> bool:
    """Say whether htmx asks for a part of a page."""
    return "hx-request" in request.headers


def back_to(request: Request, path: str, notice: str = "") -> Response:
    """Return the way back to a page after a change, where `notice` is shown once."""
    if notice:
        request.session["notice"] = notice
    return RedirectResponse(path, status_code=303)


@lru_cache
def static_path(name: str) -> str:
    """Return the address of a static file, which changes when the file does."""
    path = FOLDER / "static" / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"
    return f"/static/{name}?v={digest}"


def script_words() -> dict[str, str]:
    """Return the texts that scripts show, in the reader's language."""
    return {
        **{name: formats.words(name) for name in (*Label, *EMOTIONS)},
        "before": gettext("period before"),
        "net": gettext("net"),
        "between": gettext("%(low)s to %(high)s", low="{low}", high="{high}"),
        "ago": gettext("%(age)s ago", age="{}"),
        "in": gettext("in %(age)s", age="{}"),
        "now": gettext("now"),
        "soon": gettext("in a moment"),
        "copied": gettext("Copied"),
        "working": gettext("Working…"),
        "ended": gettext(
            "Your session has ended. What you typed is kept; the next thing you do leads to the "
            "sign-in and back."
        ),
        "away": gettext(
            "The console cannot be reached. What you typed is still here; try again in a moment."
        ),
        "unsure": gettext(
            "No answer came. What you typed is still here. It may have been done all the same: "
            "look before you send it again."
        ),
        "failed": gettext(
            "The console did not answer as it should (%(status)s). What you typed is still here; "
            "try again in a moment.",
            status="{}",
        ),
        "again": gettext("Try again"),
    }


def admin_pages() -> list[tuple[str, str]]:
    """Return the pages of the administration: address and name."""
    return [
        ("/users", gettext("Users")),
        ("/admin/teams", gettext("Teams")),
        ("/admin/crm", gettext("CRMs")),
        ("/admin/privacy", gettext("Privacy")),
        ("/admin/keys", gettext("API keys")),
        ("/admin/audit", gettext("Audit log")),
        ("/admin/system", gettext("System")),
    ]


templates.env.globals.update(
    static=static_path,
    language=language.language,
    zone=language.zone,
    script_words=script_words,
    admin_pages=admin_pages,
    seconds=lambda number: timedelta(seconds=number),
    event_words=formats.event_words,
    kind_words=formats.kind_words,
    evidence_words=formats.evidence_words,
)
