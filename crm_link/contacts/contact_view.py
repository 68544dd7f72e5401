"""Contacts as people look them up: by id or by name, with the accounts that are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from config.errors import NotFoundError
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState


@dataclass(frozen=True, slots=True)
class FoundContacts:
    """Some contacts by id, and the id after which the next ones begin; None at the end."""

    contacts: tuple[Contact, ...]
    after: int | None


def get_contact(session: Session, contact_id: int) -> Contact:
    """Return a contact that the CRM still has."""
    contact = session.get(Contact, contact_id)
    if contact is None or contact.deleted_at is not None:
        raise NotFoundError("there is no contact %(contact_id)s", contact_id=contact_id)
    return contact


def find_contacts(
    session: Session, *, name: str = "", external_id: str = "", after: int = 0, limit: int = 25
) -> FoundContacts:
    """Return contacts whose name holds `name` and whose CRM id is `external_id`."""
    query = select(Contact).where(Contact.id > after, Contact.deleted_at.is_(None))
    if name.strip():
        part = name.strip().lower()
        query = query.where(func.lower(Contact.name).contains(part, autoescape=True))
    if external_id:
        query = query.where(Contact.external_id == external_id)
    found = list(session.scalars(query.order_by(Contact.id).limit(limit + 1)))
    is_more = len(found) > limit
    return FoundContacts(tuple(found[:limit]), found[limit - 1].id if is_more else None)


def confirmed_links(session: Session, contact_id: int) -> Sequence[IdentityLink]:
    """Return the confirmed links of a contact, with their authors."""
    return session.scalars(
        select(IdentityLink)
        .where(IdentityLink.contact_id == contact_id, IdentityLink.state == LinkState.CONFIRMED)
        .options(joinedload(IdentityLink.author))
        .order_by(IdentityLink.id)
    ).all()
