"""Exporting mentions as JSON lines that `import_mentions` reads back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import to_utc
from config.db import read_session
from config.outputs import whole_file
from listener.models import Author, Brand, Mention
from listener.sources import get_brand

#: Mentions that are read at once.
BATCH = 1_000

#: Gives further fields for mentions, by id.
More = Callable[[Session, Sequence[int]], Mapping[int, Mapping[str, Any]]]

_COLUMNS = {
    "platform": Mention.platform,
    "external_id": Mention.external_id,
    "brand": Brand.key,
    "kind": Mention.kind,
    "url": Mention.url,
    "text": Mention.text,
    "published_at": Mention.published_at,
    "edited_at": Mention.edited_at,
    "author_id": Author.external_id,
    "author_handle": Author.handle,
    "author_name": Author.name,
    "conversation_id": Mention.conversation_id,
    "reply_to_id": Mention.reply_to_id,
    "repost_of_id": Mention.repost_of_id,
    "links": Mention.links,
    "likes": Mention.likes,
    "reposts": Mention.reposts,
    "replies": Mention.replies,
    "views": Mention.views,
    "platform_lang": Mention.platform_lang,
    "label": Mention.label,
    "score": Mention.score,
    "confidence": Mention.confidence,
    "lang": Mention.lang,
    "scorer": Mention.scorer,
    "priority": Mention.priority,
    "topic": Mention.topic,
    "route": Mention.route,
    "fold_count": Mention.fold_count,
}


def export_mentions(
    sessions: sessionmaker[Session],
    out: Path,
    *,
    brand_key: str | None = None,
    since: datetime | None = None,
    more: More | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Write mentions to `out`, one JSON object in each line; return how many.

    The file appears when it is whole. Deleted posts are left out: they must not live on in
    copies; so are those of drills. A folded mention names the one that it was folded into
    (`folded_into`).

    Args:
        sessions: Where they are.
        out: The file; one that is there is replaced. `-` is standard output.
        brand_key: Only mentions of this brand; None for all.
        since: Only mentions published from here on.
        more: Gives further fields of mentions by their ids: what other packages know of them.
        on_progress: Called with the number written so far.

    Raises:
        InputError: The file cannot be written.
        NotFoundError: There is no such brand.

    """
    with read_session(sessions) as session:
        brand_id = get_brand(session, brand_key).id if brand_key is not None else None
    written = 0
    with whole_file(out) as file:
        for batch in _batches(sessions, brand_id, since, more):
            file.writelines(_line(row) for row in batch)
            written += len(batch)
            if on_progress is not None:
                on_progress(written)
    return written


def _batches(
    sessions: sessionmaker[Session],
    brand_id: int | None,
    since: datetime | None,
    more: More | None,
) -> Iterator[list[Mapping[str, Any]]]:
    """Yield rows in batches by row id, each in a short transaction of its own."""
    last_id = 0
    while True:
        with read_session(sessions) as session:
            query = _query(brand_id, since).where(Mention.id > last_id)
            found = session.execute(query.order_by(Mention.id).limit(BATCH)).mappings()
            rows = [dict(row) for row in found]
            folded_into = _names(session, {row["folded_into_id"] for row in rows} - {None})
            added = more(session, [row["id"] for row in rows]) if more else {}
        if not rows:
            return
        last_id = rows[-1]["id"]
        for row in rows:
            row["folded_into"] = folded_into.get(row.pop("folded_into_id"))
            row.update(added.get(row.pop("id"), {}))
        yield list(rows)


def _query(brand_id: int | None, since: datetime | None) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            Mention.id,
            Mention.folded_into_id,
            *(column.label(name) for name, column in _COLUMNS.items()),
        )
        .join(Brand, Brand.id == Mention.brand_id)
        .outerjoin(Author, Author.id == Mention.author_id)
        .where(Mention.deleted_at.is_(None), Brand.is_own())
    )
    if brand_id is not None:
        query = query.where(Mention.brand_id == brand_id)
    return query if since is None else query.where(Mention.published_at >= to_utc(since))


def _names(session: Session, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    found = session.execute(select(Mention.id, Mention.external_id).where(Mention.id.in_(ids)))
    return {row.id: row.external_id for row in found}


def _line(row: Mapping[str, Any]) -> bytes:
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    return orjson.dumps(
        {
            name: value.astimezone(UTC) if isinstance(value, datetime) else value
            for name, value in row.items()
        },
        option=options,
    )
