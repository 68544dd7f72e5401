"""Mentions and the review queue, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.base import Out
from api.schemas.incidents import IncidentOut
from api.schemas.people import AuthorOut, ContactLinkOut
from crm_link.models import FlagStatus
from crm_link.types import Priority
from listener.types import PostKind
from sentiment.types import Label


class FlagOut(Out):
    """Why a person should look at a mention, and what they did."""

    mention_id: int
    priority: Priority
    urgency: int
    reason: str
    status: FlagStatus
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str


class MentionOut(Out):
    """A post about a brand."""

    id: int
    brand_id: int
    platform: str
    external_id: str
    kind: PostKind
    url: str | None
    text: str
    author: AuthorOut | None
    conversation_id: str | None
    reply_to_id: str | None
    published_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    likes: int | None
    reposts: int | None
    replies: int | None
    views: int | None
    label: str | None = Field(examples=["negative"])
    score: float | None = Field(description="-1 (negative) to +1 (positive).")
    confidence: float | None = Field(description="Probability that the label is right, 0 to 1.")
    lang: str | None = Field(examples=["en"])
    scorer: str | None = Field(examples=["vader-3.3.2/1"])
    priority: str | None = Field(examples=["risk"])
    topic: str | None
    route: str | None
    fold_count: int = Field(description="Reposts and near-duplicates that this stands for.")
    folded_into_id: int | None


class FlaggedMentionOut(Out):
    """An item of the review queue."""

    flag: FlagOut
    mention: MentionOut


class VersionOut(Out):
    """What a mention said before it was edited."""

    number: int
    text: str
    until_at: datetime


class CorrectionOut(Out):
    """What a person said a mention's label is, and what the model had said."""

    label: str
    by: str
    at: datetime
    ended_at: datetime | None
    ended_by: str | None
    model_label: str | None
    model_score: float | None
    model_scorer: str | None


class OldScoreOut(Out):
    """What an earlier scorer said."""

    scorer: str
    label: str
    score: float | None
    confidence: float | None
    scored_at: datetime | None


class MentionDetailOut(MentionOut):
    """A mention with everything around it."""

    flag: FlagOut | None
    versions: list[VersionOut]
    thread: list[MentionOut]
    folded: list[MentionOut]
    links_to_contacts: list[ContactLinkOut]
    incidents: list[IncidentOut]
    corrections: list[CorrectionOut]
    old_scores: list[OldScoreOut]


class CloseIn(BaseModel):
    """How a flag is closed."""

    status: FlagStatus = Field(examples=["done"])
    note: str = Field(default="", max_length=2000)


class LabelIn(BaseModel):
    """What a mention's label is."""

    label: Label = Field(examples=["negative"])
