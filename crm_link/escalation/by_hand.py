"""Mentions that a person holds to be a crisis: they open an incident, or join one that is open.

The counts need not reach anything: a person's word does. From there on it is an incident like
all others, with the chain, clocks and messages of its severity; its timeline says who raised it,
with which mentions and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.clock import Clock
from config.errors import ConflictError, InputError
from crm_link.escalation.delivery.outbox import add_event, pinned_protocol
from crm_link.escalation.detection import counts
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.detection.raising import Alert, raise_alert
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import BURST, DRILL, Incident
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.escalation.rules import Finding, Measure
from listener.models import Mention


def joinable(session: Session, brand_id: int) -> Sequence[Incident]:
    """Return a brand's incidents about mentions that are not resolved, the newest first."""
    return session.scalars(
        select(Incident)
        .where(
            Incident.brand_id == brand_id,
            Incident.open_key.is_not(None),
            Incident.kind.in_((BURST, DRILL)),
        )
        .options(joinedload(Incident.brand))
        .order_by(Incident.id.desc())
    ).all()


def main_topic(mentions: Sequence[Mention]) -> str:
    """Return the topic of most of these mentions."""
    topics = Counter(mention.topic or GENERAL for mention in mentions)
    return topics.most_common(1)[0][0]


def raise_by_hand(
    session: Session,
    brand_id: int,
    mentions: Sequence[Mention],
    *,
    level: str,
    reason: str,
    by: str,
    clock: Clock,
) -> int:
    """Open the incident of these mentions' topic, or join the open one; return its id.

    One that was resolved lately is opened again, as the protocol says. An open one that is less
    severe becomes as severe as this.

    Args:
        session: The transaction.
        brand_id: The brand of all of them.
        mentions: What it is about.
        level: The severity, one of the protocol's.
        reason: Why; it stands in the timeline.
        by: Who says so.
        clock: The present.

    Raises:
        InputError: The protocol has no such severity, or there is no reason.

    """
    _check_reason(reason)
    now, topic = clock(), main_topic(mentions)
    key = f"{brand_id}:{topic}"
    found = session.scalar(select(Incident).where(Incident.open_key == key))
    protocol = pinned_protocol(session, found) if found else protocol_in_force(session, brand_id)
    severity = protocol.find_severity(level)
    if severity is None:
        known = ", ".join(one.level for one in protocol.severity)
        raise InputError(
            "the protocol of brand %(brand_id)s has no severity '%(level)s'; known: %(known)s",
            brand_id=brand_id,
            level=level,
            known=known,
        )
    window = severity.conditions[0].window
    cells = counts.count_cells(
        session,
        brand_id,
        now - window,
        now,
        with_totals=counts.needs_totals([protocol], window),
        topic=None if topic == GENERAL else topic,
    )
    measure = Measure(
        negatives=sum(cell.negatives for cell in cells),
        mentions=sum(cell.mentions for cell in cells),
        window=window,
    )
    alert = Alert(brand_id, topic, protocol, Finding(severity, measure), tuple(cells))
    raise_alert(session, alert, now)
    incident_id = session.scalar(select(Incident.id).where(Incident.open_key == key))
    assert incident_id is not None
    _note(session, incident_id, mentions, reason, by, now)
    return incident_id


def join_by_hand(
    session: Session,
    incident_id: int,
    mentions: Sequence[Mention],
    *,
    reason: str,
    by: str,
    clock: Clock,
) -> None:
    """Add mentions to an incident's timeline.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved, or of another brand than one of the mentions.
        InputError: There is no reason.

    """
    _check_reason(reason)
    incident = lock_unresolved(session, incident_id)
    for mention in mentions:
        if mention.brand_id != incident.brand_id:
            raise ConflictError(
                "mention %(id)s is of another brand than incident %(incident_id)s",
                id=mention.id,
                incident_id=incident_id,
            )
    _note(session, incident_id, mentions, reason, by, clock())


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("say why it is escalated: the reason is the first that others read")


def _note(
    session: Session,
    incident_id: int,
    mentions: Sequence[Mention],
    reason: str,
    by: str,
    now: datetime,
) -> None:
    detail = {"reason": reason.strip(), "mention_ids": sorted(one.id for one in mentions)}
    add_event(session, incident_id, "raised", by, now, detail)
    session.flush()
