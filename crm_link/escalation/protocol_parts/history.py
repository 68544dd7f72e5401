"""Which protocol was in force since when, and who edited its file; every edit is kept.

The running system writes down each state of a file that it sees, with its digest, the time and
the owner of the file on its machine; of an edit in the console, who made it and why. The console
and the command line read from here, so that they show what is in force and not what somebody is
just typing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, null, select
from sqlalchemy.orm import Session

from config.errors import InputError
from config.phrases import lines_of, phrase
from crm_link.escalation.detection.operations import end_operation, raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.models import ProtocolVersion
from crm_link.escalation.playbook.playbook_models import ProtocolSeen
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_pinned
from listener.models import Brand

#: The topic of alerts about a file that cannot be obeyed.
BROKEN_FILE = "!protocol file"

#: How much of what is wrong with a file an alert says.
MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Sight:
    """One state of a protocol's file: what stood in it, or what was wrong with it."""

    brand_id: int
    protocol: EscalationProtocol
    file: str
    by: str
    problem: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that was seen, with the digest of what is in force since."""

    id: int
    brand_key: str
    version_id: int | None
    digest: str | None
    seen_at: datetime
    by: str
    file: str
    problem: str | None
    why: str | None


def record_sight(session: Session, sight: Sight, now: datetime) -> bool:
    """Write down what is seen of a file, if it is news, and tell people of a broken one.

    Where the file is broken, `protocol` is the one that stays in force. Two processes that see
    the same edit write it once: the brand is locked.
    """
    session.execute(
        select(Brand.id).where(Brand.id == sight.brand_id).with_for_update(key_share=True)
    )
    version_id = pin_protocol(session, sight.brand_id, sight.protocol, now)
    last = session.scalar(
        select(ProtocolSeen)
        .where(ProtocolSeen.brand_id == sight.brand_id)
        .order_by(ProtocolSeen.id.desc())
        .limit(1)
    )
    seen = None if sight.problem else version_id
    if last is not None and (last.protocol_version_id, last.problem or "") == (seen, sight.problem):
        return False
    session.add(
        ProtocolSeen(
            brand_id=sight.brand_id,
            protocol_version_id=seen,
            seen_at=now,
            by=sight.by[:200],
            file=sight.file,
            problem=sight.problem or None,
            why=sight.why or None,
        )
    )
    if sight.problem:
        _tell_broken(session, sight, version_id, now)
    elif last is not None and last.problem:
        reason = phrase("%(file)s is whole again", file=sight.file)
        end_operation(session, sight.brand_id, topic=BROKEN_FILE, reason=reason, now=now)
    return True


def _tell_broken(session: Session, sight: Sight, version_id: int, now: datetime) -> None:
    lines = lines_of(sight.problem)
    raise_operation(
        session,
        sight.brand_id,
        version_id,
        topic=BROKEN_FILE,
        title=phrase(
            "The protocol file %(file)s is broken; the last good one stays in force",
            file=sight.file,
        ),
        lines=[*lines[:MOST_LINES], *(["..."] if len(lines) > MOST_LINES else [])],
        now=now,
    )


def list_edits(session: Session, brand_id: int | None = None, *, limit: int = 100) -> list[Edit]:
    """Return the edits that were seen, the newest first."""
    query = (
        select(
            ProtocolSeen.id,
            Brand.key.label("brand_key"),
            ProtocolSeen.protocol_version_id.label("version_id"),
            ProtocolVersion.digest,
            ProtocolSeen.seen_at,
            ProtocolSeen.by,
            ProtocolSeen.file,
            ProtocolSeen.problem,
            ProtocolSeen.why,
        )
        .join(Brand, Brand.id == ProtocolSeen.brand_id)
        .outerjoin(ProtocolVersion, ProtocolVersion.id == ProtocolSeen.protocol_version_id)
        .order_by(ProtocolSeen.id.desc())
        .limit(limit)
    )
    if brand_id is not None:
        query = query.where(ProtocolSeen.brand_id == brand_id)
    return [Edit(*row) for row in session.execute(query)]


def broken_files(session: Session) -> Sequence[Edit]:
    """Return what is broken now: the newest state of each active brand's file, where it is."""
    newest = (
        select(func.max(ProtocolSeen.id))
        .join(Brand, Brand.id == ProtocolSeen.brand_id)
        .where(Brand.is_active)
        .group_by(ProtocolSeen.brand_id)
    )
    rows = session.execute(
        select(
            ProtocolSeen.id,
            Brand.key,
            ProtocolSeen.protocol_version_id,
            null(),
            ProtocolSeen.seen_at,
            ProtocolSeen.by,
            ProtocolSeen.file,
            ProtocolSeen.problem,
            ProtocolSeen.why,
        )
        .join(Brand, Brand.id == ProtocolSeen.brand_id)
        .where(ProtocolSeen.id.in_(newest), ProtocolSeen.problem.is_not(None))
        .order_by(ProtocolSeen.id)
    )
    return [Edit(*row) for row in rows]


def read_version(session: Session, version_id: int) -> tuple[str, EscalationProtocol]:
    """Return (YAML, protocol) of a stored version.

    Raises:
        InputError: There is none with this number, or it cannot be read by this version.

    """
    content = session.scalar(
        select(ProtocolVersion.content).where(ProtocolVersion.id == version_id)
    )
    if content is None:
        raise InputError(
            "there is no protocol version %(version_id)s; `groundswell protocol "
            "history` lists them",
            version_id=version_id,
        )
    return content, parse_pinned(content)
