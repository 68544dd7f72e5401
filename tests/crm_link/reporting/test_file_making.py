"""Files of reports: made by one at a time, given up, forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import AppError, InputError, NotFoundError, TransientError
from crm_link.reporting import files
from crm_link.reporting.file_making import (
    AGAIN_AFTER,
    LEASE,
    MOST_ATTEMPTS,
    RENEWED_EVERY,
    LeftOffError,
    Made,
    make_files,
)
from crm_link.reporting.files import Wanted
from crm_link.reporting.models import FileState, ReportFile
from tests.crm_link.reporting.asking import Present, ask, clock, give, read, wanted
from tests.make import NOW

__all__ = ["clock", "wanted"]


def test_who_dies_loses_the_file_to_another_when_the_lease_is_over(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    file_id = ask(sessions, wanted, clock).id

    def die(_file: ReportFile, _is_ours: Callable[[], bool]) -> Made:
        raise KeyboardInterrupt

    for attempt in range(1, MOST_ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            make_files(sessions, die, clock=clock)
        file = read(sessions, file_id)
        assert (file.state, file.attempts) == (FileState.MAKING, attempt)
        clock.now += LEASE - timedelta(seconds=1)
        assert make_files(sessions, give, clock=clock) == 0
        clock.now += timedelta(seconds=1)

    assert make_files(sessions, give, clock=clock) == 0
    file = read(sessions, file_id)
    assert file.state is FileState.FAILED
    assert file.last_error == "it was begun several times, and broken off each time"


def test_a_claim_is_renewed_and_whoever_lost_it_stores_nothing(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    file_id = ask(sessions, wanted, clock).id
    said: list[bool] = []

    def slow(file: ReportFile, is_ours: Callable[[], bool]) -> Made:
        for _ in range(4):
            clock.now += LEASE - timedelta(seconds=1)
            said.append(is_ours())
            # Nobody else takes what is renewed in time.
            assert make_files(sessions, give, clock=clock) == 0
        clock.now += LEASE
        assert make_files(sessions, give, clock=clock) == 1
        clock.now += RENEWED_EVERY
        said.append(is_ours())
        return Made("late.pdf", b"late")

    assert make_files(sessions, slow, clock=clock) == 0
    assert said == [True] * 4 + [False]
    with sessions() as session:
        file = session.get_one(ReportFile, file_id)
        assert (file.file_name, file.attempts) == ("weekly.pdf", 2)
        assert files.read_content(session, file).startswith(b"%PDF-")


def test_two_at_once_make_each_file_once(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    for number in range(6):
        ask(sessions, replace(wanted, until_at=NOW - timedelta(hours=number)), clock)
    start = threading.Barrier(3)
    begun: list[int] = []
    made: list[int] = []

    def make(file: ReportFile, is_ours: Callable[[], bool]) -> Made:
        begun.append(file.id)
        return give(file, is_ours)

    def work() -> None:
        start.wait()
        made.append(make_files(sessions, make, clock=clock))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(made) == 6
    assert sorted(begun) == sorted(set(begun))


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (InputError("PDF needs WeasyPrint"), 1),
        (NotFoundError("there is no incident 7"), 1),
        (TransientError("it was ended"), MOST_ATTEMPTS),
        (KeyError("@jane"), MOST_ATTEMPTS),
    ],
)
def test_what_may_work_later_is_tried_again_and_given_up(
    sessions: sessionmaker[Session],
    wanted: Wanted,
    clock: Present,
    error: Exception,
    attempts: int,
) -> None:
    file_id = ask(sessions, wanted, clock).id
    says = str(error) if isinstance(error, AppError) else "making it broke with KeyError"

    def fail(_file: ReportFile, _is_ours: Callable[[], bool]) -> Made:
        raise error

    for attempt in range(1, attempts + 1):
        assert make_files(sessions, fail, clock=clock) == 0
        file = read(sessions, file_id)
        assert (file.attempts, file.last_error) == (attempt, says)
        clock.now += AGAIN_AFTER
    assert file.state is FileState.FAILED
    # It is not tried by itself any more, but when somebody says so.
    assert make_files(sessions, give, clock=clock) == 0
    assert ask(sessions, wanted, clock).id == file_id
    ask(sessions, wanted, clock, anew=True)
    assert make_files(sessions, give, clock=clock) == 1


def test_a_process_that_stops_gives_the_file_back(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    file_id = ask(sessions, wanted, clock).id

    def stop(_file: ReportFile, _is_ours: Callable[[], bool]) -> Made:
        raise LeftOffError("not wanted any more")

    for _ in range(MOST_ATTEMPTS + 1):
        assert make_files(sessions, stop, clock=clock) == 0
    file = read(sessions, file_id)
    assert (file.state, file.attempts, file.owner) == (FileState.QUEUED, 0, None)
    assert make_files(sessions, give, clock=clock, is_stopping=lambda: True) == 0

    assert make_files(sessions, give, clock=clock) == 1


def test_others_go_first_where_a_file_must_have_waited(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    ask(sessions, wanted, clock)
    waited = timedelta(seconds=3)
    assert make_files(sessions, give, clock=clock, waited=waited) == 0
    clock.now += waited

    assert make_files(sessions, give, clock=clock, waited=waited) == 1


def test_what_is_forgotten_while_it_is_made_is_made_anew(
    sessions: sessionmaker[Session], wanted: Wanted, clock: Present
) -> None:
    done = ask(sessions, replace(wanted, language="es"), clock).id
    make_files(sessions, give, clock=clock)
    file_id = ask(sessions, wanted, clock).id

    def forget(file: ReportFile, is_ours: Callable[[], bool]) -> Made:
        with sessions.begin() as session:
            assert files.forget_files(session) == 2
        clock.now += RENEWED_EVERY
        assert not is_ours()
        return Made("old.pdf", b"what nobody may read any more")

    assert make_files(sessions, forget, clock=clock) == 0
    with sessions() as session:
        assert session.get(ReportFile, done) is None
    assert read(sessions, file_id).state is FileState.QUEUED
    assert make_files(sessions, give, clock=clock) == 1
    with sessions() as session:
        content = files.read_content(session, session.get_one(ReportFile, file_id))
        assert content.startswith(b"%PDF-")
