"""Keeping what could not be understood, so that nothing is dropped silently."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.bulk import insert_new
from listener.cleaning import clean_text, fit_id_or_none
from listener.collection_models import QuarantinedItem
from listener.types import RejectedItem

#: Bytes of an item that are kept; what is longer is cut, and its error says so.
MAX_PAYLOAD_BYTES = 1_000_000


def quarantine(
    session: Session, items: Iterable[RejectedItem], *, source_id: int | None, now: datetime
) -> int:
    """Keep items with the reason; return how many were not there yet.

    The same item from the same source is kept once, however often it is read. A payload is
    UTF-8 text.
    """
    rows = {}
    for item in items:
        payload = item.raw.encode("utf-8", "backslashreplace")
        fingerprint = hashlib.sha256(f"{source_id}\n".encode() + payload).hexdigest()
        error = clean_text(item.error)
        if len(payload) > MAX_PAYLOAD_BYTES:
            error += f" (cut: the first {MAX_PAYLOAD_BYTES:,} of {len(payload):,} bytes are kept)"
            payload = payload[:MAX_PAYLOAD_BYTES]
        rows[fingerprint] = {
            "source_id": source_id,
            "external_id": fit_id_or_none(item.external_id),
            "fingerprint": fingerprint,
            "error": error,
            "payload": payload,
            "found_at": now,
        }
    ordered = [rows[fingerprint] for fingerprint in sorted(rows)]
    return insert_new(session, QuarantinedItem, ordered, key=("fingerprint",))


def count_imported(session: Session) -> int:
    """Return how many items of imported files were not understood."""
    query = select(func.count()).where(QuarantinedItem.source_id.is_(None))
    return session.scalar(query.select_from(QuarantinedItem)) or 0
