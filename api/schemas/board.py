"""The brand board, as the JSON API gives it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.schemas.base import Out
from api.schemas.listening import NetSentimentOut, PointOut


class DifferenceOut(Out):
    """A difference against the period before, with its 95 % interval."""

    value: float
    low: float
    high: float
    is_clear: bool = Field(description="Whether it is more than chance explains.")


class PlatformShareOut(Out):
    """What one platform gave."""

    platform: str
    total: PointOut
    net: NetSentimentOut


class VoiceOut(Out):
    """One brand's part in what is said about it and its competitors."""

    key: str
    name: str
    is_own: bool
    mentions: int
    share: float | None
    low: float | None
    high: float | None
    share_before: float | None
    is_clear: bool
    net: NetSentimentOut


class ShareOfVoiceOut(Out):
    """A brand among its competitors; empty where it has none."""

    voices: list[VoiceOut]
    platforms: list[str] = Field(description="Those that are compared; empty: all that there are.")
    left_out: list[str] = Field(description="Platforms that not all of them are listened to on.")
    unheard: list[str] = Field(description="Those that no source listens to.")


class BoardOut(Out):
    """A brand's period against the one before."""

    since: datetime
    until: datetime
    grain_s: int
    mentions: int
    mentions_before: int
    change: DifferenceOut | None = Field(description="Of the mentions, as a share; null: too few.")
    net: NetSentimentOut
    net_before: NetSentimentOut
    net_change: DifferenceOut | None
    points: list[PointOut]
    points_before: list[PointOut]
    platforms: list[PlatformShareOut]
    share_of_voice: ShareOfVoiceOut | None = Field(description="Of one brand only.")
