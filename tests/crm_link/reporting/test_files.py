"""Files of reports: asked for once, kept for a day, no more than said."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import NotFoundError, TransientError
from crm_link.reporting import files
from crm_link.reporting.file_making import (
    make_files,
)
from crm_link.reporting.files import FRESH, KEPT_FOR, MOST_KEPT, MOST_WAITING, Wanted
from crm_link.reporting.models import FileKind, FileState, ReportFile
from tests.crm_link.reporting.asking import Present, ask, clock, give, read, wanted
from tests.make import NOW

__all__ = ["clock", "wanted"]


def test_who_asks_for_the_same_gets_the_same_while_it_is_fresh(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    first = ask(sessions, wanted, clock)
    assert ask(sessions, wanted, clock, anew=True).id == first.id
    assert make_files(sessions, give, clock=clock) == 1
    clock.now += FRESH - timedelta(seconds=1)
    assert ask(sessions, wanted, clock).id == first.id
    again = ask(sessions, wanted, clock, anew=True)
    assert again.id != first.id
    assert make_files(sessions, give, clock=clock) == 1
    clock.now += FRESH

    assert ask(sessions, wanted, clock).id not in {first.id, again.id}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": FileKind.RESPONSES},
        {"language": "es"},
        {"zone": "Europe/Madrid"},
        {"until_at": NOW - timedelta(weeks=1)},
        {"until_at": None},
        {"with_people": True},
        {"seen_brands": "1"},
        {"seen_brands": ""},
    ],
)
def test_what_differs_is_another_file(
    sessions: sessionmaker[Session],
    wanted: Wanted,
    clock: Present,
    changes: dict[str, object],
) -> None:
    other = replace(wanted, **changes)  # type: ignore[arg-type]

    found = {ask(sessions, one, clock).id for one in (wanted, other, wanted, other)}

    assert len(found) == 2
    assert Wanted.of(read(sessions, max(found))) == other


def test_two_who_ask_at_once_get_one_file(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    start = threading.Barrier(4)
    found: list[int] = []

    def work() -> None:
        start.wait()
        found.append(ask(sessions, wanted, clock).id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1


def test_brands_are_kept_as_they_are_seen() -> None:
    for brands in (None, frozenset[int](), frozenset({12, 3})):
        assert files.from_words(files.as_words(brands)) == brands
    assert files.as_words({12, 3}) == "3,12"


def test_a_file_is_read_until_its_time_is_over(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    file_id = ask(sessions, wanted, clock).id
    make_files(sessions, give, clock=clock)
    with sessions() as session:
        file = files.get_file(session, file_id, now=clock.now)
        assert (file.state, file.file_name) == (FileState.READY, "weekly.pdf")
        assert files.read_content(session, file) == b"%PDF-" + str(file_id).encode()
    clock.now += KEPT_FOR
    with sessions() as session, pytest.raises(NotFoundError, match="kept for a day"):
        files.get_file(session, file_id, now=clock.now)

    assert make_files(sessions, give, clock=clock) == 0
    with sessions() as session:
        assert session.get(ReportFile, file_id) is None


def test_no_more_are_kept_and_wait_than_said(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    def ask_for(number: int) -> ReportFile:
        return ask(sessions, replace(wanted, until_at=NOW - timedelta(hours=number)), clock)

    with pytest.raises(TransientError, match="many files wait") as refused:
        [ask_for(number) for number in range(MOST_WAITING + 1)]
    assert refused.value.retry_after_s == 60
    for begin in range(0, MOST_KEPT + MOST_WAITING, MOST_WAITING):
        for number in range(begin, begin + MOST_WAITING):
            ask_for(number)
        assert make_files(sessions, give, clock=clock) == MOST_WAITING
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ReportFile)) == MOST_KEPT
        newest = session.scalar(select(func.max(ReportFile.id)))
        assert newest is not None
        assert set(session.scalars(select(ReportFile.id))) == {
            *range(newest - MOST_KEPT + 1, newest + 1)
        }
