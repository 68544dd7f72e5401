"""Who is to be erased: their accounts, their CRM records, and what names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select, tuple_
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.db import Base
from config.errors import InputError, NotFoundError
from crm_link.contacts.one_person import with_same
from crm_link.linking.extract import emails_in
from crm_link.linking.keys import is_role_address, normalise_email
from crm_link.models import Contact, IdentityLink
from crm_link.privacy.identifiers import Identifier, Kind
from crm_link.types import LinkState
from listener.models import Author, Brand


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure or an access request is about.

    Args:
        label: How lists call it, without a name: "author 17".
        author_ids: Their accounts.
        contact_ids: Their CRM records.
        identifiers: What names them, everywhere else.
        kept: Addresses that also sign in here, and are looked for nowhere.

    """

    label: str
    author_ids: tuple[int, ...]
    contact_ids: tuple[int, ...]
    identifiers: tuple[Identifier, ...]
    kept: int = 0


def find_subject(
    session: Session,
    *,
    author: str = "",
    contact: str = "",
    whole_person: bool = False,
    require_known: bool = True,
) -> Subject:
    """Return who `author` (`platform:account id or handle`) or `contact` (`CRM:id`) is.

    Args:
        session: The transaction; it is only read.
        author: An account, with the platform's id or the handle.
        contact: A CRM record.
        whole_person: With every account and record that is confirmed to be the same person's.
        require_known: Whether somebody who is not stored is an error; else nobody's accounts
            and records are given.

    Raises:
        InputError: Neither or both are given, it is not written so, or it is a brand's account.
        NotFoundError: Nobody is stored under it.

    """
    if bool(author) == bool(contact):
        raise InputError("name one of both: the author as PLATFORM:ID, or the contact as CRM:ID")
    given = author or contact
    scope, _, name = given.partition(":")
    if not scope or not name:
        raise InputError("write it as PLATFORM:ID (an author) or CRM:ID (a contact)")
    author_ids = set(_authors(session, scope, name)) if author else set()
    contact_ids = set(_contacts(session, contact)) if contact else set()
    if require_known and not author_ids | contact_ids:
        kind = "author" if author else "contact"
        raise NotFoundError(
            "there is no %(kind)s under this name (%(scope)s)", kind=kind, scope=scope
        )
    label = " ".join(
        [f"author {one}" for one in sorted(author_ids)]
        + [f"contact {one}" for one in sorted(contact_ids)]
    )
    if whole_person:
        author_ids, contact_ids = _same_person(session, author_ids, contact_ids)
        label += ", whole person"
    return _describe(session, label[:80], sorted(author_ids), sorted(contact_ids))


def _authors(session: Session, platform: str, name: str) -> Sequence[int]:
    platform = platform.strip().casefold()
    by_id = select(Author.id).where(Author.platform == platform, Author.external_id == name)
    found = session.scalars(by_id).all()
    if found:
        return found
    handle = name.lstrip("@")
    return session.scalars(
        select(Author.id).where(
            Author.platform == platform, Author.handle.in_([handle, f"@{handle}"])
        )
    ).all()


def _contacts(session: Session, given: str) -> Sequence[int]:
    """Return the record: the CRM's own name may have a colon too (`hubspot:emea:1234`)."""
    parts = given.split(":")
    splits = [(":".join(parts[:at]), ":".join(parts[at:])) for at in range(1, len(parts))]
    return session.scalars(
        select(Contact.id).where(tuple_(Contact.crm, Contact.external_id).in_(splits))
    ).all()


def _same_person(
    session: Session, author_ids: set[int], contact_ids: set[int]
) -> tuple[set[int], set[int]]:
    """Return the accounts and records that are known to be the same person's, however far.

    By confirmed links, and by what makes records of several CRMs one person's.
    """
    known = -1
    while known != len(author_ids) + len(contact_ids):
        known = len(author_ids) + len(contact_ids)
        for author_id, contact_id in session.execute(
            select(IdentityLink.author_id, IdentityLink.contact_id).where(
                IdentityLink.state == LinkState.CONFIRMED,
                any_of(session, IdentityLink.author_id, sorted(author_ids))
                | any_of(session, IdentityLink.contact_id, sorted(contact_ids)),
            )
        ):
            author_ids.add(author_id)
            contact_ids.add(contact_id)
        contact_ids |= with_same(session, contact_ids)
    return author_ids, contact_ids


def _describe(
    session: Session, label: str, author_ids: Sequence[int], contact_ids: Sequence[int]
) -> Subject:
    found: set[Identifier] = set()
    authors = session.scalars(select(Author).where(any_of(session, Author.id, author_ids))).all()
    _refuse_brands(session, authors)
    for author in authors:
        found.update(_named(Kind.HANDLE, [author.handle]))
        found.update(_named(Kind.NAME, [author.name]))
        found.update(_named(Kind.ACCOUNT, [author.external_id]))
        shown = " ".join([author.bio or "", *author.links, *author.verified_links])
        found.update(_addresses(emails_in(shown)))
    contacts = session.scalars(
        select(Contact).where(any_of(session, Contact.id, contact_ids))
    ).all()
    for contact in contacts:
        found.update(_named(Kind.NAME, [contact.name]))
        found.update(_named(Kind.ACCOUNT, [contact.external_id]))
        found.update(_named(Kind.HANDLE, [one.partition(":")[2] for one in contact.handles]))
        found.update(_named(Kind.PHONE, contact.phones))
        found.update(_addresses(contact.emails))
    theirs = _sign_in_addresses(session)
    kept = {one for one in found if one.value.casefold() in theirs}
    return Subject(
        label,
        tuple(author_ids),
        tuple(contact_ids),
        tuple(sorted(found - kept, key=lambda one: (one.kind, one.value))),
        len(kept),
    )


def _named(kind: Kind, values: Iterable[str | None]) -> Iterable[Identifier]:
    for value in values:
        if value and value.strip():
            yield Identifier(kind, value.strip())


def _addresses(values: Iterable[str]) -> Iterable[Identifier]:
    """Return addresses as they are written and as one mailbox is; a department's is nobody's."""
    for value in values:
        same = normalise_email(value)
        if same is None or is_role_address(same):
            continue
        yield from _named(Kind.EMAIL, [value, same])


def _refuse_brands(session: Session, authors: Collection[Author]) -> None:
    own = {
        name.lstrip("@").casefold()
        for brand_name, names in session.execute(select(Brand.name, Brand.names))
        for name in (brand_name, *names)
    }
    for author in authors:
        if {(author.handle or "").casefold(), (author.name or "").casefold()} & own:
            raise InputError(
                "author %(id)s has the name of a brand, and is no person", id=author.id
            )


def _sign_in_addresses(session: Session) -> set[str]:
    """Return the addresses of this installation's own users: the audit log needs them."""
    users: Table | None = Base.metadata.tables.get("user_account")
    if users is None:
        return set()
    return {str(email).casefold() for email in session.scalars(select(users.c.email))}
