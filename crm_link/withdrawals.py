"""A consent that was taken back holds for all records of the person who took it back.

Whoever tells one department that they do not agree any more has told the company (GDPR, Article
7 (3)): what another department recorded before that counts no more. What is recorded later does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.any_of import any_of
from crm_link.contacts.one_person import same_people
from crm_link.linking.due import AnyRow
from crm_link.linking.matching_models import ContactConsent

#: The scope of a consent that holds for every platform but those that deny linking.
ANY = "any"


def without_withdrawn(
    session: Session, scopes: Mapping[int, Collection[str]]
) -> dict[int, frozenset[str]]:
    """Return the scopes of contacts without those that their person took back elsewhere."""
    left = {contact_id: frozenset(own) for contact_id, own in scopes.items() if own}
    for contact_id, gone in withdrawn_elsewhere(session, left).items():
        standing = select(ContactConsent.scope).where(
            ContactConsent.contact_id == contact_id,
            ContactConsent.revoked_at.is_(None),
            ContactConsent.id.not_in(gone),
        )
        left[contact_id] = frozenset(session.scalars(standing))
    return left


def withdrawn_elsewhere(
    session: Session, contact_ids: Collection[int]
) -> dict[int, dict[int, AnyRow]]:
    """Return the standing consents that the same person took back in another record.

    By contact and consent, with that record (`id`, `crm`, `external_id`). A withdrawal ends what
    was agreed to before it for the same platform; where one of both is for all platforms, they
    meet too.
    """
    same = same_people(session, contact_ids) if contact_ids else {}
    if not same:
        return {}
    everybody = set(same) | {one.id for group in same.values() for one in group}
    consents: dict[int, list[AnyRow]] = defaultdict(list)
    for row in session.execute(
        select(
            ContactConsent.id,
            ContactConsent.contact_id,
            ContactConsent.scope,
            ContactConsent.recorded_at,
            ContactConsent.revoked_at,
        )
        .where(any_of(session, ContactConsent.contact_id, everybody))
        .order_by(ContactConsent.id)
    ):
        consents[row.contact_id].append(row)
    found: dict[int, dict[int, AnyRow]] = defaultdict(dict)
    for contact_id, others in same.items():
        for own in consents[contact_id]:
            if own.revoked_at is not None:
                continue
            by = next(
                (
                    other
                    for other in others
                    if any(_ends(theirs, own) for theirs in consents[other.id])
                ),
                None,
            )
            if by is not None:
                found[contact_id][own.id] = by
    return dict(found)


def _ends(withdrawal: AnyRow, consent: AnyRow) -> bool:
    if withdrawal.revoked_at is None or withdrawal.revoked_at < consent.recorded_at:
        return False
    return withdrawal.scope == consent.scope or ANY in {withdrawal.scope, consent.scope}
