"""Alerts about Groundswell itself, as incidents: what it cannot see, whom it cannot reach.

They take the same way as any other: a chain, an outbox, an acknowledgement. One is open for
each thing of each brand; what happens again joins it. They are in no statistics of the brand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.bulk import insert_new
from config.phrases import joined, nphrase, phrase
from crm_link.escalation import chain
from crm_link.escalation.closing import close
from crm_link.escalation.delivery.outbox import MACHINE, add_event
from crm_link.escalation.models import (
    BURST,
    OPERATIONS,
    Incident,
    IncidentStatus,
    Notification,
    ProtocolVersion,
)
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_pinned

#: Topics of these incidents begin so, which no topic of a protocol can.
DEAD_LETTERS = "!dead letters"
OVERDUE = "!overdue steps"
NO_DATA = "!no data"

#: Lines that one incident keeps; the newest are kept.
MOST_LINES = 20


def raise_operation(
    session: Session,
    brand_id: int,
    protocol_version_id: int,
    *,
    topic: str,
    title: str,
    lines: Sequence[str],
    now: datetime,
    leave_out: Sequence[str] = (),
) -> int | None:
    """Open an incident about Groundswell itself, or join the open one.

    Args:
        session: The transaction.
        brand_id: Whose people are told.
        protocol_version_id: Which protocol says who they are; it is pinned.
        topic: What there is one open incident for.
        title: One line.
        lines: What happened, without texts or addresses.
        now: The present.
        leave_out: Contacts that are not told by the chain: they cannot be reached.

    Returns:
        The incident's id if it is new, else None.

    """
    version = session.get_one(ProtocolVersion, protocol_version_id)
    protocol = parse_pinned(version.content)
    level = severity_of(protocol)
    key = f"{brand_id}:{topic}"
    row = {
        "brand_id": brand_id,
        "protocol_version_id": protocol_version_id,
        "topic": topic[:100],
        "open_key": key[:220],
        "title": title,
        "status": IncidentStatus.OPEN,
        "severity": level,
        "opened_at": now,
        "last_seen_at": now,
        "facts": _facts(lines, leave_out, now),
        "peak": {},
        "step": 0,
        "round": 0,
        "next_due_at": now,
        "kind": OPERATIONS,
    }
    session.flush()
    is_new = insert_new(session, Incident, [row], key=("open_key",)) == 1
    incident = session.scalars(
        select(Incident)
        .where(Incident.open_key == key[:220])
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if not is_new:
        _join(incident, lines, leave_out, now)
        return None
    detail = {"severity": level, "reason": joined("\n", lines)}
    add_event(session, incident.id, "opened", MACHINE, now, detail)
    chain.start_round(incident, protocol, now)
    chain.advance(session, incident, protocol, now)
    return incident.id


def end_operation(
    session: Session, brand_id: int, *, topic: str, reason: str, now: datetime
) -> int | None:
    """Resolve such an incident because what it was about is over; return its id."""
    incident = session.scalar(
        select(Incident).where(Incident.open_key == f"{brand_id}:{topic}"[:220]).with_for_update()
    )
    if incident is None or incident.kind != OPERATIONS:
        return None
    close(session, incident, by=MACHINE, reason=reason, now=now)
    return incident.id


def severity_of(protocol: EscalationProtocol) -> str:
    """Return the severity of alerts about Groundswell itself, which decides who is told."""
    levels = [severity.level for severity in protocol.severity]
    wanted = protocol.operations.severity
    if wanted is not None and wanted in levels:
        return wanted
    mild = [level for level in levels if level != "SEV-4"]
    return (mild or levels)[-1]


def tell_dead_letter(
    session: Session, incident: Incident, row: Notification, now: datetime
) -> None:
    """Let other people learn that somebody could not be reached over any channel.

    Not for tests and drills, whose results people look at, nor for a message about such a
    message: it is counted by the incident that it belongs to.
    """
    if incident.kind not in {OPERATIONS, BURST} or incident.topic == DEAD_LETTERS:
        return
    raise_operation(
        session,
        incident.brand_id,
        incident.protocol_version_id,
        topic=DEAD_LETTERS,
        title=phrase("%(contact)s cannot be reached", contact=row.contact),
        lines=[
            nphrase(
                "A message to %(contact)s (%(channel)s) about incident %(incident)s was given up "
                "after %(num)s attempt: %(error)s.",
                "A message to %(contact)s (%(channel)s) about incident %(incident)s was given up "
                "after %(num)s attempts: %(error)s.",
                row.attempts,
                contact=row.contact,
                channel=row.channel,
                incident=incident.id,
                error=row.last_error,
            )
        ],
        now=now,
        leave_out=[row.contact],
    )


def _join(
    incident: Incident, lines: Sequence[str], leave_out: Sequence[str], now: datetime
) -> None:
    known = list(incident.facts.get("lines", []))
    new = [line for line in lines if line not in known]
    incident.last_seen_at = max(now, incident.last_seen_at)
    left_out = list(dict.fromkeys([*incident.facts.get("leave_out", []), *leave_out]))
    incident.facts = {
        **incident.facts,
        "lines": (known + new)[-MOST_LINES:],
        "leave_out": left_out,
    }


def _facts(lines: Sequence[str], leave_out: Sequence[str], now: datetime) -> dict[str, object]:
    return {
        "lines": list(lines)[-MOST_LINES:],
        "leave_out": list(leave_out),
        "since": now.isoformat(),
        "top_posts": [],
    }
