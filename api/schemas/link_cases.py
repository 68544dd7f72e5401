"""Link review as the JSON API gives it: an author with all who it may be."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.base import Out
from api.schemas.people import AuthorOut, ContactLinkOut
from crm_link.review_cases import Case


class ComparisonOut(Out):
    """One thing that was compared."""

    title: str
    author: str
    contact: str
    verdict: str
    weight_bits: float


class CandidateOut(BaseModel):
    """A contact that an author may be."""

    link: ContactLinkOut
    compared: list[ComparisonOut]
    rule: str = Field(description="What the platform's policy says of the pair.")
    is_allowed: bool
    accounts: list[AuthorOut] = Field(description="Confirmed to be the contact's already.")


class CaseOut(BaseModel):
    """An author with all who they may be, the likeliest first."""

    author: AuthorOut
    candidates: list[CandidateOut]
    is_tie: bool
    asks_for_expectation: bool = Field(description="Confirm with `expected=true`.")
    confirmed: list[ContactLinkOut] = Field(description="Who the author is already.")


def case_out(case: Case) -> CaseOut:
    """Return a case."""
    return CaseOut(
        author=AuthorOut.model_validate(case.author),
        candidates=[
            CandidateOut(
                link=ContactLinkOut.model_validate(one.link),
                compared=[ComparisonOut.model_validate(row) for row in one.compared],
                rule=one.rule,
                is_allowed=one.is_allowed,
                accounts=[AuthorOut.model_validate(account) for account in one.accounts],
            )
            for one in case.candidates
        ],
        is_tie=case.is_tie,
        asks_for_expectation=case.asks,
        confirmed=[ContactLinkOut.model_validate(link) for link in case.confirmed],
    )
