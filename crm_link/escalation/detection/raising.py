"""Turning an alert into an incident: opened, joined, made worse, opened again, let go.

Each function is one transaction with everything in it: the incident, its timeline, the first
messages. The brand's lock lets two workers that see the same burst open one incident.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.phrases import phrase
from crm_link.enrich import queue_incident_enrichment
from crm_link.escalation import chain
from crm_link.escalation.delivery.outbox import (
    MACHINE,
    add_event,
    pinned_protocol,
    tell,
    told_so_far,
)
from crm_link.escalation.detection.counts import Cell, needs_totals, top_posts
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.detection.severity_changes import change_severity
from crm_link.escalation.incidents import resolve
from crm_link.escalation.models import (
    BURST,
    DRILL,
    Incident,
    IncidentStatus,
)
from crm_link.escalation.playbook.clocks import start_clocks
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.escalation.reasons.burst_words import index_in, read_burst, worst_facts
from crm_link.escalation.reasons.why import store_why
from crm_link.escalation.rules import Finding, is_worse, share_floor
from listener.models import Brand
from sentiment.bursts.readings import Burst

#: A burst index that grew by no more than this is no news to an incident.
INDEX_STEP = 0.05

#: Why an incident that grows gets a worse severity.
MORE = phrase("more mentions")


@dataclass(frozen=True, slots=True)
class Alert:
    """Counts that reached a severity.

    Args:
        protocol: The one that judged: of the open incident, or the one in force.
        finding: The severity, and what its condition counted.
        cells: The window's mentions by topic and platform.
        burst: How far this is above the ordinary, where that is known.
        why: What `why.explain` found, for an incident that opens.

    """

    brand_id: int
    topic: str
    protocol: EscalationProtocol
    finding: Finding
    cells: tuple[Cell, ...]
    burst: Burst | None = None
    why: dict[str, Any] | None = None

    @property
    def index(self) -> float:
        """The burst index, 0 where there is none."""
        return self.burst.index if self.burst else 0.0

    @property
    def key(self) -> tuple[int, str]:
        """What there is one open incident for."""
        return self.brand_id, self.topic


def raise_alert(session: Session, alert: Alert, now: datetime) -> int | None:
    """Open the incident of an alert, or join the open one; None: nothing has changed."""
    brand = session.scalar(
        select(Brand).where(Brand.id == alert.brand_id).with_for_update(key_share=True)
    )
    if brand is None:
        return None
    incident_id = _raise(session, brand, alert, now)
    if incident_id is not None:
        # The CRM records of those who spoke about it say so.
        since = now - alert.finding.measure.window
        queue_incident_enrichment(session, alert.brand_id, alert.topic, since=since, now=now)
    return incident_id


def _raise(session: Session, brand: Brand, alert: Alert, now: datetime) -> int | None:
    incident = session.scalar(
        select(Incident).where(Incident.open_key == _open_key(alert)).with_for_update()
    )
    if incident is not None:
        return incident.id if _join(session, incident, alert, now) else None
    last = session.scalar(
        select(Incident)
        .where(
            Incident.brand_id == alert.brand_id,
            Incident.topic == alert.topic,
            Incident.status == IncidentStatus.RESOLVED,
            Incident.resolved_at >= now - alert.protocol.dedup.reopen_within,
        )
        .order_by(Incident.resolved_at.desc())
        .limit(1)
        .with_for_update()
    )
    if last is not None:
        _reopen(session, last, alert, now)
        return last.id
    return _open(session, brand, alert, now)


def _open_key(alert: Alert) -> str:
    return f"{alert.brand_id}:{alert.topic}"


def _open(session: Session, brand: Brand, alert: Alert, now: datetime) -> int:
    facts = _facts(session, alert, now)
    incident = Incident(
        brand_id=brand.id,
        protocol_version_id=pin_protocol(session, brand.id, alert.protocol, now),
        topic=alert.topic,
        open_key=_open_key(alert),
        title=_title(brand, alert),
        status=IncidentStatus.OPEN,
        severity=alert.finding.severity.level,
        opened_at=now,
        last_seen_at=_last_seen(alert, now),
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_at=None,
        resolved_by=None,
        facts=facts,
        peak=facts,
        step=0,
        round=0,
        next_due_at=now,
        kind=BURST if brand.drill_of_id is None else DRILL,
    )
    session.add(incident)
    session.flush()
    store_why(session, incident.id, alert.why, now)
    add_event(session, incident.id, "opened", MACHINE, now, _event_facts(incident))
    start_clocks(session, incident, alert.protocol, now)
    chain.start_round(incident, alert.protocol, now)
    chain.advance(session, incident, alert.protocol, now)
    return incident.id


def _title(brand: Brand, alert: Alert) -> str:
    if alert.topic == GENERAL:
        return phrase("Negative mentions of %(brand)s", brand=brand.name)
    names = {topic.id: topic.name for topic in alert.protocol.topics}
    about = names.get(alert.topic) or alert.topic.replace("_", " ")
    return phrase("Negative mentions of %(brand)s: %(topic)s", brand=brand.name, topic=about)


def _join(session: Session, incident: Incident, alert: Alert, now: datetime) -> bool:
    """Let an open incident take in what was counted; tell people only where it matters."""
    measure, before = alert.finding.measure, incident.facts
    seen = _last_seen(alert, incident.last_seen_at)
    if (
        before.get("negatives") == measure.negatives
        and before.get("mentions") in {None, measure.mentions}
        and seen == incident.last_seen_at
        and not is_worse(alert.finding.severity.level, incident.severity)
        and not _is_due_again(incident, alert, now)
        and alert.index <= index_in(before) + INDEX_STEP
    ):
        return False
    protocol = pinned_protocol(session, incident)
    level = alert.finding.severity.level
    worse, again = is_worse(level, incident.severity), _is_due_again(incident, alert, now)
    incident.facts = _facts(session, alert, now, told=None if worse or again else before)
    incident.last_seen_at = max(seen, incident.last_seen_at)
    incident.peak = worst_facts(incident.peak, incident.facts)
    if worse:
        change_severity(session, incident, protocol, level, reason=MORE, now=now)
    elif again:
        people = told_so_far(session, incident, protocol)
        tag = f"again-{int(now.timestamp())}"
        tell(session, incident, protocol, people, reason="again", tag=tag, now=now)
        add_event(session, incident.id, "grew", MACHINE, now, _event_facts(incident))
    return True


def _is_due_again(incident: Incident, alert: Alert, now: datetime) -> bool:
    """Say whether a burst that goes on is told again: grown by the factor, or long ago."""
    told_at, told = incident.facts.get("told_at"), incident.facts.get("told_negatives")
    if told_at is None or told is None:
        return True
    dedup = alert.protocol.dedup
    told_index = float(incident.facts.get("told_index") or 0.0)
    grown = alert.finding.measure.negatives >= dedup.again_factor * int(told) or (
        0 < told_index <= alert.index / dedup.again_factor
    )
    return grown or now - datetime.fromisoformat(told_at) >= dedup.quiet


def _reopen(session: Session, incident: Incident, alert: Alert, now: datetime) -> None:
    protocol = pinned_protocol(session, incident)
    level = alert.finding.severity.level
    incident.open_key = _open_key(alert)
    incident.facts = incident.peak = _facts(session, alert, now)
    store_why(session, incident.id, alert.why, now)
    incident.last_seen_at = _last_seen(alert, now)
    if protocol.find_severity(level) is not None:
        incident.severity = level
    incident.resolved_at = None
    incident.resolved_by = None
    incident.status = IncidentStatus.OPEN
    incident.acknowledged_at = None
    incident.acknowledged_by = None
    incident.round += 1
    incident.first_round = incident.round
    start_clocks(session, incident, protocol, now)
    chain.start_round(incident, protocol, now)
    add_event(session, incident.id, "reopened", MACHINE, now, _event_facts(incident))
    chain.advance(session, incident, protocol, now)


def _facts(
    session: Session, alert: Alert, now: datetime, told: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what was measured, fit for JSON; `told` are the facts that people know."""
    measure = alert.finding.measure
    platforms: Counter[str] = Counter()
    topics: Counter[str] = Counter()
    for cell in alert.cells:
        platforms[cell.platform] += cell.negatives
        topics[cell.topic] += cell.negatives
    firsts = [cell.first_at for cell in alert.cells if cell.first_at is not None]
    since = now - measure.window
    has_totals = measure.mentions > 0 and needs_totals([alert.protocol], measure.window)
    return {
        "severity": alert.finding.severity.level,
        "window_s": measure.window.total_seconds(),
        "negatives": measure.negatives,
        "mentions": measure.mentions if has_totals else None,
        "negatives_per_hour": round(measure.per_hour, 1),
        "negative_share": round(measure.share, 3) if has_totals else None,
        "negative_share_floor": (
            round(share_floor(measure.negatives, measure.mentions), 3) if has_totals else None
        ),
        "reach": measure.reach or None,
        "platforms": dict(platforms.most_common()),
        "topics": dict(topics.most_common()),
        "since": min(firsts, default=since).isoformat(),
        "measured_at": now.isoformat(),
        "top_posts": (
            top_posts(session, alert.brand_id, sorted(topics), since, now)
            if told is None
            else told.get("top_posts", [])
        ),
        "told_at": now.isoformat() if told is None else told.get("told_at"),
        "told_negatives": measure.negatives if told is None else told.get("told_negatives"),
        "burst": read_burst(session, alert.brand_id, alert.burst, now),
        "told_index": round(alert.index, 2) if told is None else told.get("told_index"),
    }


