"""Views of the queue, and who is with which mention."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError, PermissionDeniedError
from crm_link.flags.queue_presence import BEAT_S, be_present, leave, who_is_there
from crm_link.flags.queue_views import default_view, list_views, remove_view, save_view
from tests.crm_link.making import MovableClock, make_brand, make_mentions

ANA, BEN = "ana@example.org", "ben@example.org"


def test_views_are_ones_own_or_shared_and_one_is_the_default(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    with sessions.begin() as session:
        save_view(session, ANA, "Mine first", {"assignee": "me", "lang": ""}, clock=clock)
        save_view(session, BEN, "Spanish", {"lang": "es"}, clock=clock, is_shared=True)
        save_view(session, BEN, "Own", {"lang": "de"}, clock=clock, is_default=True)
        save_view(session, ANA, " mine  risks", {"priority": "risk"}, clock=clock, is_default=True)
        save_view(session, ANA, "Mine first", {"assignee": "me"}, clock=clock, is_default=True)

        assert [view.name for view in list_views(session, ANA)] == [
            "Mine first",
            "mine risks",
            "Spanish",
        ]
        begins = default_view(session, ANA)
        assert begins is not None
        assert (begins.name, begins.filters) == ("Mine first", {"assignee": "me"})
        shared = list_views(session, ANA)[-1]
        with pytest.raises(PermissionDeniedError, match="shared by ben"):
            remove_view(session, ANA, shared.id)
        remove_view(session, BEN, shared.id)
        assert len(list_views(session, ANA)) == 2
        with pytest.raises(InputError, match="needs a name"):
            save_view(session, ANA, "  ", {}, clock=clock)


def test_who_is_with_a_mention_is_seen_until_they_leave_or_are_gone(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    first, second = make_mentions(sessions, make_brand(sessions), "one", "two")
    with sessions.begin() as session:
        assert be_present(session, first, who=ANA, name="Ana", is_working=True, clock=clock) == []
        others = be_present(session, first, who=BEN, name="Ben", is_working=False, clock=clock)
        assert [(one.name, one.is_working) for one in others] == [("Ana", True)]
        # Ana goes on to the second: she is with one at a time.
        be_present(session, second, who=ANA, name="Ana", is_working=False, clock=clock)
        found = who_is_there(session, [first, second], clock=clock)
        assert {one: [who.name for who in each] for one, each in found.items()} == {
            first: ["Ben"],
            second: ["Ana"],
        }
        leave(session, BEN, clock=clock)
        clock.forward(seconds=3 * BEAT_S)
        assert who_is_there(session, [first, second], clock=clock) == {}
