"""People: contacts with their accounts, as a list and one by one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from api import actions, people_actions
from api.deps import CommunityManagerDep, SessionDep, StateDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, decode_id, encode_cursor
from api.schemas.people import LinkOut
from api.schemas.persons import PersonOut, PersonRowOut, SameIn, SplitIn, person_out, row_out
from crm_link.contacts.people_list import PeopleFilter, list_people
from crm_link.contacts.person_view import view_person

router = APIRouter(prefix="/people", tags=["contacts"], dependencies=[Depends(get_user)])


def people_filter(
    text: Annotated[
        str, Query(max_length=200, description="Words of name, e-mail, phone or account.")
    ] = "",
    crm: Annotated[str, Query(max_length=40)] = "",
    tier: Annotated[str, Query(max_length=200)] = "",
    linked: Annotated[
        Literal["", "yes", "no", "suggested"], Query(description="Whether accounts are known.")
    ] = "",
    segment: Annotated[
        Literal["", "detractor", "ordinary", "promoter"], Query(description="By the last 90 days.")
    ] = "",
) -> PeopleFilter:
    """Return which people an address asks for."""
    return PeopleFilter(text=text.strip(), crm=crm, tier=tier, linked=linked, segment=segment)


@router.get("")
def read_people(
    session: SessionDep,
    state: StateDep,
    wanted: Annotated[PeopleFilter, Depends(people_filter)],
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[PersonRowOut]:
    """List contacts, the newest first, with their accounts and how they speak."""
    found = list_people(session, wanted, now=state.clock(), after=decode_id(cursor), limit=limit)
    return Page(
        items=[row_out(row) for row in found.people],
        next_cursor=encode_cursor(found.after) if found.after else None,
    )


@router.get("/{contact_id}")
def read_person(session: SessionDep, state: StateDep, contact_id: int) -> PersonOut:
    """Return a contact with accounts, sentiment over time, open cases, consent and twins."""
    return person_out(view_person(session, contact_id, now=state.clock()))


@router.post("/{contact_id}/split")
def split_person(actor: CommunityManagerDep, contact_id: int, body: SplitIn) -> list[LinkOut]:
    """Say that some of the accounts are other people's; each can be taken back by itself."""
    links = actions.split_links(actor, contact_id, body.link_ids)
    return [LinkOut.model_validate(link) for link in links]


@router.put("/{contact_id}/same/{other_id}", status_code=204)
def say_same(actor: CommunityManagerDep, contact_id: int, other_id: int, body: SameIn) -> None:
    """Say that two records are one person's, or are not; it goes before all evidence."""
    people_actions.say_same(actor, contact_id, other_id, is_same=body.is_same)


@router.delete("/{contact_id}/same/{other_id}", status_code=204)
def unsay_same(actor: CommunityManagerDep, contact_id: int, other_id: int) -> None:
    """Take back what was said of two records. Answers 404 if nothing was."""
    people_actions.say_same(actor, contact_id, other_id, is_same=None)
