"""Whatever happens while figures are counted, what is stored is right: late at the worst."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.drills.brands import close_copy, open_copy
from crm_link.figures.counts import KEPT
from crm_link.figures.models import FigurePerson, FigureWindow
from crm_link.figures.overview import social_figures
from crm_link.figures.windows import ask_window, last_days
from crm_link.privacy.rows import erase_authors, erase_posts
from listener.models import Brand, Mention
from tests.crm_link.crowd import count_all, count_at, found, make_acme
from tests.crm_link.make_linking import CONTEXT
from tests.make import NOW


@pytest.fixture
def acme(sessions: sessionmaker[Session]) -> int:
    return make_acme(sessions)


def while_it_counts(engine: Engine, do: Callable[[], None]) -> None:
    """Do something in the middle of the next count: when the people are grouped."""

    waiting = [do]

    @event.listens_for(engine, "after_cursor_execute")
    def _after(*given: Any) -> None:
        if waiting and given[2].startswith("INSERT INTO kept_people"):
            waiting.pop()()


def test_what_was_counted_while_somebody_was_erased_is_thrown_away(
    engine: Engine, sessions: sessionmaker[Session], acme: int
) -> None:
    count_all(sessions)
    with sessions() as session:
        gone = found(session, acme).speakers("detractor")[0].author_id

    def erase() -> None:
        erase_posts(sessions, [gone], NOW)
        erase_authors(sessions, [gone], NOW, CONTEXT)

    later = NOW + timedelta(hours=2)
    while_it_counts(engine, erase)
    count_at(sessions, later)

    with sessions() as session:
        rows = select(func.count()).where(FigurePerson.author_id == gone)
        assert session.scalar(rows) == 0
        figures = found(session, acme)
        assert figures.counted_at == NOW
        assert len(figures.speakers("detractor", limit=KEPT)) > 30
    for minutes in (20, 40):  # both windows, one after the other
        assert count_at(sessions, later + timedelta(minutes=minutes)) <= 1
    with sessions() as session:
        assert found(session, acme).counted_at > NOW
        assert session.scalar(rows) == 0


def test_a_count_that_breaks_off_leaves_what_was_there(
    engine: Engine, sessions: sessionmaker[Session], acme: int
) -> None:
    count_all(sessions)

    def die() -> None:
        raise KeyboardInterrupt

    later = NOW + timedelta(hours=2)
    while_it_counts(engine, die)
    with pytest.raises(KeyboardInterrupt):
        count_at(sessions, later)

    with sessions() as session:
        figures = found(session, acme)
        assert figures.counted_at == NOW
        assert figures.social() == social_figures(session, acme, figures.since, figures.until)
    assert count_at(sessions, later) == 1


def test_a_window_whose_count_fails_holds_up_no_other(
    engine: Engine, sessions: sessionmaker[Session], acme: int
) -> None:
    def fail() -> None:
        raise ArithmeticError

    while_it_counts(engine, fail)

    assert count_at(sessions, NOW) >= 1

    with sessions() as session:
        found_at = list(session.scalars(select(FigureWindow.counted_at)))
    assert found_at.count(None) == 1
    assert count_at(sessions, NOW) == 1


def test_two_workers_do_not_count_the_same(
    engine: Engine, sessions: sessionmaker[Session], acme: int
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("an embedded database has one worker")
    counted = []
    while_it_counts(engine, lambda: counted.append(count_at(sessions, NOW)))

    assert count_at(sessions, NOW) >= 1

    with sessions() as session:
        assert counted == [1]  # the other window
        assert {row.counted_at for row in session.scalars(select(FigureWindow))} == {NOW}
        assert found(session, acme)


def test_a_drills_windows_go_with_the_drill(sessions: sessionmaker[Session], acme: int) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, acme)
        copy = open_copy(session, brand, now=NOW, length=timedelta(hours=1))
        session.execute(update(Mention).values(brand_id=copy.id))
    assert count_all(sessions) == 0  # none by itself

    with sessions.begin() as session:
        ask_window(session, copy.id, last_days(30, NOW), NOW)
    assert count_all(sessions) == 1
    with sessions.begin() as session:
        close_copy(session, session.get_one(Brand, copy.id))

        assert session.scalars(select(FigureWindow)).all() == []
        assert session.scalars(select(FigurePerson)).all() == []


def test_a_brand_at_rest_has_no_windows(sessions: sessionmaker[Session], acme: int) -> None:
    assert count_all(sessions) == 2
    with sessions.begin() as session:
        session.get_one(Brand, acme).is_active = False

    assert count_all(sessions) == 0

    with sessions() as session:
        assert session.scalars(select(FigureWindow)).all() == []
        assert session.scalars(select(FigurePerson)).all() == []
