"""A page printed to PDF in a process of its own.

WeasyPrint computes for up to half a minute on a slow machine and lets nothing else of its process
run meanwhile. So a child does it, which gives way to everything else on the machine; what it
takes of memory goes with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from api.reports import pdf
from config.errors import InputError, PermanentError, TransientError
from config.phrases import phrase
from crm_link.reporting.file_making import LeftOffError

#: Seconds after which a page is given up: the longest took half a minute of a machine for itself.
MOST_S = 900

#: Seconds between two looks at whether the file is still wanted.
LOOK_EVERY_S = 0.5


def print_apart(page: bytes, *, is_wanted: Callable[[], bool]) -> bytes:
    """Return a page as PDF, made by a child.

    Args:
        page: The HTML, in UTF-8.
        is_wanted: Asked twice a second; once it says no, the child is ended.

    Raises:
        InputError: WeasyPrint is not installed.
        LeftOffError: It is not wanted any more.
        PermanentError: It takes too long.
        TransientError: The child broke, or was ended by somebody.

    """
    # Where it finds our packages, it finds them as we did, wherever it was started.
    path = os.pathsep.join(one for one in sys.path if one)
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", pdf.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    ) as child:
        try:
            content = _wait_for(child, page, is_wanted)
        except BaseException:
            child.kill()
            raise
    if child.returncode == 0:
        return content
    if child.returncode == pdf.MISSING:
        raise InputError(pdf.HOW)
    if child.returncode == pdf.BROKE:
        raise TransientError("making it broke with %(kind)s", kind=content.decode())
    raise TransientError(
        "what makes PDF files was ended from outside (%(code)s)", code=child.returncode
    )


def _wait_for(child: subprocess.Popen[bytes], page: bytes, is_wanted: Callable[[], bool]) -> bytes:
    until = time.monotonic() + MOST_S
    unsent: bytes | None = page
    while True:
        try:
            # Asked again, it goes on where it was, and wants no input a second time.
            content, _ = child.communicate(unsent, timeout=LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            unsent = None
            if not is_wanted():
                raise LeftOffError("the file is not wanted any more") from None
            if time.monotonic() > until:
                raise PermanentError(
                    phrase("the report is too long for a PDF; take the HTML and print it")
                ) from None
        else:
            return content