def _event_facts(incident: Incident) -> dict[str, Any]:
    """Return what a timeline entry keeps of the measured facts."""
    kept = ("severity", "window_s", "negatives", "mentions", "negative_share", "platforms", "burst")
    return {name: incident.facts[name] for name in kept}


def _last_seen(alert: Alert, otherwise: datetime) -> datetime:
    return max((cell.last_at for cell in alert.cells if cell.last_at), default=otherwise)


def is_over(incident: Incident, protocol: EscalationProtocol, now: datetime) -> bool:
    """Say whether an incident that nobody took on may be let go."""
    severity = protocol.find_severity(incident.severity)
    limit = None if severity is None else severity.auto_resolve
    return (
        limit is not None
        and incident.status is IncidentStatus.OPEN
        and now - max(incident.last_seen_at, incident.opened_at) >= limit
    )


def let_go(session: Session, incident_id: int, now: datetime) -> None:
    """Resolve an incident that is over, unless somebody was faster."""
    incident = session.scalar(select(Incident).where(Incident.id == incident_id).with_for_update())
    if incident is not None and is_over(incident, pinned_protocol(session, incident), now):
        reason = phrase("nothing more has come for as long as the protocol says")
        resolve(session, incident_id, by=MACHINE, reason=reason, clock=lambda: now)
