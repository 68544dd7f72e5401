"""A crowd of people who say many things: more than figures are counted of while somebody waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.figures.audience import write_persona
from crm_link.figures.counts import count_figures
from crm_link.figures.reading import Figures, find_figures
from crm_link.figures.windows import AT_ONCE, Window, last_days
from listener.models import Author, Brand, Mention
from sentiment.signals.models import MentionSignal
from tests.crm_link.test_figures import link, say
from tests.make import NOW, make_author, make_brand

#: Authors and mentions of the crowd: more than are counted at once.
PEOPLE, MENTIONS = 300, AT_ONCE + 200

_INTENTS = (" complaint ", " purchase  question ", "", " complaint  cancel ", " praise ")


def add_crowd(session: Session, brand: Brand) -> None:
    """Let many people say many things, the same ones on every database."""
    session.execute(
        insert(Author),
        [
            {
                "platform": "x" if one % 3 else "reddit",
                "external_id": f"crowd-{one}",
                "handle": f"crowd{one}",
                "bio": ("Barista, cyclist", "coffee and chess", "", None)[one % 4],
                "location": ("Leeds, UK", " Madrid ", None)[one % 3],
                "links": [],
                "verified_links": [],
                "followers": one * 37 % 4000 if one % 5 else None,
                "first_seen_at": NOW,
                "updated_at": NOW,
                "profile_hash": "",
            }
            for one in range(PEOPLE)
        ],
    )
    ids = session.scalars(
        select(Author.id).where(Author.external_id.startswith("crowd-")).order_by(Author.id)
    ).all()
    for author_id in ids[::20]:
        link(session, session.get_one(Author, author_id), float(author_id % 7) * 100)
    session.execute(insert(Mention), [_mention(brand, ids, one) for one in range(MENTIONS)])
    rows = session.execute(
        select(Mention.id, Mention.published_at).where(Mention.external_id.startswith("crowd-"))
    )
    session.execute(
        insert(MentionSignal),
        [
            {
                "mention_id": row.id,
                "brand_id": brand.id,
                "published_at": row.published_at,
                "p_emotion": {},
                "intents": _INTENTS[row.id % 5],
                "complaint_reason": "delivery" if row.id % 10 == 0 else None,
                "bot": 0.9 if row.id % 97 == 0 else 0.1,
                "spam_reasons": [],
                "bot_reasons": [],
            }
            for row in rows
        ],
    )


def _mention(brand: Brand, authors: Sequence[int], number: int) -> dict[str, Any]:
    who = number * 7919 % 601 % PEOPLE
    # Some people are always pleased, others never, and of every third the mood fell lately.
    score = (who % 11 - 5) / 5 + (number % 5 - 2) / 10 - (0.4 if who % 3 and number < 900 else 0)
    return {
        "brand_id": brand.id,
        "author_id": authors[who],
        "platform": "x",
        "external_id": f"crowd-{number}",
        "kind": "post",
        "text": "Acme",
        "links": [],
        "likes": number % 13,
        "reposts": None,
        "replies": number % 3,
        "published_at": NOW - timedelta(minutes=1 + 12 * number),
        "fetched_at": NOW,
        "versions": 1,
        "label": "unknown" if number % 17 == 0 else "negative" if score < 0 else "positive",
        "score": None if number % 17 == 0 else score,
        "lang": ("en", "ES", "fi")[number % 3],
        "fold_count": 0,
    }


def make_acme(sessions: sessionmaker[Session]) -> int:
    """Make a brand with a crowd, an answer of its own and a persona; return its id."""
    with sessions.begin() as session:
        brand = make_brand(session, names=["Acme", "@acme"])
        add_crowd(session, brand)
        asked = say(session, brand, make_author(session), 0.0, "question", days=2)
        say(
            session,
            brand,
            make_author(session, handle="Acme"),
            0.0,
            reply_to_id=asked.external_id,
            published_at=asked.published_at + timedelta(hours=3),
        )
        write_persona(
            session,
            brand.id,
            languages=["en", "fi", "xx"],
            places=["leeds", "nowhere"],
            interests=["coffee", "chess"],
            by="jo@example.org",
            now=NOW,
        )
        return brand.id


def count_at(sessions: sessionmaker[Session], now: datetime) -> int:
    """Count once what is due at a time; return how many windows were."""
    return count_figures(sessions, clock=lambda: now)


def count_all(sessions: sessionmaker[Session]) -> int:
    """Count what was never counted, in as many calls as it takes; return how many."""
    total = 0
    while done := count_at(sessions, NOW):
        total += done
    return total


def found(
    session: Session, brand_id: int, window: Window | None = None, *, now: datetime = NOW
) -> Figures:
    """Return the figures of a window that was counted, by default of the last 30 days."""
    figures = find_figures(session, brand_id, window or last_days(30, now), now)
    assert figures is not None
    assert figures.stored is not None
    return figures
