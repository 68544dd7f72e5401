"""The statements of linking, built once for each database and run for every author.

Tables, not mapped classes: what the mapper adds to a statement costs as much as SQLite takes to
answer it. Each takes its lists by `config.any_of.given`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    Table,
    Update,
    and_,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from config.any_of import any_given, given
from config.db import Base, is_sqlite
from crm_link.linking.due import AnyRow
from crm_link.linking.matching_models import ContactConsent, LinkRefusal
from crm_link.models import AuthorKey, Contact, Flag, FlagStatus, IdentityLink, LinkEvent
from listener.models import Author, Brand, Mention, Step


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


_mention = _table(Mention)
_author = _table(Author)
_author_key = _table(AuthorKey)
_contact = _table(Contact)
_link = _table(IdentityLink)
_event = _table(LinkEvent)
_flag = _table(Flag)
_consent = _table(ContactConsent)
_refusal = _table(LinkRefusal)
_brand = _table(Brand)


#: Gives a statement for a dialect, `sqlite` or `postgresql`, with the parameter `ids`.
Statement = Callable[[str], Executable]


def rows_of(session: Session, statement: Statement, ids: Iterable[int]) -> list[AnyRow]:
    """Return the rows of one of these statements."""
    query = statement(_dialect(session))
    return list(session.execute(query, {"ids": given(session, ids)}).all())


def insert_links(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[AnyRow]:
    """Insert links that are not there yet; return those with id, author, contact and state."""
    return list(session.execute(_new_links(_dialect(session)), list(rows)).all())


def _dialect(session: Session) -> str:
    return "sqlite" if is_sqlite(session) else "postgresql"


@cache
def waiting_mentions(dialect: str) -> Select[*tuple[Any, ...]]:
    """What linking reads of mentions that wait for it."""
    c = _mention.c
    return select(c.id, c.author_id, c.kind, c.text, c.deleted_at).where(
        _any(c.id, dialect), c.pending == Step.LINK
    )


@cache
def held_mentions(dialect: str) -> Select[*tuple[Any, ...]]:
    """Mentions that still wait, held in one order: triage locks mentions by id too."""
    c = _mention.c
    return (
        select(c.id)
        .where(_any(c.id, dialect), c.pending == Step.LINK)
        .order_by(c.id)
        .with_for_update(key_share=True)
    )


@cache
def _pass_on(dialect: str) -> Update:
    c = _mention.c
    return (
        update(_mention)
        .where(_any(c.id, dialect), c.pending == Step.LINK)
        .values(pending=Step.TRIAGE)
    )


@cache
def _authors_done(dialect: str) -> Update:
    return (
        update(_author)
        .where(any_given(_author.c.id, "author_ids", on_sqlite=dialect == "sqlite"))
        .values(link_due_at=None)
    )


@cache
def _finish() -> Update:
    """Both at once, on PostgreSQL: each way there and back counts at one author a transaction."""
    return _pass_on("postgresql").add_cte(_authors_done("postgresql").cte("looked_at"))


def finish(session: Session, author_ids: Iterable[int], mention_ids: Iterable[int]) -> int:
    """Say that authors were looked at, and let mentions wait for triage; return how many did."""
    looked_at, waiting = given(session, author_ids), given(session, mention_ids)
    if is_sqlite(session):
        session.execute(_authors_done("sqlite"), {"author_ids": looked_at})
        result = session.execute(_pass_on("sqlite"), {"ids": waiting})
    else:
        result = session.execute(_finish(), {"ids": waiting, "author_ids": looked_at})
    assert isinstance(result, CursorResult)
    return max(result.rowcount, 0)


@cache
def authors(dialect: str) -> Select[*tuple[Any, ...]]:
    """What linking reads of authors, held in one order, so that nobody deadlocks."""
    c = _author.c
    return (
        select(
            c.id,
            c.platform,
            c.external_id,
            c.handle,
            c.name,
            c.bio,
            c.location,
            c.links,
            c.verified_links,
            c.link_due_at,
            c.gone_reason,
        )
        .where(_any(c.id, dialect))
        .order_by(c.id)
        .with_for_update(key_share=True)
    )


@cache
def author_keys(dialect: str) -> Select[*tuple[Any, ...]]:
    """The stored keys of authors; one row without a key (`kind`) for who has none.

    Of those to be looked at, `has_deleted` says whether a post is deleted. It is right only for
    authors who were held before this statement began: what deletes marks them too.
    """
    c = _author_key.c
    deleted = exists().where(
        _mention.c.author_id == _author.c.id, _mention.c.deleted_at.is_not(None)
    )
    return (
        select(
            _author.c.id.label("author_id"),
            c.kind,
            c.value_hash,
            c.mention_id,
            and_(_author.c.link_due_at.is_not(None), deleted).label("has_deleted"),
        )
        .outerjoin_from(_author, _author_key, c.author_id == _author.c.id)
        .where(_any(_author.c.id, dialect))
    )


@cache
def flags_of_deleted(dialect: str) -> Select[*tuple[Any, ...]]:
    """Open flags of what authors wrote and is deleted."""
    gone = select(_mention.c.id).where(
        _any(_mention.c.author_id, dialect), _mention.c.deleted_at.is_not(None)
    )
    return (
        select(_flag.c.id)
        .where(_flag.c.status == FlagStatus.OPEN, _flag.c.mention_id.in_(gone))
        .order_by(_flag.c.id)
        .with_for_update()
    )


@cache
def links_of_authors(dialect: str) -> Select[*tuple[Any, ...]]:
    """The links of authors with what decides whether they may stand, held."""
    c = _link.c
    return (
        select(
            c.id,
            c.author_id,
            c.contact_id,
            c.state,
            c.weight_bits,
            c.probability,
            c.evidence,
            c.rule_version,
            c.decided_by,
            c.decided_at,
            c.was_withdrawn,
            _contact.c.crm,
            _contact.c.relationship_source,
            _contact.c.deleted_at.label("contact_deleted_at"),
            _author.c.platform,
            _author.c.gone_reason,
        )
        .join_from(_link, _author, _author.c.id == c.author_id)
        .join(_contact, _contact.c.id == c.contact_id)
        .where(_any(c.author_id, dialect))
        .order_by(c.id)
        .with_for_update(of=_link)
    )


@cache
def _new_links(dialect: str) -> Executable:
    """Insert links that are not there yet, and return what was inserted."""
    c = _link.c
    make = sqlite_insert if dialect == "sqlite" else postgres_insert
    inserted = make(_link).on_conflict_do_nothing(index_elements=["author_id", "contact_id"])
    return inserted.returning(c.id, c.author_id, c.contact_id, c.state)


@cache
def contacts_to_weigh(dialect: str) -> Select[*tuple[Any, ...]]:
    """What is compared of contacts that the CRM still has.

    One row for each consent that stands (`scope`), one without for who gave none; every row
    says whether anybody at all is never to be proposed (`any_refusal`).
    """
    c = _contact.c
    agreed = and_(_consent.c.contact_id == c.id, _consent.c.revoked_at.is_(None))
    query = select(
        c.id,
        c.crm,
        c.name,
        c.family_name,
        c.owner,
        c.relationship_source,
        c.fields,
        c.links,
        _consent.c.scope,
        exists().where(_refusal.c.value_hash.is_not(None)).label("any_refusal"),
    )
    return query.outerjoin_from(_contact, _consent, agreed).where(
        _any(c.id, dialect), c.deleted_at.is_(None)
    )


@cache
def standing_consents(dialect: str) -> Select[*tuple[Any, ...]]:
    """What contacts agreed to and did not take back."""
    c = _consent.c
    return select(c.contact_id, c.scope).where(_any(c.contact_id, dialect), c.revoked_at.is_(None))


#: Writes what happened to links.
NEW_EVENTS = insert(_event).inline()

#: What the brands are called.
BRAND_NAMES = select(_brand.c.name, _brand.c.names)


def _any(column: Any, dialect: str) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    return any_given(column, "ids", on_sqlite=dialect == "sqlite")
