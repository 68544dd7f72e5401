"""Figures of large windows are counted in advance, and are what counting now would give."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.figures.audience import read_audience, write_persona
from crm_link.figures.counts import KEPT
from crm_link.figures.models import FigureWindow
from crm_link.figures.overview import social_figures
from crm_link.figures.reading import find_figures, waits_since
from crm_link.figures.segment_people import GROUPS, list_speakers
from crm_link.figures.windows import (
    KEEP_ASKED,
    MOST_ASKED,
    ask_window,
    between,
    last_days,
    mark_windows,
)
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from tests.crm_link.crowd import count_all, count_at, found, make_acme
from tests.make import NOW


@pytest.fixture
def acme(sessions: sessionmaker[Session]) -> int:
    return make_acme(sessions)


def test_what_is_counted_in_advance_is_what_counting_now_gives(
    sessions: sessionmaker[Session], acme: int
) -> None:
    with sessions() as session:
        assert find_figures(session, acme, last_days(30, NOW), NOW) is None

    assert count_all(sessions) == 2  # a week has few enough

    with sessions() as session:
        figures = found(session, acme)
        ends = (figures.since, figures.until)
        assert ends == (NOW - timedelta(days=30), NOW)
        assert figures.social(most=KEPT) == social_figures(session, acme, *ends, most=KEPT)
        assert figures.social() == social_figures(session, acme, *ends)
        assert figures.audience() == read_audience(session, acme, *ends)
        for group in GROUPS:
            people = figures.speakers(group, limit=KEPT)
            assert people == list_speakers(session, acme, *ends, group, limit=KEPT)
            assert figures.speakers(group, limit=3) == people[:3]
            assert len(people) > 30
        social = figures.social()
        assert (len(social.leads), len(social.churn)) == (20, 14)
        assert any("falling sentiment" in one.parts for one in social.churn)
        assert social.first_answers == 1
        assert list(social.leads[0].parts)[:2] == ["wants to buy", "asks"]
        fits = figures.audience().fits
        assert [fit.wanted for fit in fits if fit.people is None] == ["xx", "nowhere"]
        assert all(fit.is_counted for fit in fits)


def test_a_window_is_counted_again_when_it_is_old(
    sessions: sessionmaker[Session], acme: int
) -> None:
    assert count_all(sessions) == 2
    assert count_at(sessions, NOW + timedelta(minutes=50)) == 0
    later = NOW + timedelta(minutes=61)

    assert count_at(sessions, later) == 1  # 30 days, not yet 90

    with sessions() as session:
        assert found(session, acme, now=later).until == later
        late = found(session, acme, last_days(90, later), now=later + timedelta(hours=5))
        assert (late.counted_at, late.is_late) == (NOW, True)


def test_after_a_count_the_database_is_left_alone_for_a_while(
    sessions: sessionmaker[Session], acme: int
) -> None:
    count_all(sessions)
    with sessions.begin() as session:
        last = session.scalars(select(FigureWindow)).all()
        for row in last:
            row.took_s = 30.0
        mark_windows(session, NOW, brand_id=acme)

    assert count_at(sessions, NOW + timedelta(seconds=290)) == 0
    assert count_at(sessions, NOW + timedelta(seconds=310)) == 1


def test_other_windows_are_counted_when_somebody_asks(
    sessions: sessionmaker[Session], acme: int
) -> None:
    fixed = between(NOW - timedelta(days=20), NOW - timedelta(hours=1), NOW)
    open_end = between(NOW - timedelta(days=24, minutes=7), None, NOW)
    assert between(open_end.since + timedelta(minutes=20), None, NOW).name == open_end.name
    with sessions() as session:
        assert find_figures(session, acme, fixed, NOW) is None
    with sessions.begin() as session:
        for window in (fixed, open_end):
            ask_window(session, acme, window, NOW)
            ask_window(session, acme, window, NOW + timedelta(minutes=3))
    with sessions() as session:
        assert waits_since(session, acme, fixed) == NOW

    assert count_all(sessions) == 4

    with sessions() as session:
        for window in (fixed, open_end):
            ends = (window.since, window.until)
            figures = found(session, acme, window)
            assert (figures.since, figures.until) == ends
            assert figures.social() == social_figures(session, acme, *ends)
            assert not figures.is_to_ask
            late = found(session, acme, window, now=NOW + timedelta(days=2))
            assert late.is_to_ask
    count_at(sessions, NOW + KEEP_ASKED + timedelta(minutes=1))
    with sessions() as session:
        assert set(session.scalars(select(FigureWindow.name))) == {"30d", "90d"}


def test_so_many_windows_are_kept_as_asked_for(sessions: sessionmaker[Session], acme: int) -> None:
    with sessions.begin() as session:
        for days in range(100, 100 + MOST_ASKED + 3):
            ask_window(session, acme, last_days(days, NOW), NOW + timedelta(seconds=days))
        kept = set(session.scalars(select(FigureWindow.name)))

    assert len(kept) == MOST_ASKED
    assert "102d" not in kept


def test_what_stands_in_a_list_is_read_when_it_is_shown(
    sessions: sessionmaker[Session], acme: int
) -> None:
    count_all(sessions)
    with sessions.begin() as session:
        social = found(session, acme).social(most=KEPT)
        lead = next(one for one in social.leads if one.contact_id is not None)
        leaving = [one for one in social.churn if one.contact_id != lead.contact_id]
        session.get_one(Contact, lead.contact_id).do_not_contact = True
        taken_back = session.scalars(
            select(IdentityLink).where(IdentityLink.author_id == leaving[0].author_id)
        ).one()
        taken_back.state = LinkState.REJECTED
        session.get_one(Contact, leaving[1].contact_id).value = 12_345.0

    with sessions() as session:
        now = found(session, acme).social(most=KEPT)
        assert lead.author_id not in {one.author_id for one in now.leads}
        churn = {one.author_id: one.value for one in now.churn}
        assert leaving[0].author_id not in churn
        assert churn[leaving[1].author_id] == 12_345.0


def test_a_new_wish_of_the_persona_is_counted_soon(
    sessions: sessionmaker[Session], acme: int
) -> None:
    count_all(sessions)
    with sessions.begin() as session:
        write_persona(
            session, acme, languages=[], places=["leeds", "madrid"], interests=[], by="jo", now=NOW
        )
        fits = found(session, acme).audience().fits
        assert [(fit.wanted, fit.is_counted) for fit in fits] == [
            ("leeds", True),
            ("madrid", False),
        ]

    for minutes in (4, 8):  # one after the other: the database rests between
        assert count_at(sessions, NOW + timedelta(minutes=minutes)) == 1

    with sessions() as session:
        assert all(fit.is_counted for fit in found(session, acme).audience().fits)
