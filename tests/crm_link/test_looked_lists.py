"""Lists that look each mention up: the same is found however far one look goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_link import mention_walk, mentions
from crm_link.flags import queue
from crm_link.flags.queue import QueueFilter, QueueKey, open_flags
from crm_link.mention_walk import MentionKey
from crm_link.mentions import MentionFilter, list_mentions
from crm_link.types import LinkState, Priority
from listener import search
from listener.models import Mention
from sentiment.signals import filter as signal_filter
from sentiment.signals.models import MentionSignal
from tests.api.build import make_contact, make_flag, make_link
from tests.make import NOW, make_author, make_brand, make_mention

EACH_WAY = pytest.mark.parametrize(("few", "looked"), [(2_000, 1_000), (-1, 1_000), (-1, 1)])


@pytest.fixture
def made(session: Session) -> list[int]:
    """Store 12 mentions of two brands, the newest first; every fourth complains, one is spam."""
    brands = [make_brand(session, key=key, name=key) for key in ("acme", "birch")]
    ids = []
    for number in range(12):
        at = NOW - timedelta(minutes=number)
        mention = make_mention(
            session, brands[number % 2], published_at=at, text=f"word number{number % 3}"
        )
        ids.append(mention.id)
        session.add(
            MentionSignal(
                mention_id=mention.id,
                brand_id=mention.brand_id,
                published_at=at,
                p_emotion={},
                emotion="anger" if number % 3 == 0 else None,
                rules="1",
                intents=" complaint " if number % 4 == 3 else "",
                spam=0.9 if number == 8 else 0.1,
                bot=0.1,
                spam_reasons=[],
                bot_reasons=[],
            )
        )
    session.flush()
    return ids


def _pages(session: Session, **wanted: Any) -> tuple[list[int], int]:
    """Return the mentions of all pages of one, and how many pages ended early."""
    found: list[int] = []
    after: MentionKey | None = None
    cut = 0
    for _ in range(40):
        page = list_mentions(session, MentionFilter(**wanted), after=after, limit=2)
        found += [one.id for one in page.mentions]
        cut += page.is_cut
        after = page.after
        if after is None:
            return found, cut
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("most", [15_000, 2])
@pytest.mark.parametrize("few", [4_000, -1])
@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({"intent": "complaint"}, {3, 7, 11}),
        ({"emotion": "anger"}, {0, 3, 6, 9}),
        ({"spam": "likely"}, {8}),
        ({"spam": "unlikely"}, set(range(12)) - {8}),
        ({"text": "number2", "intent": "complaint"}, {11}),
        ({"text": "word", "spam": "likely"}, {8}),
        ({"emotion": "sadness"}, set()),
    ],
)
def test_every_mention_is_found_once_however_far_one_page_looks(
    session: Session,
    made: list[int],
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, str],
    places: set[int],
    few: int,
    most: int,
) -> None:
    monkeypatch.setattr(mentions, "MOST_LOOKED", most)
    monkeypatch.setattr(mentions, "MOST_LOOKED_WORDS", most)
    monkeypatch.setattr(mention_walk, "FIRST_LOOKED", 1)
    for module, name in ((signal_filter, "FEW"), (search, "FEW"), (search, "FEW_OF_HEAP")):
        monkeypatch.setattr(module, name, few)

    found, cut = _pages(session, **wanted)

    assert found == [made[place] for place in sorted(places)]
    if most > len(made):
        assert cut == 0


def test_a_page_that_looked_long_enough_says_from_where_it_goes_on(
    session: Session, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "MOST_LOOKED", 4)
    monkeypatch.setattr(mention_walk, "FIRST_LOOKED", 1)

    page = list_mentions(session, MentionFilter(intent="complaint", brand="birch"), limit=2)

    assert [one.id for one in page.mentions] == [made[3], made[7]]
    assert page.is_cut
    assert page.after == MentionKey(NOW - timedelta(minutes=7), made[7])


@EACH_WAY
@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({"tier": "gold"}, [1, 4, 7, 10]),
        ({"tier": "gold", "platform": "reddit"}, []),
        ({"tier": "silver", "text": "number2"}, [2, 5, 8, 11]),
        ({"tier": "silver", "text": "number0"}, []),
        ({"tier": "nobody", "text": "word"}, [0, 3, 6, 9]),
        ({"tier": "bronze"}, []),
    ],
)
def test_the_queue_of_a_tier_is_the_same_whichever_way_it_is_looked_up(
    session: Session,
    made: list[int],
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, str],
    places: list[int],
    few: int,
    looked: int,
) -> None:
    _flag_all(session, made)
    monkeypatch.setattr(queue, "FEW_AUTHORS", few)
    monkeypatch.setattr(queue, "LOOKED", looked)
    monkeypatch.setattr(queue, "TURNS", 2)
    for name in ("FEW", "FEW_OF_HEAP"):
        monkeypatch.setattr(search, name, few)

    found: list[int] = []
    after: QueueKey | None = None
    while True:
        page = open_flags(session, QueueFilter(**wanted), now=NOW, after=after, limit=3)
        found += [flag.mention_id for flag in page.flags]
        after = page.after
        if after is None:
            break

    assert found == [made[place] for place in places]


def _flag_all(session: Session, made: list[int]) -> None:
    """Flag all, due in their order; a third's author is a gold contact, a third's a silver one."""
    authors = [make_author(session, platform="x").id for _ in range(3)]
    for number, tier in ((1, "gold"), (2, "silver")):
        contact = make_contact(session, NOW, external_id=tier, tier=tier)
        make_link(session, authors[number], contact, state=LinkState.CONFIRMED)
    for place, mention_id in enumerate(made):
        mention = session.get_one(Mention, mention_id)
        mention.author_id = authors[place % 3]
        make_flag(session, mention, Priority.RISK, due_at=NOW + timedelta(hours=1 + place))
    session.flush()
