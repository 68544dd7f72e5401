"""The brand's own posts that come back with what is collected: nobody has to answer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.any_of import any_of
from crm_link.replying.models import Reply
from listener.models import Brand


def own_mentions(session: Session, rows: Sequence[ResultRow[Any]]) -> set[int]:
    """Return the ids of the rows that are posts of the brand itself.

    By one of its own handles (its `names` that begin with @), or a reply that was posted from
    here.

    Args:
        session: The transaction.
        rows: Mentions with `id`, `brand_id`, `platform`, `external_id` and the author's `handle`.

    """
    named = session.execute(
        select(Brand.id, Brand.names).where(Brand.id.in_({row.brand_id for row in rows}))
    )
    handles = {
        brand_id: {name[1:].casefold() for name in names if name.startswith("@")}
        for brand_id, names in named
    }
    posted = session.execute(
        select(Reply.platform, Reply.posted_id).where(
            any_of(session, Reply.posted_id, [row.external_id for row in rows])
        )
    )
    ours = {tuple(one) for one in posted}
    return {
        row.id
        for row in rows
        if (row.handle or "").casefold() in handles.get(row.brand_id, ())
        or (row.platform, row.external_id) in ours
    }
