"""The topics of a brand's window, with ids that stay because what was found is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.clock import Clock, utc_now
from config.db import read_session
from listener.models import Brand, Mention
from sentiment.rollups import bucket_of
from sentiment.signals.models import StoredTopic
from sentiment.topic_words import MAX_CHARS
from sentiment.topics import MOST_TOPICS, KnownTopic, Topic, TopicText, find_topics
from sentiment.types import Label
from sentiment.windows import Window, every_nth, sampled, window_of

#: Posts of a window that are read; of more, every n-th.
MOST_TEXTS = 5_000

#: Topics by which a window's are known again: the ones seen last.
MOST_KNOWN = 200

#: The window whose topics are remembered, and how often.
REMEMBERED = timedelta(days=1)
REMEMBER_EVERY_S = 3_600


@dataclass(frozen=True, slots=True)
class TopicWindow:
    """What a window was about.

    Args:
        topics: The biggest first; their counts are of the posts that were read.
        read: Posts that were read.
        every: One of so many was read; counts of all posts are that many times as large.

    """

    topics: tuple[Topic, ...]
    read: int
    every: int

    @property
    def with_topic(self) -> int:
        """Posts that were read and have a topic."""
        return sum(topic.posts for topic in self.topics)


def topics_of(
    session: Session,
    brand_id: int | None,
    since: datetime,
    until: datetime,
    *,
    most: int = MOST_TOPICS,
    texts: int | None = None,
) -> TopicWindow:
    """Return what was said in a window, compared with the window of the same length before.

    Args:
        session: The transaction; it is only read.
        brand_id: The brand; None for all together, whose topics are known by their words only.
        since: Beginning, by publication time.
        until: End, not included.
        most: Most topics that are returned.
        texts: Most posts that are read; None for `MOST_TEXTS`.

    """
    window, brands = window_of(session, brand_id, since, until)
    every = every_nth(session, window, texts or MOST_TEXTS)
    read = _texts(session, window, every)
    if not read:
        return TopicWindow((), 0, every)
    names = [name for brand in brands for name in (brand.name, *brand.names)]
    found = find_topics(
        read,
        [] if brand_id is None else _known(session, brand_id),
        before=_texts(session, window.before, every),
        names=names,
        most=most,
    )
    return TopicWindow(tuple(found), len(read), every)


def remember_topics(sessions: sessionmaker[Session], *, clock: Clock = utc_now) -> int:
    """Keep the words of every brand's topics of the last day; return how many topics.

    A brand whose topics were remembered within the hour is left alone, so that this may be
    called as often as one likes.
    """
    now = clock()
    until = bucket_of(now, REMEMBER_EVERY_S) + timedelta(seconds=REMEMBER_EVERY_S)
    with read_session(sessions) as session:
        fresh = session.scalars(
            select(StoredTopic.brand_id)
            .group_by(StoredTopic.brand_id)
            .having(func.max(StoredTopic.last_seen_at) > now - timedelta(seconds=REMEMBER_EVERY_S))
        ).all()
        brand_ids = session.scalars(
            select(Brand.id).where(Brand.is_own(), Brand.id.not_in(fresh))
        ).all()
    remembered = 0
    for brand_id in brand_ids:
        with read_session(sessions) as session:
            found = topics_of(session, brand_id, until - REMEMBERED, until).topics
        with sessions.begin() as session:
            upsert(
                session,
                StoredTopic,
                [
                    {
                        "brand_id": brand_id,
                        "id": topic.id,
                        "words": dict(topic.weights),
                        "first_seen_at": now,
                        "last_seen_at": now,
                    }
                    for topic in found
                ],
                key=("brand_id", "id"),
                update_columns=("words", "last_seen_at"),
            )
        remembered += len(found)
    return remembered


def _known(session: Session, brand_id: int) -> list[KnownTopic]:
    rows = session.scalars(
        select(StoredTopic)
        .where(StoredTopic.brand_id == brand_id)
        .order_by(StoredTopic.last_seen_at.desc(), StoredTopic.id)
        .limit(MOST_KNOWN)
    )
    return [
        KnownTopic(row.id, tuple(sorted(row.words.items(), key=lambda one: (-one[1], one[0]))))
        for row in rows
    ]


def _texts(session: Session, window: Window, every: int) -> list[TopicText]:
    rows = session.execute(
        select(
            Mention.id,
            func.substr(Mention.text, 1, MAX_CHARS).label("text"),
            Mention.label,
            Mention.lang,
            Mention.folded_into_id,
        ).where(*sampled(window, every), Mention.deleted_at.is_(None))
    )
    return [
        TopicText(
            id=row.id,
            text=row.text,
            is_negative=row.label == Label.NEGATIVE,
            lang=row.lang,
            story=row.folded_into_id,
        )
        for row in rows
    ]
