"""The protocols that incidents began with, as the detector needs them: many at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.bulk import insert_new
from config.errors import InputError
from config.logs import get_logger
from crm_link.escalation.models import ProtocolVersion
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_pinned

log = get_logger(__name__)


def read_pinned(session: Session, version_ids: Collection[int]) -> dict[int, EscalationProtocol]:
    """Return the pinned protocols by id; one that cannot be read any more is left out and said.

    Each is read once, however many incidents share it.
    """
    found: dict[int, EscalationProtocol] = {}
    for row in session.execute(
        select(ProtocolVersion.id, ProtocolVersion.content).where(
            ProtocolVersion.id.in_(version_ids)
        )
    ):
        try:
            found[row.id] = parse_pinned(row.content)
        except InputError:
            log.error("a pinned protocol cannot be read", protocol_version_id=row.id)
    return found


def pin_protocol(
    session: Session, brand_id: int, protocol: EscalationProtocol, now: datetime
) -> int:
    """Store a protocol as it stands, if it is not there yet; return its version's id."""
    row = {
        "brand_id": brand_id,
        "digest": protocol.digest,
        "content": protocol.source,
        "created_at": now,
    }
    insert_new(session, ProtocolVersion, [row], key=("brand_id", "digest"))
    return session.scalars(
        select(ProtocolVersion.id).where(
            ProtocolVersion.brand_id == brand_id, ProtocolVersion.digest == protocol.digest
        )
    ).one()
