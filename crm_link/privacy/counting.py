"""How much is held about a person: what an erasure would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from crm_link.linking.matching_models import ContactConsent, RecordVerdict
from crm_link.models import AuthorKey, Contact, ContactKey, Flag, IdentityLink, LinkEvent, WriteBack
from listener.models import Author, Mention, MentionVersion


def links_of(
    session: Session, author_ids: Collection[int], contact_ids: Collection[int]
) -> ColumnElement[bool]:
    """Return the condition that a link leads to one of these."""
    return any_of(session, IdentityLink.author_id, author_ids) | any_of(
        session, IdentityLink.contact_id, contact_ids
    )


def verdicts_of(session: Session, contact_ids: Collection[int]) -> ColumnElement[bool]:
    """Return the condition that something was said of one of these records and another."""
    return any_of(session, RecordVerdict.contact_id, contact_ids) | any_of(
        session, RecordVerdict.other_id, contact_ids
    )


def count_rows(
    session: Session, author_ids: Collection[int], contact_ids: Collection[int]
) -> Counter[str]:
    """Return how many rows are about these, by table.

    Rows of others that only name the person are found while erasing: they need a look at
    every text.
    """
    mention_ids = select(Mention.id).where(any_of(session, Mention.author_id, author_ids))
    own_links = links_of(session, author_ids, contact_ids)
    conditions: dict[Any, ColumnElement[bool]] = {
        Author: any_of(session, Author.id, author_ids),
        AuthorKey: any_of(session, AuthorKey.author_id, author_ids),
        Mention: any_of(session, Mention.author_id, author_ids),
        MentionVersion: MentionVersion.mention_id.in_(mention_ids),
        Flag: Flag.mention_id.in_(mention_ids),
        IdentityLink: own_links,
        LinkEvent: LinkEvent.link_id.in_(select(IdentityLink.id).where(own_links)),
        Contact: any_of(session, Contact.id, contact_ids),
        ContactKey: any_of(session, ContactKey.contact_id, contact_ids),
        ContactConsent: any_of(session, ContactConsent.contact_id, contact_ids),
        RecordVerdict: verdicts_of(session, contact_ids),
        WriteBack: any_of(session, WriteBack.contact_id, contact_ids),
    }
    found: Counter[str] = Counter()
    for model, condition in conditions.items():
        count = session.scalar(select(func.count()).select_from(model).where(condition))
        found[model.__tablename__] = count or 0
    return +found
