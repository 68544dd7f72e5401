"""The protocol in force of a brand, by what the database says: for processes without the files.

The engine stores each protocol that it works with; the last one that it saw is in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.models import ProtocolVersion
from crm_link.escalation.playbook.playbook_models import ProtocolSeen
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import default_protocol_text, parse_pinned


def protocol_in_force(session: Session, brand_id: int) -> EscalationProtocol:
    """Return the protocol in force of a brand; the default one where none was seen yet."""
    content = session.scalar(
        select(ProtocolVersion.content)
        .join(ProtocolSeen, ProtocolSeen.protocol_version_id == ProtocolVersion.id)
        .where(ProtocolSeen.brand_id == brand_id)
        .order_by(ProtocolSeen.id.desc())
        .limit(1)
    )
    if content is None:
        content = session.scalar(
            select(ProtocolVersion.content)
            .where(ProtocolVersion.brand_id == brand_id)
            .order_by(ProtocolVersion.id.desc())
            .limit(1)
        )
    return parse_pinned(content if content is not None else default_protocol_text())


def store_in_force(
    sessions: sessionmaker[Session], protocols: Mapping[int, EscalationProtocol], now: datetime
) -> int:
    """Store the protocols in force that are not stored yet; return how many were not.

    Args:
        sessions: Factory of sessions.
        protocols: The protocol in force of each brand, by the brand's id.
        now: The present.

    """
    with read_session(sessions) as session:
        rows = session.execute(select(ProtocolVersion.brand_id, ProtocolVersion.digest))
        known = {tuple(row) for row in rows}
    new = [(one, each) for one, each in protocols.items() if (one, each.digest) not in known]
    if new:
        with sessions.begin() as session:
            for brand_id, protocol in new:
                pin_protocol(session, brand_id, protocol, now)
    return len(new)
