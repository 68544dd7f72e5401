"""Identity links: decide which author is which contact."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api import actions
from api.deps import CommunityManagerDep, SessionDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, decode_id, encode_cursor
from api.schemas.people import LinkBothOut, LinkOut
from crm_link import review

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


@router.post("/{link_id}/confirm")
def confirm(actor: CommunityManagerDep, link_id: int) -> LinkOut:
    """Say that the author is the contact."""
    return LinkOut.model_validate(actions.confirm_link(actor, link_id))


@router.post("/{link_id}/reject")
def reject(actor: CommunityManagerDep, link_id: int) -> LinkOut:
    """Say that the author is not the contact; it is not suggested again."""
    return LinkOut.model_validate(actions.reject_link(actor, link_id))


@router.post("/{link_id}/undo")
def undo(actor: CommunityManagerDep, link_id: int) -> LinkOut:
    """Take a person's decision back."""
    return LinkOut.model_validate(actions.undo_link(actor, link_id))
