"""Contacts: look them up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import SessionDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, decode_id, encode_cursor
from api.schemas.people import AuthorLinkOut, ContactDetailOut, ContactOut
from crm_link.contacts.contact_view import confirmed_links, find_contacts, get_contact

router = APIRouter(prefix="/contacts", tags=["contacts"], dependencies=[Depends(get_user)])


@router.get("")
def read_contacts(
    session: SessionDep,
    name: Annotated[str, Query(max_length=200, description="Part of the name.")] = "",
    external_id: Annotated[str, Query(max_length=200, description="The CRM's own id.")] = "",
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[ContactOut]:
    """List contacts by id."""
    page = find_contacts(
        session, name=name, external_id=external_id, after=decode_id(cursor) or 0, limit=limit
    )
    return Page(
        items=[ContactOut.model_validate(contact) for contact in page.contacts],
        next_cursor=encode_cursor(page.after) if page.after else None,
    )


@router.get("/{contact_id}")
def read_contact(session: SessionDep, contact_id: int) -> ContactDetailOut:
    """Return a contact with the accounts that are theirs."""
    contact = ContactOut.model_validate(get_contact(session, contact_id)).model_dump()
    links = [AuthorLinkOut.model_validate(link) for link in confirmed_links(session, contact_id)]
    return ContactDetailOut(**contact, links_to_authors=links)
