"""HTML to PDF by WeasyPrint, which is an extra: nothing is fetched, no script runs.

As a program of its own it prints what it reads: see `printing`.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, NoReturn

from config.errors import InputError
from config.phrases import phrase

#: How this ends as a program where WeasyPrint is missing, and where it broke; it says with what.
MISSING, BROKE = 3, 4

#: How much the program gives way to others, see nice(1): it gets two thirds of another one's time.
#: With 5 it gets a third, and on a busy machine takes minutes while somebody waits for it.
NICENESS = 2

#: What to do where it is missing.
HOW = phrase(
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


def _main() -> int:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        content = to_pdf(sys.stdin.buffer.read().decode())
    except InputError:
        return MISSING
    except Exception as error:  # noqa: BLE001 - whoever started us says what it was
        sys.stdout.write(type(error).__name__)
        return BROKE
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
