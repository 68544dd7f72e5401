"""Does what people should find in the CRM arrive there? A CRM that fails is an alert by itself.

Two causes are told, each once for a CRM however many records it concerns: records that were
given up, by why, and calls that fail for longer than the protocol lets a source be without data.
An alert ends by itself when its cause is gone. Where a person ends it before that, only what is
given up afterwards is told again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.durations import format_duration
from config.logs import get_logger
from config.phrases import Moment, phrase
from crm_link.calls.crm_health import CrmWork, failing_crms
from crm_link.escalation.detection.operations import end_operation, raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.models import OPERATIONS, Incident
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.outbox.dead_letters import causes_of
from listener.models import Brand

log = get_logger(__name__)

#: Topics of these alerts begin so.
CRM_TOPIC = "!crm"

_DOES = {
    CrmWork.CONTACTS.value: phrase("its contacts cannot be read"),
    CrmWork.WRITES.value: phrase("nothing can be written to it"),
}


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why people should look at a CRM.

    Args:
        topic: What there is one open alert for.
        title: One line.
        line: What happened, in words that stay while it lasts.
        newest_at: When it last happened; None while it lasts.

    """

    topic: str
    title: str
    line: str
    newest_at: datetime | None = None


def watch_crms(
    sessions: sessionmaker[Session],
    protocols: Mapping[int, EscalationProtocol],
    names: Sequence[str],
    *,
    clock: Clock,
) -> list[int]:
    """Raise and end alerts about CRMs; return the incidents that changed.

    A CRM is of no brand: of brands with the same protocol, which tells the same people, the
    first one's are told.

    Args:
        sessions: Factory of sessions.
        protocols: The protocol in force of each brand, by the brand's id.
        names: The CRMs that are in use.
        clock: The present.

    """
    now = clock()
    changed: list[int | None] = []
    with read_session(sessions) as session:
        given_up = _given_up(session, names)
        brands = _brands(session, protocols)
        stopped = {
            brand_id: _stopped(session, names, protocols[brand_id].operations.no_data, now)
            for brand_id in brands
        }
        open_topics = _open_topics(session)
        ended = _ended(session, [one.topic for one in given_up]) if given_up else {}
    for brand_id, topics in open_topics.items():
        wanted = {one.topic for one in (*given_up, *stopped.get(brand_id, ()))}
        for topic in sorted(topics - wanted):
            with sessions.begin() as session:
                changed.append(
                    end_operation(
                        session, brand_id, topic=topic, reason=phrase("it is over"), now=now
                    )
                )
    for brand_id in brands:
        for problem in (*given_up, *stopped[brand_id]):
            ended_at = ended.get((brand_id, problem.topic))
            if ended_at and problem.newest_at and problem.newest_at <= ended_at:
                continue
            with sessions.begin() as session:
                changed.append(_tell(session, brand_id, protocols[brand_id], problem, now))
    found = [one for one in changed if one is not None]
    if found:
        log.warning("CRMs looked at", incident_ids=found)
    return found


def _given_up(session: Session, names: Sequence[str]) -> list[_Problem]:
    return [
        _Problem(
            f"{CRM_TOPIC} {one.crm} {one.sign}"[:100],
            phrase("Records of %(crm)s were given up", crm=one.crm),
            phrase(
                "%(crm)s: %(reason)s They are listed under Admin, CRMs.",
                crm=one.crm,
                reason=one.reason,
            ),
            one.newest_at,
        )
        for one in causes_of(session, names)
    ]


def _stopped(
    session: Session, names: Sequence[str], no_data: timedelta, now: datetime
) -> list[_Problem]:
    return [
        _Problem(
            f"{CRM_TOPIC} {one.crm} {one.work}",
            phrase("%(crm)s fails", crm=one.crm),
            phrase(
                "%(crm)s: %(what)s since %(since)s; more than %(time)s. %(error)s",
                crm=one.crm,
                what=_DOES[one.work],
                since=Moment(one.failing_since),
                time=format_duration(no_data),
                error=one.last_error,
            ),
        )
        for one in failing_crms(session, names)
        if one.failing_since is not None and now - one.failing_since > no_data
    ]


def _brands(session: Session, protocols: Mapping[int, EscalationProtocol]) -> list[int]:
    """Return one brand, the first, of those that have the same protocol."""
    ids = session.scalars(
        select(Brand.id).where(Brand.id.in_(protocols), Brand.drill_of_id.is_(None))
    )
    first: dict[str, int] = {}
    for brand_id in sorted(ids):
        first.setdefault(protocols[brand_id].digest, brand_id)
    return list(first.values())


def _open_topics(session: Session) -> dict[int, set[str]]:
    """Return what open alerts are about, by brand."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for brand_id, topic in session.execute(
        select(Incident.brand_id, Incident.topic).where(
            Incident.open_key.is_not(None),
            Incident.kind == OPERATIONS,
            Incident.topic.startswith(f"{CRM_TOPIC} "),
        )
    ):
        found[brand_id].add(topic)
    return found


def _ended(session: Session, topics: Sequence[str]) -> dict[tuple[int, str], datetime]:
    """Return when the last alert of each brand about these topics was ended."""
    rows = session.execute(
        select(Incident.brand_id, Incident.topic, func.max(Incident.resolved_at))
        .where(Incident.kind == OPERATIONS, Incident.topic.in_(topics))
        .group_by(Incident.brand_id, Incident.topic)
    )
    return {(brand_id, topic): at for brand_id, topic, at in rows if at is not None}


def _tell(
    session: Session,
    brand_id: int,
    protocol: EscalationProtocol,
    problem: _Problem,
    now: datetime,
) -> int | None:
    return raise_operation(
        session,
        brand_id,
        pin_protocol(session, brand_id, protocol, now),
        topic=problem.topic,
        title=problem.title,
        lines=[problem.line],
        now=now,
    )
