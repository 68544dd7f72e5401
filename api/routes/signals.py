"""What a window was about, what its mentions say besides polarity, and in which languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import SessionDep, StateDep, get_user
from api.schemas.signals import (
    EmotionPointOut,
    LanguageOut,
    LanguagesOut,
    SignalSumsOut,
    TopicOut,
    TopicsOut,
)
from config.clock import to_utc
from config.errors import InputError
from crm_link.mentions import get_brand
from sentiment.heads import EMOTIONS
from sentiment.signals.sums import languages_of, signal_sums
from sentiment.topic_windows import topics_of
from sentiment.topics import MOST_TOPICS

router = APIRouter(tags=["trends"], dependencies=[Depends(get_user)])

#: Longest window, and most points of one answer.
MAX_DAYS = 366
MAX_POINTS = 2000

#: Posts that are read for topics while somebody waits; of more, every n-th.
MOST_TEXTS = 1_500

#: Widths of a point are multiples of this, in seconds.
FINEST_S = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """The window that is asked for."""

    brand_id: int | None
    since: datetime
    until: datetime


def asked_window(
    session: SessionDep,
    state: StateDep,
    brand: Annotated[str, Query(max_length=100, description="Its key; empty: all.")] = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Asked:
    """Return the window that is asked for; without times, the last day."""
    end = to_utc(until) if until else state.clock()
    start = to_utc(since) if since else end - timedelta(days=1)
    if not timedelta(0) < end - start <= timedelta(days=MAX_DAYS):
        raise InputError(
            "since must lie before until, by at most %(max_days)s days", max_days=MAX_DAYS
        )
    return Asked(get_brand(session, brand).id if brand else None, start, end)


AskedDep = Annotated[Asked, Depends(asked_window)]


@router.get("/topics")
def read_topics(
    session: SessionDep,
    asked: AskedDep,
    limit: Annotated[int, Query(ge=1, le=30)] = MOST_TOPICS,
) -> TopicsOut:
    """Return what was talked about, and what of it grew; `about` lists a topic's mentions."""
    found = topics_of(
        session, asked.brand_id, asked.since, asked.until, most=limit, texts=MOST_TEXTS
    )
    return TopicsOut(
        since=asked.since,
        until=asked.until,
        read=found.read,
        every=found.every,
        topics=[TopicOut.model_validate(topic) for topic in found.topics],
    )


@router.get("/signals")
def read_signals(
    session: SessionDep,
    asked: AskedDep,
    grain_s: Annotated[int, Query(ge=FINEST_S, description="Width of a point.")] = 3600,
) -> SignalSumsOut:
    """Return emotions over time, intents, complaint reasons, irony, offence, spam and bots."""
    if grain_s % FINEST_S:
        raise InputError("grain_s must be a multiple of %(finest_s)s", finest_s=FINEST_S)
    if (asked.until - asked.since).total_seconds() / grain_s > MAX_POINTS:
        raise InputError(
            "these are more than %(max_points)s points; take a wider grain_s", max_points=MAX_POINTS
        )
    found = signal_sums(session, asked.brand_id, asked.since, asked.until, grain_s=grain_s)
    return SignalSumsOut(
        since=asked.since,
        until=asked.until,
        grain_s=grain_s,
        mentions=found.mentions,
        every=found.every,
        emotions=[
            EmotionPointOut(at=at, emotions=_all(counts)) for at, counts in found.emotions.items()
        ],
        emotions_before=_all(found.emotions_before),
        intents=dict(found.intents),
        reasons=dict(found.reasons),
        ironic=found.ironic,
        offensive=found.offensive,
        spam=found.spam,
        bots=found.bots,
    )


@router.get("/languages")
def read_languages(session: SessionDep, asked: AskedDep) -> LanguagesOut:
    """Return which languages came in, how they were read, and how far people agree."""
    found = languages_of(session, asked.brand_id, asked.since, asked.until)
    return LanguagesOut(
        since=asked.since,
        until=asked.until,
        every=found.every,
        languages=[LanguageOut.model_validate(one) for one in found.languages],
    )


def _all(counts: Mapping[str, int]) -> dict[str, int]:
    return {emotion: counts.get(emotion, 0) for emotion in EMOTIONS}
