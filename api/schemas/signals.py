"""Topics, signals and languages of a window, as the JSON API gives them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.base import Out


class TopicOut(Out):
    """Posts of a window that are about the same."""

    id: str = Field(description="Stays the same in later windows while the words do.")
    is_new: bool = Field(description="Whether it was not known before.")
    words: list[str] = Field(examples=[["lost parcel", "courier"]])
    stories: int = Field(description="Posts that say something of their own.")
    posts: int = Field(description="All posts, copies included.")
    negative: int
    negative_share: float
    posts_before: int | None = Field(description="In the window of the same length before.")
    change: float | None = Field(description="In standard deviations; above 2 it clearly rises.")
    is_rising: bool
    is_falling: bool
    top_ids: list[int] = Field(description="A mention of each of its biggest stories.")


class TopicsOut(BaseModel):
    """What a window was about; counts are of the posts that were read."""

    since: datetime
    until: datetime
    read: int
    every: int = Field(description="One of so many mentions was read.")
    topics: list[TopicOut]


class EmotionPointOut(BaseModel):
    """Mentions with each clear emotion in one bucket."""

    at: datetime
    emotions: dict[str, int]


class SignalSumsOut(BaseModel):
    """What a window's mentions say besides polarity."""

    since: datetime
    until: datetime
    grain_s: int
    mentions: int = Field(description="Mentions whose signals are known, those summed.")
    every: int = Field(description="One of so many mentions was summed.")
    emotions: list[EmotionPointOut]
    emotions_before: dict[str, int]
    intents: dict[str, int]
    reasons: dict[str, int] = Field(description="What complaints are about.")
    ironic: int | None = Field(description="null: no model says.")
    offensive: int | None
    spam: int
    bots: int


class LanguageOut(Out):
    """How one language's mentions were read."""

    lang: str = Field(examples=["en"])
    mentions: int
    read: int = Field(description="Those that got a polarity.")
    unsure: int = Field(description="Those read with a confidence below 0.5.")
    checked: int = Field(description="Those whose label a person corrected or confirmed.")
    agreed: int = Field(description="Those of the checked ones on which person and model agree.")
    agreement: float | None


class LanguagesOut(BaseModel):
    """The languages of a window, the most frequent first."""

    since: datetime
    until: datetime
    every: int
    languages: list[LanguageOut]
