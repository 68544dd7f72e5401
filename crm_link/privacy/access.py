"""Everything that is held about a person, for the person (Article 15 of the GDPR).

With where it comes from and the logic of the match, as the law asks. It is JSON, so that it can
be taken elsewhere too (Article 20).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.db import Base
from crm_link.flags.models import FlagEvent
from crm_link.linking.matching_models import ContactConsent, RecordVerdict
from crm_link.models import (
    AuthorKey,
    Contact,
    ContactKey,
    CrmJournalEntry,
    Flag,
    IdentityLink,
    LinkEvent,
    WriteBack,
)
from crm_link.privacy.counting import links_of, verdicts_of
from crm_link.privacy.subject import Subject
from crm_link.replying.models import Reply, ReplyEvent
from listener.cleaning import unpack_raw
from listener.collection_models import RawPost
from listener.models import Author, Mention, MentionVersion, Source
from sentiment.models import Correction, OldScore
from sentiment.signals.models import MentionSignal

LOGIC = (
    "An account and a record of the CRM are compared in handle, account id, e-mail address, phone "
    "number, links, name, region and the words of the profile. Each comparison weighs "
    "log2(m/u) bits: how often pairs that are the same person show it against how often others "
    "do. The sum and how common the name is give a probability. An address or a handle that "
    "agrees confirms; a name alone never does; what is not sure is decided by a person. The "
    "platform's terms and consent are asked first. Each link below names its rules, its weight "
    "and its evidence; evidence is kept as a keyed hash with the place where it was seen."
)

PURPOSES = (
    "To see what is said about the company's brands, to answer complaints, and to notice crises "
    "(legitimate interest, Article 6(1)(f) of the GDPR; consent where a link says so)."
)

#: Our own row numbers and bookkeeping, which say nothing to the person.
_OURS = frozenset({"record_hash", "profile_hash", "lease_until", "next_attempt_at"})

Rows = list[dict[str, Any]]


def export_person(session: Session, subject: Subject, *, now: datetime) -> dict[str, Any]:
    """Return all that is held about somebody, fit for JSON.

    Args:
        session: The transaction; it is only read.
        subject: Who it is.
        now: The present.

    """
    authors, contacts = subject.author_ids, subject.contact_ids
    mentions = session.scalars(
        select(Mention.id).where(any_of(session, Mention.author_id, authors)).order_by(Mention.id)
    ).all()
    own_links = links_of(session, authors, contacts)
    linked = select(IdentityLink.id).where(own_links)

    def of(model: type[Base], *conditions: ColumnElement[bool]) -> Rows:
        return _rows(session, model, *conditions)

    def of_mentions(model: Any) -> Rows:  # noqa: ANN401 - a table with `mention_id`
        return of(model, any_of(session, model.mention_id, mentions))

    return {
        "made_at": now.astimezone(UTC).isoformat(),
        "purposes": PURPOSES,
        "logic_of_the_match": LOGIC,
        "recipients": _recipients(session, contacts, authors),
        "sources": _sources(session, mentions, contacts),
        "kept_for": "Platforms' raw answers for GROUNDSWELL_RAW_RETENTION_DAYS days; the rest "
        "until it is deleted on its platform, in the CRM, or by an erasure.",
        "accounts": of(Author, any_of(session, Author.id, authors)),
        "account_keys": of(AuthorKey, any_of(session, AuthorKey.author_id, authors)),
        "posts": of(Mention, any_of(session, Mention.id, mentions)),
        "earlier_versions": of_mentions(MentionVersion),
        "platform_answers": _raw(session, mentions),
        "signals": of_mentions(MentionSignal),
        "earlier_judgements": of_mentions(OldScore),
        "corrections": of_mentions(Correction),
        "flags": of_mentions(Flag),
        "work_on_flags": of_mentions(FlagEvent),
        "replies": of_mentions(Reply),
        "work_on_replies": of_mentions(ReplyEvent),
        "records": of(Contact, any_of(session, Contact.id, contacts)),
        "record_keys": of(ContactKey, any_of(session, ContactKey.contact_id, contacts)),
        "consents": of(ContactConsent, any_of(session, ContactConsent.contact_id, contacts)),
        "said_of_records": of(RecordVerdict, verdicts_of(session, contacts)),
        "links": of(IdentityLink, own_links),
        "history_of_links": of(LinkEvent, LinkEvent.link_id.in_(linked)),
        "written_to_crms": of(WriteBack, any_of(session, WriteBack.contact_id, contacts)),
        "journal_of_crms": _journal(session, contacts),
    }


def _rows(session: Session, model: type[Base], *conditions: ColumnElement[bool]) -> Rows:
    table = model.__table__
    assert isinstance(table, Table)
    query = select(*table.columns).where(*conditions).order_by(*table.primary_key.columns)
    return [
        {name: _plain(value) for name, value in row.items() if name not in _OURS}
        for row in session.execute(query).mappings()
    ]


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _raw(session: Session, mention_ids: Sequence[int]) -> Rows:
    rows = session.execute(
        select(RawPost.platform, RawPost.external_id, RawPost.fetched_at, RawPost.payload)
        .join(
            Mention,
            (Mention.platform == RawPost.platform) & (Mention.external_id == RawPost.external_id),
        )
        .where(any_of(session, Mention.id, mention_ids))
        .distinct()
    )
    return [
        {
            "platform": row.platform,
            "external_id": row.external_id,
            "fetched_at": _plain(row.fetched_at),
            "answer": unpack_raw(row.payload),
        }
        for row in rows
    ]


def _journal(session: Session, contact_ids: Collection[int]) -> Rows:
    found: Rows = []
    for crm, external_id in session.execute(
        select(Contact.crm, Contact.external_id).where(any_of(session, Contact.id, contact_ids))
    ).all():
        found += _rows(
            session,
            CrmJournalEntry,
            CrmJournalEntry.crm == crm,
            CrmJournalEntry.external_id == external_id,
        )
    return found


def _recipients(
    session: Session, contact_ids: Collection[int], author_ids: Collection[int]
) -> list[str]:
    linked = select(IdentityLink.contact_id).where(
        any_of(session, IdentityLink.author_id, author_ids)
    )
    names = session.scalars(
        select(WriteBack.crm)
        .where(
            any_of(session, WriteBack.contact_id, contact_ids) | WriteBack.contact_id.in_(linked)
        )
        .distinct()
    )
    return [f"CRM {name}" for name in sorted(names)]


def _sources(
    session: Session, mention_ids: Sequence[int], contact_ids: Collection[int]
) -> list[str]:
    sources: list[str] = [
        f"{platform}, source {name}"
        for platform, name in session.execute(
            select(Source.platform, Source.name)
            .join(Mention, Mention.source_id == Source.id)
            .where(any_of(session, Mention.id, mention_ids))
            .distinct()
        )
    ]
    imported = session.scalars(
        select(Mention.platform)
        .where(any_of(session, Mention.id, mention_ids), Mention.source_id.is_(None))
        .distinct()
    )
    sources += [f"{platform}, an imported file" for platform in imported]
    records = session.execute(
        select(Contact.crm, Contact.relationship_source)
        .where(any_of(session, Contact.id, contact_ids))
        .distinct()
    )
    sources += [
        f"CRM {crm}, {relationship or 'relationship not said'}" for crm, relationship in records
    ]
    return sorted(sources)
