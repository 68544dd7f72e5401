"""A report on an incident, rendered: as a part of a page, and as files that stand alone."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from api import formats, language
from api.language import gettext
from api.reports import words
from api.reports.pdf import to_pdf
from api.reports.svg import Mark, curve_svg
from crm_link.escalation.report import Report
from crm_link.escalation.war_room.milestones import Milestone

#: Words of a post that a report quotes.
QUOTE_CHARS = 1_000

#: The style sheet, which the console links and a file holds within itself.
STYLE = Path(__file__).parent.parent / "console" / "static" / "report.css"

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))", re.MULTILINE)


class Format(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    MARKDOWN = "md"
    PDF = "pdf"


MEDIA_TYPES = {
    Format.HTML: "text/html; charset=utf-8",
    Format.MARKDOWN: "text/markdown; charset=utf-8",
    Format.PDF: "application/pdf",
}


def render_report(report: Report, form: Format, *, public_url: str = "") -> bytes:
    """Return a report as a file.

    Args:
        report: The facts.
        form: As what.
        public_url: The console's address, for the link back; empty: none.

    Raises:
        InputError: PDF was asked for, and what makes it is not installed.

    """
    if form is Format.MARKDOWN:
        return _render("report.md.j2", report, public_url).encode()
    page = _render("report.html.j2", report, public_url)
    return to_pdf(page) if form is Format.PDF else page.encode()


def report_body(report: Report) -> Markup:
    """Return a report as a part of a page that links its style sheet."""
    return Markup(_render("body.html.j2", report, ""))  # noqa: S704 - made by our own template


def file_name(report: Report, form: Format) -> str:
    """Return how a report's file is called."""
    return f"incident-{report.incident.id}-report.{form}"


def _render(template: str, report: Report, public_url: str) -> str:
    style, digest = style_sheet()
    return (
        environment()
        .get_template(template)
        .render(
            report=report,
            incident=report.incident,
            svg=Markup(curve_svg(report.curve, _marks(report))),  # noqa: S704 - escaped where it is drawn
            style=style,
            style_digest=digest,
            link=f"{public_url.rstrip('/')}/incidents/{report.incident.id}" if public_url else "",
        )
    )


def style_sheet() -> tuple[Markup, str]:
    """Return the style sheet of reports, and its digest for a content security policy."""
    style = STYLE.read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Markup(style), digest  # noqa: S704 - our own file


def _marks(report: Report) -> list[Mark]:
    incident = report.incident
    marks: list[Mark] = [
        (report.since, gettext("first post")),
        (incident.opened_at, gettext("opened")),
    ]
    for timing in report.times:
        if timing.took is not None and timing.what in {Milestone.ACKNOWLEDGE, Milestone.HOLDING}:
            name = (
                gettext("acknowledged")
                if timing.what is Milestone.ACKNOWLEDGE
                else gettext("holding statement")
            )
            marks.append((incident.opened_at + timing.took, name))
    if incident.resolved_at is not None:
        marks.append((incident.resolved_at, gettext("resolved")))
    return sorted(marks)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return where the templates of all reports are rendered."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=language.told,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    # What the extension looks texts up with, which escapes in HTML and not in Markdown; jinja2 has
    # no types for it.
    cast("Any", env).install_gettext_callables(**language.plain_lookups())
    filters: dict[str, Callable[..., object]] = {
        "local": formats.local,
        "count": formats.count,
        "percent": formats.percent,
        "signed": formats.signed,
        "share_signed": _signed_share,
        "told": language.told,
        "looked_up": language.looked_up,
        "duration": formats.duration,
        "words": formats.words,
        "platform": formats.platform,
        "web_link": formats.web_link,
        "drill_part": formats.drill_part,
        "quote": quote,
        "direction": direction,
        "md": escape_markdown,
    }
    env.filters.update(filters)
    env.globals.update(
        entry_words=words.entry_words,
        entry_title=words.entry_title,
        time_words=words.time_words,
        verdict_words=words.verdict_words,
        rebound_words=words.rebound_words,
        names=words.TIME_WORDS,
        language=language.language,
        zone=language.zone,
    )
    return env


def _signed_share(share: float) -> str:
    return f"{formats.signed(share * 100, 0)} %"


def quote(text: str) -> str:
    """Return a post's text as a report quotes it."""
    plain = text.strip()
    return plain if len(plain) <= QUOTE_CHARS else plain[: QUOTE_CHARS - 1].rstrip() + "…"


def direction(text: str) -> str:
    """Return `rtl` for a text that begins from right to left, else `ltr`.

    By the first letter that has a direction, as browsers do for `dir="auto"`, which is not
    known to all that print.
    """
    strong = (unicodedata.bidirectional(letter) for letter in text)
    first = next((one for one in strong if one in {"L", "R", "AL"}), "L")
    return "ltr" if first == "L" else "rtl"


def escape_markdown(text: object) -> str:
    r"""Return a text that Markdown shows as it is, on one line.

    What would be read as HTML, a link, an image or emphasis gets a backslash, and so does what
    would begin a list at the beginning.
    """
    line = " ".join(str(language.told(text)).split())
    return _LINE_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", line))
