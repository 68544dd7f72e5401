"""Erasing the rows that are about a person: posts, profile, links, record, review items.

What a brand's counts are made of stays, without anything of the person: a post is left as an
empty row with its time and label, by nobody and under an id of ours. Accounts and records leave
an empty row too, because other rows may name its number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import CursorResult, Delete, Update, case, delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import update_rows
from config.db import in_transaction
from crm_link.contacts.joining import mark_records
from crm_link.contacts.one_person import with_same
from crm_link.context import LinkContext
from crm_link.enrich import queue_enrichment
from crm_link.figures.models import FigurePerson
from crm_link.figures.windows import mark_windows
from crm_link.flags.models import FlagEvent, MentionPriority, QueuePresence
from crm_link.linking.due import lock_authors
from crm_link.linking.match_index import load_known, update_index
from crm_link.linking.matching_models import ContactConsent, NameCount, RecordVerdict
from crm_link.models import (
    AuthorKey,
    Contact,
    ContactKey,
    Flag,
    FoldKey,
    IdentityLink,
    LinkEvent,
)
from crm_link.privacy.counting import links_of, verdicts_of
from crm_link.refusals import Reason, refuse
from crm_link.replying.models import Reply, ReplyEvent
from listener.collection_models import RawPost
from listener.models import JUDGING, Author, Mention, MentionAlias, MentionVersion, Step
from listener.suppression import Suppressed, suppress
from sentiment.facet_models import Influence
from sentiment.models import OldScore

#: What stands on a post and goes with it.
_OF_MENTIONS = (
    MentionVersion,
    MentionAlias,
    Flag,
    FlagEvent,
    MentionPriority,
    QueuePresence,
    ReplyEvent,
    Reply,
    FoldKey,
    OldScore,
)

#: Posts that one transaction erases.
BATCH = 500

Counts = Counter[str]


def erase_posts(
    sessions: sessionmaker[Session], author_ids: Sequence[int], now: datetime
) -> Counts:
    """Erase what the authors wrote, and what repeats it; return rows by table."""
    total: Counts = Counter()
    while True:
        found = in_transaction(sessions, lambda session: _erase_batch(session, author_ids, now))
        total += found
        if not found["mention"]:
            return total


def erase_authors(
    sessions: sessionmaker[Session],
    author_ids: Sequence[int],
    now: datetime,
    context: LinkContext,
) -> Counts:
    """Erase profiles, keys and links of the authors, and never store them again."""
    return in_transaction(sessions, lambda s: _erase_authors(s, author_ids, now, context))


def erase_contacts(
    sessions: sessionmaker[Session],
    contact_ids: Sequence[int],
    now: datetime,
    context: LinkContext,
) -> Counts:
    """Empty our mirror of the records; their rows stay until the CRMs are told."""
    return in_transaction(sessions, lambda s: _erase_contacts(s, contact_ids, now, context))


def _erase_batch(session: Session, author_ids: Sequence[int], now: datetime) -> Counts:
    lock_authors(session, author_ids)
    own = session.execute(
        select(Mention.id, Mention.platform, Mention.external_id)
        .where(any_of(session, Mention.author_id, author_ids))
        .order_by(Mention.id)
        .limit(BATCH)
        .with_for_update()
    ).all()
    found: Counts = Counter()
    names: dict[str, dict[str, int]] = defaultdict(dict)
    for row in own:
        names[row.platform][row.external_id] = row.id
    for platform, alias, mention_id in session.execute(
        select(MentionAlias.platform, MentionAlias.external_id, MentionAlias.mention_id).where(
            any_of(session, MentionAlias.mention_id, [row.id for row in own])
        )
    ):
        names[platform][alias] = mention_id
    ids = {row.id for row in own}
    for platform, known_as in names.items():
        suppress(session, Suppressed.POST, platform, known_as, now)
        repeats = session.execute(
            select(Mention.id, Mention.external_id).where(
                Mention.platform == platform, any_of(session, Mention.repost_of_id, known_as)
            )
        ).all()
        ids |= {row.id for row in repeats}
        _rename_references(session, platform, known_as)
        raw = [*known_as, *(row.external_id for row in repeats)]
        found["raw_post"] += _run(
            session,
            delete(RawPost).where(
                RawPost.platform == platform, any_of(session, RawPost.external_id, raw)
            ),
        )
    for model in _OF_MENTIONS:
        own_rows = any_of(session, model.mention_id, sorted(ids))
        found[model.__tablename__] += _run(session, delete(model).where(own_rows))
    found["mention"] = _empty(session, sorted(ids), now)
    return found


def _rename_references(session: Session, platform: str, known_as: Mapping[str, int]) -> None:
    """Let answers and threads name our row in place of the platform's post: they stay together."""
    for column in (Mention.reply_to_id, Mention.conversation_id):
        rows = session.execute(
            select(Mention.id, column.label("name")).where(
                Mention.platform == platform, any_of(session, column, known_as)
            )
        ).all()
        update_rows(
            session,
            Mention,
            [{"id": row.id, column.key: f"erased:{known_as[row.name]}"} for row in rows],
        )


