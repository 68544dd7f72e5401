"""Identity links: decide which author is which contact."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import actions
from api.deps import CommunityManagerDep, SessionDep, get_user
from api.paging import (
    CursorQuery,
    LimitQuery,
    Page,
    case_cursor,
    case_key,
    decode_id,
    encode_cursor,
)
from api.schemas.link_cases import CaseOut, case_out
from api.schemas.people import LinkBothOut, LinkOut
from crm_link import review
from crm_link.review_cases import open_cases

#: What platforms with restricted linking ask for.
Expected = Annotated[
    bool,
    Query(description="It would not surprise the person; X and other restricted ones ask for it."),
]

router = APIRouter(prefix="/links", tags=["links"], dependencies=[Depends(get_user)])


@router.get("/suggestions")
def read_suggestions(
    session: SessionDep, cursor: CursorQuery = "", limit: LimitQuery = 25
) -> Page[LinkBothOut]:
    """List links that wait for a decision."""
    found = review.suggestions(session, after=decode_id(cursor), limit=limit + 1)
    is_more = len(found) > limit
    return Page(
        items=[LinkBothOut.model_validate(link) for link in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].id) if is_more else None,
    )


@router.get("/cases")
def read_cases(
    session: SessionDep, cursor: CursorQuery = "", limit: LimitQuery = 25
) -> Page[CaseOut]:
    """List authors with all who they may be, beside each other, the likeliest first."""
    found = open_cases(session, after=case_key(cursor), limit=limit)
    return Page(
        items=[case_out(case) for case in found.cases],
        next_cursor=case_cursor(found.after),
    )


@router.post("/{link_id}/confirm")
def confirm(actor: CommunityManagerDep, link_id: int, *, expected: Expected = False) -> LinkOut:
    """Say that the author is the contact. Answers 409 if somebody else was faster."""
    return LinkOut.model_validate(actions.confirm_link(actor, link_id, is_expected=expected))


@router.post("/{link_id}/reject")
def reject(actor: CommunityManagerDep, link_id: int) -> LinkOut:
    """Say that the author is not the contact; it is not suggested again."""
    return LinkOut.model_validate(actions.reject_link(actor, link_id))


@router.post("/{link_id}/undo")
def undo(actor: CommunityManagerDep, link_id: int) -> LinkOut:
    """Take a person's decision back."""
    return LinkOut.model_validate(actions.undo_link(actor, link_id))
