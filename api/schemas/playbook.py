"""What is done and said in an incident, as the JSON API gives and takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.base import Out
from crm_link.escalation.playbook.playbook_models import ClaimVerdict, ClockKind, StatementState
from crm_link.negative_class import NegativeClass


class AssessmentIn(BaseModel):
    """What was found out: `cluster` is needed where the claim is true or partly."""

    claim: str = Field(max_length=40, examples=["untrue"])
    cluster: str | None = Field(default=None, max_length=40, examples=["accidental"])
    crisis_history: bool | None = None


class SeverityIn(BaseModel):
    """Another severity, and why."""

    severity: str = Field(max_length=20, examples=["SEV-1"])
    reason: str = Field(default="", max_length=2000)


class TaskOut(Out):
    """A task of the playbook."""

    key: str
    title: str
    owner: str
    due_at: datetime | None
    done_at: datetime | None
    done_by: str | None


class ClockOut(Out):
    """By when something has to be said; `is_met` None: it runs, or is not needed any more."""

    kind: ClockKind
    number: int
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    stopped_by: str | None
    is_met: bool | None


class PlaybookOut(BaseModel):
    """What is done in an incident, and why."""

    playbook: str | None
    strategy: str | None
    assessment: dict[str, Any] | None
    assessed_at: datetime | None
    assessed_by: str | None
    tasks: list[TaskOut]
    clocks: list[ClockOut]


class ClaimOut(Out):
    """What mentions of the incident assert. `text` is that of the post that says it best."""

    id: int
    title: str
    text: str
    url: str | None
    mentions: int
    first_at: datetime
    last_at: datetime
    verdict: ClaimVerdict
    evidence: str
    owner: str
    decided_at: datetime | None
    decided_by: str | None


class VerdictIn(BaseModel):
    """What was found about a claim; a verdict needs evidence."""

    verdict: ClaimVerdict
    evidence: str = Field(default="", max_length=5000, examples=["https://example.org/lab-report"])
    owner: str = Field(default="", max_length=320)
    title: str = Field(default="", max_length=300)


class MergeIn(BaseModel):
    """The claim that takes the other one in."""

    into: int


class StatementOut(Out):
    """A statement on its way out."""

    id: int
    key: str
    strategy: str
    lang: str
    text: str
    state: StatementState
    claim_id: int | None
    needs: list[str]
    approvals: list[dict[str, Any]]
    may_go_at: datetime | None
    requested_at: datetime
    requested_by: str
    closed_at: datetime | None
    closed_by: str | None
    reason: str
    url: str


class OfferOut(BaseModel):
    """A statement that may be asked for; `problem`: what it would contradict."""

    key: str
    title: str
    strategy: str
    is_next: bool
    is_approved: bool
    texts: dict[str, str]
    asks: dict[str, str]
    problem: str | None


class StatementsOut(BaseModel):
    """The statements of an incident, and those that may be asked for."""

    statements: list[StatementOut]
    offers: list[OfferOut]


class StatementIn(BaseModel):
    """A statement to be approved. `text`: words of one's own in place of the protocol's."""

    key: str = Field(max_length=100, examples=["holding_v1"])
    lang: str = Field(max_length=10, examples=["en"])
    values: dict[str, str] = Field(default_factory=dict, max_length=50)
    text: str = Field(default="", max_length=10_000)
    claim_id: int | None = None


class ApproveIn(BaseModel):
    """For which role; empty: for every one that the user answers for."""

    role: str = Field(default="", max_length=100)


class PublishIn(BaseModel):
    """Where it was published."""

    url: str = Field(default="", max_length=2000, examples=["https://example.org/news"])


class SaidIn(BaseModel):
    """Where something was said that is no statement of the protocol."""

    where: str = Field(default="", max_length=2000)


class ClassIn(BaseModel):
    """The class of a negative mention."""

    kind: NegativeClass


class AnswerOut(Out):
    """An answer of the protocol that fits a mention's question."""

    faq_id: str
    question: str
    answer: str
    lang: str
    likeness: float


class ByProtocolOut(BaseModel):
    """What the brand's protocol says to a mention."""

    kind: NegativeClass | None
    decided_by: str | None
    route: str
    answer: AnswerOut | None
