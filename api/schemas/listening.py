"""Brands, sources and trends, as the JSON API gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.base import Out
from listener.models import SourceState
from listener.types import GapKind


class BrandOut(Out):
    """A brand that is watched."""

    id: int
    key: str
    name: str
    query: str
    is_active: bool


class SourceHealthOut(Out):
    """A query on a platform, and how it does."""

    source_id: int
    brand_key: str
    name: str
    platform: str
    state: SourceState
    every_s: float
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    next_due_at: datetime | None
    newest_post_at: datetime | None
    open_gaps: int
    quarantined: int = Field(description="Items that were not understood, ever.")
    posts_24h: int
    failures: int = Field(description="Failures in a row.")
    last_error: str | None
    is_late: bool = Field(description="Its last success is longer ago than it should be.")
    is_silent: bool = Field(description="Nothing new for longer than its past explains.")


class CoverageOut(Out):
    """How much of a time was read."""

    since: datetime
    until: datetime
    share: float | None = Field(description="0 to 1; null where there is no source.")


class GapOut(Out):
    """A stretch of time in which a source may have missed posts."""

    id: int
    source_id: int
    source_name: str
    platform: str
    brand_key: str
    kind: GapKind
    from_at: datetime | None
    to_at: datetime | None
    detail: str
    found_at: datetime
    filled_at: datetime | None


class PointOut(Out):
    """What a brand had in one bucket."""

    at: datetime
    negative: int
    neutral: int
    positive: int
    unknown: int
    mentions: int


class NetSentimentOut(Out):
    """(positive - negative) / judged with its 95 % interval; null where nothing was judged."""

    value: float | None
    low: float | None
    high: float | None
    judged: int


class BurstOut(Out):
    """The present burst of negative mentions; index 1 is the biggest of an ordinary day."""

    index: float
    seen: float
    expected: float
    window_s: int
    is_known: bool


class TrendOut(Out):
    """Volume and sentiment over a stretch of time.

    `bursts` are one brand's present ones by topic, the whole brand's under the empty name.
    """

    since: datetime
    until: datetime
    grain_s: int
    net_sentiment: NetSentimentOut
    points: list[PointOut]
    bursts: dict[str, BurstOut]


class SourceIn(BaseModel):
    """A source as brands.yaml is to have it."""

    platform: str = Field(max_length=40)
    name: str = Field(default="", max_length=200, description="Empty: the platform's.")
    every: str = Field(default="", max_length=40, description="60s, 5m, 1h 30m; empty: 5m.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="The platform's own; docs/collectors.md."
    )


class SourceVersionIn(SourceIn):
    """A source that takes the place of one that was read before."""

    version: str = Field(max_length=40, description="That one's version.")


class WrittenSourceOut(Out):
    """A source as brands.yaml has it."""

    platform: str
    name: str
    every: str
    options: dict[str, Any]
    version: str