def _empty(session: Session, ids: Sequence[int], now: datetime) -> int:
    """Leave of the posts what counts are made of; what nobody judged yet is still counted."""
    update_rows(session, Mention, [{"id": one, "external_id": f"erased:{one}"} for one in ids])
    return _run(
        session,
        update(Mention)
        .where(any_of(session, Mention.id, ids))
        .values(
            author_id=None,
            text="",
            url=None,
            links=[],
            reply_to_id=None,
            repost_of_id=None,
            conversation_id=None,
            deleted_at=func.coalesce(Mention.deleted_at, now),
            pending=case(
                (Mention.label.is_not(None) & (Mention.pending == Step.SCORE), Step.LINK),
                (Mention.pending.in_(JUDGING), None),
                else_=Mention.pending,
            ),
        ),
    )


def _erase_authors(
    session: Session, author_ids: Sequence[int], now: datetime, context: LinkContext
) -> Counts:
    # Before any author is locked: who stores figures locks their window first, then authors.
    mark_windows(session, now)
    lock_authors(session, author_ids)
    rows = session.execute(
        select(Author.id, Author.platform, Author.external_id).where(
            any_of(session, Author.id, author_ids)
        )
    ).all()
    for row in rows:
        suppress(session, Suppressed.AUTHOR, row.platform, [row.external_id], now)
    accounts = [("author", f"{row.platform}:{row.external_id}") for row in rows]
    refuse(session, accounts, reason=Reason.ERASED, context=context, clock=lambda: now)
    found, touched = _erase_links(session, author_ids, ())
    for model in (AuthorKey, Influence, FigurePerson):
        own_rows = any_of(session, model.author_id, author_ids)
        found[model.__tablename__] = _run(session, delete(model).where(own_rows))
    names = [{"id": one, "external_id": f"erased:{one}"} for one in author_ids]
    update_rows(session, Author, names)
    found["author"] = _run(
        session,
        update(Author)
        .where(any_of(session, Author.id, author_ids))
        .values(
            handle=None,
            name=None,
            bio=None,
            location=None,
            links=[],
            verified_links=[],
            followers=None,
            is_verified=None,
            created_at=None,
            gone_reason=None,
            profile_hash="",
            link_due_at=None,
        ),
    )
    queue_enrichment(session, touched, now=now)
    return found


def _erase_links(
    session: Session, author_ids: Collection[int], contact_ids: Collection[int]
) -> tuple[Counts, set[int]]:
    """Delete the links with their history; return also the contacts that they led to."""
    rows = session.execute(
        select(IdentityLink.id, IdentityLink.contact_id)
        .where(links_of(session, author_ids, contact_ids))
        .order_by(IdentityLink.id)
        .with_for_update()
    ).all()
    ids = [row.id for row in rows]
    found: Counts = Counter()
    for model, column in ((LinkEvent, LinkEvent.link_id), (IdentityLink, IdentityLink.id)):
        own = any_of(session, column, ids)
        found[model.__tablename__] = _run(session, delete(model).where(own))
    return found, {row.contact_id for row in rows}


def _erase_contacts(
    session: Session, contact_ids: Sequence[int], now: datetime, context: LinkContext
) -> Counts:
    rows = session.execute(
        select(Contact.id, Contact.crm, Contact.external_id)
        .where(any_of(session, Contact.id, contact_ids))
        .order_by(Contact.id)
        .with_for_update()
    ).all()
    records = [("contact", f"{row.crm}:{row.external_id}") for row in rows]
    refuse(session, records, reason=Reason.ERASED, context=context, clock=lambda: now)
    found, _ = _erase_links(session, (), contact_ids)
    mark_records(session, with_same(session, contact_ids) - set(contact_ids), now)
    update_index(session, load_known(session, contact_ids, context.book), {})
    session.execute(delete(NameCount).where(NameCount.contacts <= 0))
    for model in (ContactKey, ContactConsent):
        own = any_of(session, model.contact_id, contact_ids)
        found[model.__tablename__] = _run(session, delete(model).where(own))
    about = verdicts_of(session, contact_ids)
    found["record_verdict"] = _run(session, delete(RecordVerdict).where(about))
    found["contact"] = _run(
        session,
        update(Contact)
        .where(any_of(session, Contact.id, contact_ids))
        .values(
            name="",
            family_name=None,
            emails=[],
            phones=[],
            handles=[],
            links=[],
            country=None,
            tier=None,
            value=None,
            owner=None,
            relationship_source=None,
            fields={},
            record_hash="",
            person_id=None,
            person_due_at=None,
            deleted_at=func.coalesce(Contact.deleted_at, now),
        ),
    )
    queue_enrichment(session, contact_ids, now=now)
    return found


def _run(session: Session, statement: Delete | Update) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return max(result.rowcount, 0)
