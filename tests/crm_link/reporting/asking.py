"""A brand whose week is asked for as a file, and a present that moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session, sessionmaker

from crm_link.reporting import files
from crm_link.reporting.file_making import (
    Made,
)
from crm_link.reporting.files import Wanted
from crm_link.reporting.models import FileKind, ReportFile
from tests.make import NOW, make_brand


class Present:
    """A present that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Present:
    return Present()


@pytest.fixture
def wanted(sessions: sessionmaker[Session]) -> Wanted:
    with sessions.begin() as session:
        brand = make_brand(session)
    return Wanted(FileKind.WEEKLY, brand.id, "en", "UTC", until_at=NOW)


def ask(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present, *, anew: bool = False
) -> ReportFile:
    with sessions.begin() as session:
        return files.ask_for_file(session, wanted, by_id=1, now=clock.now, anew=anew)


def read(sessions: sessionmaker[Session], file_id: int) -> ReportFile:
    with sessions() as session:
        return session.get_one(ReportFile, file_id)


def give(file: ReportFile, is_ours: Callable[[], bool]) -> Made:
    assert is_ours()
    return Made(f"{file.kind}.pdf", b"%PDF-" + str(file.id).encode())
