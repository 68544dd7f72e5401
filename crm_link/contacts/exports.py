"""Exports of links and contacts as JSON lines: read in pages, put in place at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.outputs import whole_file
from crm_link.models import Contact, IdentityLink
from listener.models import Author

#: Rows read at once.
PAGE_SIZE = 1000

_Rows = Iterator[tuple[int, dict[str, Any]]]


def export_links(
    sessions: sessionmaker[Session], path: Path, *, on_progress: Callable[[int], None] | None = None
) -> int:
    """Write every link with its evidence to `path`; return how many.

    Raises:
        InputError: The file cannot be written.

    """
    return _export(sessions, path, _links, on_progress)


def export_contacts(
    sessions: sessionmaker[Session], path: Path, *, on_progress: Callable[[int], None] | None = None
) -> int:
    """Write every contact of our mirror to `path`; return how many.

    Raises:
        InputError: The file cannot be written.

    """
    return _export(sessions, path, _contacts, on_progress)


def _links(session: Session, after: int) -> _Rows:
    query = (
        select(
            IdentityLink.id,
            Author.platform,
            Author.external_id.label("author_external_id"),
            Author.handle.label("author_handle"),
            Author.name.label("author_name"),
            Contact.crm,
            Contact.external_id.label("contact_external_id"),
            Contact.name.label("contact_name"),
            IdentityLink.state,
            IdentityLink.weight_bits,
            IdentityLink.evidence,
            IdentityLink.rule_version,
            IdentityLink.decided_by,
            IdentityLink.decided_at,
            IdentityLink.created_at,
        )
        .join(Author, Author.id == IdentityLink.author_id)
        .join(Contact, Contact.id == IdentityLink.contact_id)
        .where(IdentityLink.id > after)
        .order_by(IdentityLink.id)
        .limit(PAGE_SIZE)
    )
    for row in session.execute(query).mappings():
        yield row["id"], dict(row)


def _contacts(session: Session, after: int) -> _Rows:
    query = (
        select(
            Contact.id,
            Contact.crm,
            Contact.external_id,
            Contact.name,
            Contact.emails,
            Contact.phones,
            Contact.handles,
            Contact.links,
            Contact.country,
            Contact.tier,
            Contact.value,
            Contact.owner,
            Contact.relationship_source,
            Contact.do_not_contact,
            Contact.must_not_contact,
            Contact.fields,
            Contact.deleted_at,
            Contact.updated_at,
        )
        .where(Contact.id > after)
        .order_by(Contact.id)
        .limit(PAGE_SIZE)
    )
    for row in session.execute(query).mappings():
        yield row["id"], dict(row)


def _export(
    sessions: sessionmaker[Session],
    path: Path,
    rows_after: Callable[[Session, int], _Rows],
    on_progress: Callable[[int], None] | None,
) -> int:
    """Write page after page; each is a short transaction of its own."""
    count = after = 0
    with whole_file(path) as file:
        while True:
            with read_session(sessions) as session:
                page = list(rows_after(session, after))
            for after, row in page:  # noqa: B007 - the last one is where the next page begins
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            count += len(page)
            if on_progress is not None:
                on_progress(count)
            if len(page) < PAGE_SIZE:
                return count
