"""People as the JSON API gives them: contacts with their accounts and how they speak."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.base import Out
from api.schemas.people import AuthorLinkOut, ContactOut
from crm_link.contacts.people_list import PersonRow
from crm_link.contacts.person_view import PersonView
from crm_link.figures.overview import Segment
from crm_link.types import LinkState


class SpeechOut(Out):
    """How somebody spoke in the last 90 days, through their confirmed accounts."""

    mentions: int
    negatives: int
    judged: int
    mean: float | None = Field(description="Mean score of the judged mentions, -1 to +1.")
    last_at: datetime | None
    segment: Segment | None


class PersonRowOut(BaseModel):
    """A contact with their accounts and how they speak."""

    contact: ContactOut
    accounts: list[AuthorLinkOut] = Field(description="Confirmed links.")
    suggested: int = Field(description="Links that wait for a decision.")
    speech: SpeechOut


class LinkEventOut(Out):
    """What happened to a link."""

    at: datetime
    actor: str
    from_state: LinkState | None
    to_state: LinkState
    note: str


class UndoneOut(Out):
    """What taking the last decision back would change."""

    from_state: LinkState
    to_state: LinkState
    is_record_cleared: bool
    is_record_written: bool


class AccountOut(BaseModel):
    """An account that is, may be or was taken for a contact's."""

    link: AuthorLinkOut
    rule: str = Field(description="The rule of the platform's policy.")
    is_allowed: bool
    mentions: int = Field(description="In the last 90 days.")
    events: list[LinkEventOut]
    undo: UndoneOut | None = Field(description="Null: nothing can be taken back.")


class WeekOut(Out):
    """A week of judged mentions."""

    begins_at: datetime
    negative: int
    neutral: int
    positive: int
    mean: float | None


class TwinOut(BaseModel):
    """A record of another CRM that may be of the same person."""

    contact: ContactOut
    shared: list[str] = Field(description="What both have: email, phone, handle.")
    differs: list[str] = Field(description="Fields of both that do not agree.")
    is_same: bool = Field(
        description="It counts as the same person's: do-not-contact, opt-outs and withdrawn "
        "consents of each hold for both, and a case is opened in one of them only."
    )
    decided_by: str | None = Field(description="A user's address; null: by evidence alone.")


class RecordOut(Out):
    """A record of a CRM."""

    id: int
    crm: str
    external_id: str


class ScoreOut(Out):
    """A score, 0 to 100, and what it is made of."""

    score: int
    parts: dict[str, int]


class PersonFiguresOut(Out):
    """What a social CRM measures of a person, over 90 days and all brands; see docs/figures.md."""

    engagement: int
    lead: ScoreOut | None
    churn: ScoreOut | None
    journey: dict[str, int] | None
    reasons: dict[str, int] | None
    first_answers: int
    median_first_answer_s: float | None


class PersonOut(BaseModel):
    """Everything that is known of a contact."""

    contact: ContactOut
    do_not_contact_by: list[RecordOut] = Field(
        description="The person's records that say: do not contact."
    )
    accounts: list[AccountOut]
    speech: SpeechOut
    figures: PersonFiguresOut
    weeks: list[WeekOut]
    mention_ids: list[int] = Field(description="The newest ones.")
    open_cases: list[int] = Field(description="Mentions that wait in the queue.")
    open_incidents: list[int]
    consents: list[str] = Field(description="Platforms, or `any`; taken back in no record.")
    same_person: list[TwinOut]


class SameIn(BaseModel):
    """What is said of two records."""

    is_same: bool = Field(description="They are one person's; false: they are not.")


class SplitIn(BaseModel):
    """Links that are other people's."""

    link_ids: list[int] = Field(min_length=1, max_length=100)


def row_out(row: PersonRow) -> PersonRowOut:
    """Return a row of the list."""
    return PersonRowOut(
        contact=ContactOut.model_validate(row.contact),
        accounts=[AuthorLinkOut.model_validate(link) for link in row.accounts],
        suggested=row.suggested,
        speech=SpeechOut.model_validate(row.speech),
    )


def person_out(view: PersonView) -> PersonOut:
    """Return a contact with everything around it."""
    return PersonOut(
        contact=ContactOut.model_validate(view.contact),
        do_not_contact_by=[RecordOut.model_validate(one) for one in view.barred_by],
        accounts=[
            AccountOut(
                link=AuthorLinkOut.model_validate(one.link),
                rule=one.rule,
                is_allowed=one.is_allowed,
                mentions=one.mentions,
                events=[LinkEventOut.model_validate(event) for event in one.events],
                undo=None if one.undo is None else UndoneOut.model_validate(one.undo),
            )
            for one in view.accounts
        ],
        speech=SpeechOut.model_validate(view.speech),
        figures=PersonFiguresOut.model_validate(view.figures),
        weeks=[WeekOut.model_validate(week) for week in view.weeks],
        mention_ids=[mention.id for mention in view.mentions],
        open_cases=[flag.mention_id for flag in view.cases],
        open_incidents=[incident.id for incident in view.incidents],
        consents=[
            one.scope
            for one in view.consents
            if one.revoked_at is None and one.id not in view.withdrawn
        ],
        same_person=[
            TwinOut(
                contact=ContactOut.model_validate(twin.contact),
                shared=list(twin.shared),
                differs=list(twin.differs),
                is_same=twin.is_same,
                decided_by=twin.decided_by,
            )
            for twin in view.twins
        ],
    )
