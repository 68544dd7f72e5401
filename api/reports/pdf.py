"""HTML to PDF by WeasyPrint, which is an extra: nothing is fetched, no script runs."""

from __future__ import annotations

import logging
from typing import Any, NoReturn

from config.errors import InputError

#: What to do where it is missing.
HOW = (
    "PDF needs WeasyPrint: pip install 'groundswell[pdf]', and on Debian also "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
    "HTML and Markdown need nothing, and a browser prints the HTML to PDF"
)


def to_pdf(html: str) -> bytes:
    """Return the page as PDF.

    Raises:
        InputError: WeasyPrint or the libraries that it stands on are not installed.

    """
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and slow to import
    except (ImportError, OSError) as error:
        raise InputError(HOW) from error
    # It warns of what only browsers understand of the style sheet.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    document: Any = weasyprint.HTML(string=html, url_fetcher=_refuse)
    content: bytes = document.write_pdf()
    return content


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    """Fetch nothing: a report holds everything that it needs."""
    raise ValueError(f"a report fetches nothing, and was asked for {url[:80]}")
