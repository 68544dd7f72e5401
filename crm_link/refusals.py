"""Consent, opt-outs and pairs that stay apart.

An opt-out or an erased pair is kept as a hash keyed with the secret key: it is recognised
when the same account and the same CRM record come again, and says nothing by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import insert_new
from config.clock import Clock, utc_now
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.contacts.one_person import same_people, with_same
from crm_link.context import LinkContext
from crm_link.linking.contact_keys import waking_keys
from crm_link.linking.due import mark_due
from crm_link.linking.facts import Candidate
from crm_link.linking.link_statements import rows_of, standing_consents
from crm_link.linking.matching_models import ContactConsent, LinkRefusal
from crm_link.models import Contact, ContactKey
from crm_link.withdrawals import without_withdrawn
from listener.models import Author

_MAX_SCOPE = 40


class Reason(StrEnum):
    """Why somebody is never proposed again."""

    OPT_OUT = "opt_out"
    ERASED = "erased"


def record_consent(
    session: Session,
    contact_id: int,
    scope: str,
    *,
    note: str,
    by: str,
    context: LinkContext,
    clock: Clock = utc_now,
) -> ContactConsent:
    """Record that a contact agreed to being linked.

    Args:
        session: The transaction.
        contact_id: The contact.
        scope: A platform, which says that the person connected that account or agreed for
            it, or `any`.
        note: Where the consent is on file.
        by: The user who recorded it.
        context: The hash key.
        clock: The present.

    Raises:
        InputError: Scope or note is missing or too long.
        NotFoundError: There is no such contact.

    """
    if not scope.strip() or len(scope) > _MAX_SCOPE or not note.strip():
        raise InputError("a consent needs a platform (or 'any') and where it is on file")
    contact = get_known_contact(session, contact_id)
    consent = ContactConsent(
        contact_id=contact_id,
        scope=scope.strip().casefold(),
        note=note.strip(),
        recorded_by=by,
        recorded_at=clock(),
    )
    session.add(consent)
    session.flush()
    # Whoever was passed over until now is looked at: they show what the contact has.
    keys = waking_keys([contact.name]) | {
        (key.kind, key.value)
        for key in session.execute(
            select(ContactKey.kind, ContactKey.value).where(ContactKey.contact_id == contact_id)
        )
    }
    mark_due(session, keys=keys, contact_ids=[contact_id], now=clock(), context=context)
    return consent


def list_consents(session: Session, contact_id: int) -> Sequence[ContactConsent]:
    """Return what was recorded for a contact, oldest first, with what was taken back.

    Raises:
        NotFoundError: There is no such contact.

    """
    get_known_contact(session, contact_id)
    return session.scalars(
        select(ContactConsent)
        .where(ContactConsent.contact_id == contact_id)
        .order_by(ContactConsent.id)
    ).all()


def revoke_consent(
    session: Session,
    contact_id: int,
    consent_id: int,
    *,
    by: str,
    context: LinkContext,
    clock: Clock = utc_now,
) -> ContactConsent:
    """Take a consent back; links that rest on it are withdrawn at the next look.

    Raises:
        NotFoundError: The contact has no such consent.
        ConflictError: It was taken back already.

    """
    consent = session.get(ContactConsent, consent_id, with_for_update=True)
    if consent is None or consent.contact_id != contact_id:
        raise NotFoundError(f"contact {contact_id} has no consent {consent_id}")
    if consent.revoked_at is not None:
        raise ConflictError(f"consent {consent_id} was taken back already")
    consent.revoked_at = clock()
    consent.revoked_by = by
    session.flush()
    theirs = with_same(session, [contact_id])
    mark_due(session, keys=(), contact_ids=theirs, now=clock(), context=context)
    return consent


def consents_of(session: Session, contact_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return what each contact agreed to and did not take back, in any of their records."""
    found: dict[int, set[str]] = defaultdict(set)
    for contact_id, scope in rows_of(session, standing_consents, sorted(contact_ids)):
        found[contact_id].add(scope)
    return without_withdrawn(session, found)


