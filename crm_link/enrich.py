"""What a contact's CRM record is told: handles, mentions, sentiment, open incident.

The fields are computed anew from what the database says, and compared with what was last
queued: an unchanged record is not written. A contact without a confirmed link has its
fields cleared, if we ever wrote any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.clock import Clock
from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.figures.author_numbers import AuthorNumbers, author_numbers
from crm_link.figures.author_scores import author_scores, score_fields, wanted_scores
from crm_link.linking.due import AnyRow
from crm_link.models import Contact, IdentityLink
from crm_link.outbox.cases import wanted_cases
from crm_link.outbox.outbox_rows import Wanted, queue_records
from crm_link.profile_rights import ProfileRights, rights_of
from crm_link.types import LinkState
from listener.models import Author, Mention

#: Digits of the average sentiment; more would be written again for every mention.
PRECISION = 2

_CLEARED: dict[str, Any] = dict.fromkeys(field.name for field in CRM_FIELDS)
_CHUNK = 1000


def queue_enrichment(session: Session, contact_ids: Collection[int], *, now: datetime) -> int:
    """Queue what the records of these contacts should say; return how many changed.

    Called in the transaction that changed something: a link, a mention, an incident. Holds
    the contacts until it ends, so that the later of two workers writes the later truth.
    """
    queued = 0
    ordered = sorted(contact_ids)
    for start in range(0, len(ordered), _CHUNK):
        queued += _queue(session, ordered[start : start + _CHUNK], now)
    return queued


def queue_incident_enrichment(
    session: Session, brand_id: int, topic: str, *, since: datetime, now: datetime
) -> int:
    """Queue the contacts who spoke about a brand's topic since a time; return how many changed.

    Called when an incident opens or is resolved, with the beginning of its window.
    """
    contact_ids = set(
        session.scalars(
            select(IdentityLink.contact_id)
            .join(Mention, Mention.author_id == IdentityLink.author_id)
            .where(
                IdentityLink.state == LinkState.CONFIRMED,
                Mention.brand_id == brand_id,
                Mention.topic == topic,
                Mention.published_at >= since,
            )
            .distinct()
        )
    )
    return queue_enrichment(session, contact_ids, now=now)


def queue_people(session: Session, author_ids: Collection[int | None], *, now: datetime) -> int:
    """Queue the contacts that these authors are confirmed to be; return how many changed."""
    known = sorted(one for one in author_ids if one is not None)
    if not known:
        return 0
    contact_ids = session.scalars(
        select(IdentityLink.contact_id)
        .where(
            any_of(session, IdentityLink.author_id, known),
            IdentityLink.state == LinkState.CONFIRMED,
        )
        .distinct()
    ).all()
    return queue_enrichment(session, contact_ids, now=now)


def queue_speakers(
    sessions: sessionmaker[Session], mention_ids: Sequence[int], *, clock: Clock
) -> int:
    """Queue the contacts who wrote these mentions; return how many changed.

    Called when what scores are made of came to be known of the mentions.
    """
    if not wanted_scores():
        return 0
    with sessions.begin() as session:
        authors = session.scalars(
            select(Mention.author_id).where(any_of(session, Mention.id, mention_ids)).distinct()
        )
        return queue_people(session, set(authors), now=clock())


def _queue(session: Session, contact_ids: Sequence[int], now: datetime) -> int:
    contacts = session.execute(
        select(
            Contact.id,
            Contact.crm,
            Contact.external_id,
            Contact.relationship_source,
            Contact.must_not_contact,
        )
        .where(any_of(session, Contact.id, contact_ids))
        .order_by(Contact.id)
        .with_for_update(key_share=True)
    ).all()
    fields = _fields(session, contacts, now)
    wanted = [
        Wanted(one.crm, one.external_id, one.id, fields.get(one.id, _CLEARED)) for one in contacts
    ]
    wanted += wanted_cases(session, contact_ids, now=now)
    return queue_records(session, wanted, now=now)


def _fields(
    session: Session, contacts: Sequence[AnyRow], now: datetime
) -> dict[int, dict[str, Any]]:
    """Return the fields of the contacts that have a confirmed link, by contact."""
    accounts: dict[int, list[AnyRow]] = defaultdict(list)
    for row in session.execute(
        select(
            IdentityLink.contact_id,
            Author.id,
            Author.platform,
            Author.handle,
            Author.external_id,
        )
        .join(Author, Author.id == IdentityLink.author_id)
        .where(
            any_of(session, IdentityLink.contact_id, [contact.id for contact in contacts]),
            IdentityLink.state == LinkState.CONFIRMED,
        )
        .order_by(Author.platform, Author.id)
    ):
        accounts[row.contact_id].append(row)
    author_ids = {row.id for rows in accounts.values() for row in rows}
    numbers = author_numbers(session, author_ids)
    wanted = wanted_scores()
    scores = author_scores(session, author_ids, now) if wanted and author_ids else {}
    platforms = {one: {row.platform for row in rows} for one, rows in accounts.items()}
    rights = rights_of(session, contacts, platforms)
    found: dict[int, dict[str, Any]] = {}
    for contact_id, rows in accounts.items():
        own = rights[contact_id]
        told = [scores[row.id] for row in rows if row.id in scores and own.may_score(row.platform)]
        found[contact_id] = _fields_of(rows, numbers, own) | score_fields(told, wanted)
    return found


def _fields_of(
    accounts: Sequence[AnyRow],
    numbers: Mapping[int, AuthorNumbers],
    rights: ProfileRights,
) -> dict[str, Any]:
    all_of = [(row, numbers[row.id]) for row in accounts if row.id in numbers]
    judged = [found for row, found in all_of if rights.may_tell_sentiment(row.platform)]
    newest = max((n.last_at for _, n in all_of if n.last_at), default=None)
    last = max(
        (found for found in judged if found.last_at and found.last_label),
        key=lambda found: found.last_at or datetime.min,  # noqa: DTZ901 - never reached
        default=None,
    )
    scored = sum(found.scored for found in judged)
    average = sum(found.score_sum for found in judged) / scored if scored else None
    incidents = sorted({found.incident for _, found in all_of if found.incident})
    return {
        "groundswell_handles": "; ".join(
            f"{row.platform}:{row.handle or row.external_id}" for row in accounts
        ),
        "groundswell_mentions": sum(found.mentions for _, found in all_of),
        "groundswell_last_mention_at": newest.isoformat() if newest else None,
        "groundswell_last_sentiment": last.last_label if last else None,
        "groundswell_average_sentiment": None if average is None else round(average, PRECISION),
        "groundswell_complaints": sum(found.complaints for _, found in all_of),
        "groundswell_open_incident": "; ".join(incidents) or None,
    }
