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
from sentiment.history import Judge
from sentiment.signals.intents import Intent
from sentiment.signals.models import MentionSignal
from sentiment.signals.reasons import Reason
from sentiment.types import Label


class FlagOut(Out):
    """Why a person should look at a mention, and what they did."""

    mention_id: int
    priority: Priority
    urgency: int
    reason: str
    status: FlagStatus
    created_at: datetime
    due_at: datetime = Field(description="When a first answer is due by the protocol.")
    assignee: str | None = Field(description="A user's e-mail address.")
    snoozed_until: datetime | None
    answered_at: datetime | None
    answered_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    note: str
    version: int = Field(description="Counts what people changed.")


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


class SignalsOut(BaseModel):
    """What a mention says besides its polarity; null where it is not known (yet)."""

    emotion: str | None = Field(
        examples=["anger"], description="Where one is clear and goes with the label."
    )
    emotions: dict[str, float] | None = Field(description="Probability of each.")
    irony: float | None = Field(description="Probability, 0 to 1.")
    offensive: float | None = Field(description="Probability, 0 to 1.")
    scorer: str | None = Field(description="The model that the four above come from.")
    intents: list[Intent] | None = Field(examples=[["question", "complaint"]])
    complaint_reason: Reason | None
    spam: float | None = Field(description="How much speaks for spam, 0 to 1; no probability.")
    spam_reasons: list[str]
    bot: float | None = Field(description="How much speaks for a machine, 0 to 1.")
    bot_reasons: list[str]
    rules: str | None = Field(description="Version of the rules of intents, spam and bot.")

    @classmethod
    def of(cls, row: MentionSignal | None) -> SignalsOut | None:
        """Return the signals of a row; None for a mention that was never judged."""
        if row is None:
            return None
        return cls(
            emotion=row.emotion,
            emotions=row.p_emotion or None,
            irony=row.irony,
            offensive=row.offensive,
            scorer=row.scorer,
            intents=None if row.rules is None else [Intent(one) for one in row.intents.split()],
            complaint_reason=Reason(row.complaint_reason) if row.complaint_reason else None,
            spam=row.spam,
            spam_reasons=row.spam_reasons,
            bot=row.bot,
            bot_reasons=row.bot_reasons,
            rules=row.rules,
        )


class ListedMentionOut(MentionOut):
    """A mention with its signals."""

    signals: SignalsOut | None = None


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


class JudgementOut(Out):
    """What somebody or some model said about a mention."""

    who: Judge
    scorer: str = Field(description="Name and version of the scorer, or the person's name.")
    label: Label
    score: float | None
    confidence: float | None
    at: datetime | None
    is_current: bool


class WordOut(Out):
    """A word and what it did to the score; places are in characters of the text."""

    word: str
    start: int
    end: int
    weight: float


class WhyOut(Out):
    """The words that carried a judgement."""

    mention_id: int
    label: Label = Field(description="What counts now.")
    judged_by: str | None = Field(description="The judgement that is explained.")
    explained_by: str = Field(description="The scorer that was asked.")
    is_same: bool = Field(description="Whether the two are the same version.")
    said: Label = Field(description="What the scorer that was asked says.")
    score: float
    is_cut: bool = Field(description="Whether only the text's beginning was looked at.")
    words: list[WordOut]


class MentionDetailOut(ListedMentionOut):
    """A mention with everything around it."""

    flag: FlagOut | None
    versions: list[VersionOut]
    thread: list[MentionOut]
    folded: list[MentionOut]
    links_to_contacts: list[ContactLinkOut]
    incidents: list[IncidentOut]
    corrections: list[CorrectionOut]
    old_scores: list[OldScoreOut]
    judgements: list[JudgementOut] = Field(description="All that was said, what counts first.")


class CloseIn(BaseModel):
    """How a flag is closed."""

    status: FlagStatus = Field(examples=["done"])
    note: str = Field(default="", max_length=2000)


class LabelIn(BaseModel):
    """What a mention's label is."""

    label: Label = Field(examples=["negative"])