def pair_value(platform: str, account: str, crm: str, external_id: str) -> str:
    """Return what stands for a pair: it outlives our own row numbers."""
    return f"{platform}:{account}|{crm}:{external_id}"


def refuse(
    session: Session,
    values: Iterable[tuple[str, str]],
    *,
    reason: Reason,
    context: LinkContext,
    clock: Clock = utc_now,
) -> int:
    """Never propose these again; return how many were new.

    Args:
        session: The transaction.
        values: (`pair`, `pair_value(...)`), (`author`, `platform:account`) or (`contact`,
            `crm:external id`): an author or a contact alone is never linked to anybody.
        reason: Why.
        context: The hash key.
        clock: The present.

    """
    rows: list[dict[str, Any]] = [
        {"value_hash": value_hash, "reason": reason.value, "created_at": clock()}
        for value_hash in sorted({context.hash_value(f"refusal {k}", v) for k, v in values})
    ]
    if reason is Reason.ERASED:
        # Says more than an opt-out: nothing is kept of who was erased.
        own = any_of(session, LinkRefusal.value_hash, [row["value_hash"] for row in rows])
        session.execute(update(LinkRefusal).where(own).values(reason=reason.value))
    return insert_new(session, LinkRefusal, rows, key=["value_hash"])


def erased_records(
    session: Session, crm: str, external_ids: Collection[str], context: LinkContext
) -> set[str]:
    """Return those of a CRM's records whose person was erased: they are not mirrored again."""
    if not session.scalar(select(exists().where(LinkRefusal.reason == Reason.ERASED))):
        return set()
    hashes = {context.hash_value("refusal contact", f"{crm}:{one}"): one for one in external_ids}
    found = session.scalars(
        select(LinkRefusal.value_hash).where(
            any_of(session, LinkRefusal.value_hash, sorted(hashes)),
            LinkRefusal.reason == Reason.ERASED,
        )
    )
    return {hashes[value_hash] for value_hash in found}


def get_known_contact(session: Session, contact_id: int) -> Contact:
    """Return a contact, also one that the CRM has no more.

    Raises:
        NotFoundError: There is no such contact.

    """
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFoundError(f"there is no contact {contact_id}")
    return contact


def refused_pairs(
    session: Session, candidates: Mapping[int, Sequence[Candidate]], context: LinkContext
) -> set[tuple[int, int]]:
    """Return the (author, contact) pairs among the candidates that are never proposed."""
    pairs = [(author, one.contact_id) for author, own in candidates.items() for one in own]
    return refused_among(session, pairs, context)


def refused_among(
    session: Session, pairs: Collection[tuple[int, int]], context: LinkContext
) -> set[tuple[int, int]]:
    """Return those of the (author, contact) pairs that are never proposed."""
    if not pairs:
        return set()
    authors = {
        row.id: f"{row.platform}:{row.external_id}"
        for row in session.execute(
            select(Author.id, Author.platform, Author.external_id).where(
                any_of(session, Author.id, sorted({author for author, _ in pairs}))
            )
        )
    }
    contacts: dict[int, list[str]] = {}
    rows = session.execute(
        select(Contact.id, Contact.crm, Contact.external_id, Contact.person_id).where(
            any_of(session, Contact.id, sorted({contact for _, contact in pairs}))
        )
    ).all()
    # Who opted out in one record did in all of theirs.
    same = same_people(session, [row.id for row in rows if row.person_id is not None])
    for row in rows:
        everywhere = [row, *same.get(row.id, ())]
        contacts[row.id] = [f"{one.crm}:{one.external_id}" for one in everywhere]
    hashes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for author, contact in pairs:
        records = contacts.get(contact, [""])
        for kind, value in (
            ("author", authors.get(author, "")),
            *(("contact", record) for record in records),
            ("pair", f"{authors.get(author, '')}|{records[0]}"),
        ):
            hashes[context.hash_value(f"refusal {kind}", value)].append((author, contact))
    found = session.scalars(
        select(LinkRefusal.value_hash).where(
            any_of(session, LinkRefusal.value_hash, sorted(hashes))
        )
    )
    return {pair for value_hash in found for pair in hashes[value_hash]}
