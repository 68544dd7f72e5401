"""Waiting for PDF files of reports, and looking into them."""

from __future__ import annotations

import os
import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.report_making import make_files
from crm_link.reporting.models import ReportFile
from tests.api.conftest import MovableClock

PAGE = b'<html lang="en"><title>T</title><h1>Acme</h1></html>'

#: A page that takes longer to print than a test to find what prints it.
LONG_PAGE = b"<html>" + b"<p>Acme was said to be late again.</p>" * 20_000 + b"</html>"

#: Seconds that a file may take where others use the machine.
PATIENCE_S = 90


def make(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    return make_files(sessions, clock=clock, public_url="https://pr.example.org")


def only_file(sessions: sessionmaker[Session]) -> ReportFile:
    with sessions() as session:
        return session.scalars(select(ReportFile)).one()


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, f"it took longer than {PATIENCE_S} s"
        time.sleep(0.05)


def unpacked(content: bytes) -> bytes:
    """Return what stands in a PDF's compressed parts."""
    found = b""
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found += zlib.decompress(part)
        except zlib.error:
            continue
    return found


def children() -> list[int]:
    """Return the processes that this one has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, state, parent = re.split(r" \(.*\) | ", status.read_text())[:3]
        except (OSError, ValueError):
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(pid))
    return found
