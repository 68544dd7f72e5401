"""When a severity is reached, how long people have then, and what is the same alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from config.durations import Duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import WAKING_LEVELS, Level, Strict

#: Updates that follow each other more closely say nothing new.
LEAST_UPDATES = timedelta(minutes=5)


class Condition(Strict):
    """Counts at which a severity is reached; all keys that are given must hold.

    `harm`, `topics` and `source` restrict what is counted. Without a threshold, one negative
    mention is enough. `index_gte` compares with the brand's or the topic's own ordinary days:
    see `sentiment.burst`. `reach_gte` adds up the followers of the negative mentions' authors.
    `negative_trend_days_gte` looks at whole days: see `rules.trend_days`.
    """

    index_gte: float | None = Field(default=None, ge=0.5, le=100)
    negatives_gte: int | None = Field(default=None, ge=1)
    negatives_per_hour_gte: float | None = Field(default=None, gt=0)
    negative_share_gte: float | None = Field(default=None, gt=0, le=1)
    mentions_gte: int | None = Field(default=None, ge=1)
    reach_gte: int | None = Field(default=None, ge=1)
    negative_trend_days_gte: int | None = Field(default=None, ge=2, le=30)
    harm: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    window: Duration = timedelta(hours=1)

    @model_validator(mode="before")
    @classmethod
    def _trend_looks_at_days(cls, value: Any) -> Any:  # noqa: ANN401 - as the file has it
        if isinstance(value, dict) and "negative_trend_days_gte" in value:
            return {"window": "1d"} | value
        return value

    @model_validator(mode="after")
    def _counts_something(self) -> Condition:
        if not self.model_fields_set - {"window"}:
            msg = phrase("a condition needs at least one threshold, for example negatives_gte: 20")
            raise ValueError(msg)
        if self.index_gte is not None and self.source:
            msg = phrase("index_gte goes with no source: the index is of all platforms")
            raise ValueError(msg)
        if self.negative_trend_days_gte is not None and (self.only_topics or self.source):
            msg = phrase(
                "negative_trend_days_gte goes with no topics and no source: it is the brand's"
            )
            raise ValueError(msg)
        if not timedelta(minutes=1) <= self.window <= timedelta(days=7):
            msg = phrase("window must lie between 1m and 7d")
            raise ValueError(msg)
        return self

    @property
    def only_topics(self) -> frozenset[str]:
        """The topics that are counted; empty means all."""
        return frozenset(self.harm) | frozenset(self.topics)

    @property
    def least_negatives(self) -> float:
        """How many negative mentions there must be at least for this to hold."""
        per_hour = (self.negatives_per_hour_gte or 0) * self.window.total_seconds() / 3600
        others = self.negative_share_gte or self.mentions_gte
        fewest = 0 if others and not self.negatives_gte and not per_hour else 1
        return max(self.negatives_gte or fewest, per_hour)

    @property
    def needs_totals(self) -> bool:
        """Whether mentions that are not negative count too."""
        return self.negative_share_gte is not None or self.mentions_gte is not None


class Severity(Strict):
    """One level: when it is reached, and how long people have."""

    level: Level
    any: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    ack: Duration
    ack_expires: Duration | None = None
    holding_statement: Duration | None = None
    updates: Duration | None = None
    quiet_hours: Literal["respect", "ignore"] | None = None
    auto_resolve: Duration | None = None

    @model_validator(mode="after")
    def _is_reachable(self) -> Severity:
        if not self.any and not self.all:
            msg = phrase(
                "%(level)s can never be reached: give it conditions under 'any' or 'all'",
                level=self.level,
            )
            raise ValueError(msg)
        if self.auto_resolve is not None and self.level in WAKING_LEVELS:
            msg = phrase(
                "%(level)s is resolved by a person only: remove auto_resolve", level=self.level
            )
            raise ValueError(msg)
        if self.updates is not None and self.updates < LEAST_UPDATES:
            msg = phrase("updates must be at least 5m apart")
            raise ValueError(msg)
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of both lists."""
        return self.any + self.all

    @property
    def respects_quiet_hours(self) -> bool:
        """Whether messages wait for the end of a contact's quiet hours."""
        if self.quiet_hours is None:
            return self.level not in WAKING_LEVELS
        return self.quiet_hours == "respect"


class Dedup(Strict):
    """What counts as the same alert, and when it is told again."""

    key: tuple[Literal["brand", "topic"], ...] = ("brand", "topic")
    quiet: Duration = timedelta(hours=24)
    again_factor: float = Field(default=2.0, gt=1)
    reopen_within: Duration = timedelta(hours=24)

    @model_validator(mode="after")
    def _is_by_brand_and_topic(self) -> Dedup:
        if set(self.key) != {"brand", "topic"}:
            msg = phrase("key must be [brand, topic]: there is one open incident for each")
            raise ValueError(msg)
        return self
