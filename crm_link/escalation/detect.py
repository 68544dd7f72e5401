"""Step 5 of a mention's way: counts that reach a severity open an incident, or join one.

One open incident for each brand and topic. Topics are judged by their own mentions; what is
in no incident of a topic is judged together, and becomes the incident of the topic that makes
most of it, or of `general`. An open incident is judged by the protocol that it began with.
Mentions from before an incident was resolved never open it again, and neither count for the
burst index of what comes after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.logs import get_logger, place_of
from crm_link.escalation.detection import counts, raising
from crm_link.escalation.detection.counts import Cell
from crm_link.escalation.detection.letting_go import let_go_of_quiet
from crm_link.escalation.detection.pinned import read_pinned
from crm_link.escalation.detection.trend import trend_for
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.escalation.reasons.explaining import explained
from crm_link.escalation.rules import find_severity
from sentiment.bursts.budget import budget_index
from sentiment.bursts.readings import Burst, high_bursts, rest_burst
from sentiment.bursts.series import WHOLE_BRAND

log = get_logger(__name__)

#: From this share of the negatives on, a brand's incident is a topic's.
MAIN_TOPIC_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class _Open:
    """An incident that is not resolved, as the detector needs it."""

    id: int
    topic: str
    protocol: EscalationProtocol


@dataclass(frozen=True, slots=True)
class _Look:
    """Everything that is known about one brand before its mentions are counted."""

    brand_id: int
    protocol: EscalationProtocol
    open: Mapping[str, _Open]
    resolved: Mapping[str, datetime]
    bursts: Mapping[str, Burst]
    now: datetime
    #: The index that stands for 1: the one at which the false-alarm budget is kept.
    bar: float = 1.0

    @property
    def protocols(self) -> list[EscalationProtocol]:
        return [self.protocol, *(one.protocol for one in self.open.values())]

    @property
    def highest_index(self) -> float:
        return max((burst.index for burst in self.bursts.values()), default=0.0) / self.bar

    def measured(self, burst: Burst | None) -> Burst | None:
        """Return a burst by the brand's own bar."""
        if burst is None or self.bar == 1.0:
            return burst
        return replace(burst, index=burst.index / self.bar)

    def protocol_for(self, topic: str) -> EscalationProtocol:
        found = self.open.get(topic)
        return self.protocol if found is None else found.protocol


def detect(
    sessions: sessionmaker[Session],
    protocols: Mapping[int, EscalationProtocol],
    *,
    clock: Clock,
) -> list[int]:
    """Open, join and let go of incidents; return the ids of those that changed.

    Args:
        sessions: Factory of sessions.
        protocols: The protocol in force of each brand, by the brand's id.
        clock: The present.

    """
    now = clock()
    with read_session(sessions) as session:
        looks = _looks(session, protocols, now)
        alerts = [
            alert if alert.topic in look.open else explained(session, alert, now)
            for look in looks
            for alert in _judge(session, look)
        ]
    changed = []
    for alert in alerts:
        incident_id = _raise(sessions, alert, now)
        if incident_id is not None:
            changed.append(incident_id)
            log.info("incident raised or joined", incident_id=incident_id)
    return changed + let_go_of_quiet(sessions, {alert.key for alert in alerts}, now)


def _raise(sessions: sessionmaker[Session], alert: raising.Alert, now: datetime) -> int | None:
    try:
        with sessions.begin() as session:
            return raising.raise_alert(session, alert, now)
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken incident must not hold up the others
        kind = type(error).__name__
        log.error("alert not raised", brand_id=alert.brand_id, kind=kind, at=place_of(error))
        return None


def _looks(
    session: Session, protocols: Mapping[int, EscalationProtocol], now: datetime
) -> list[_Look]:
    """Return the brands whose counts can reach a threshold."""
    open_ = _open_incidents(session, protocols)
    windows = {
        brand_id: counts.windows_of([protocol, *(one.protocol for one in open_[brand_id].values())])
        for brand_id, protocol in protocols.items()
    }
    bounds = counts.upper_bounds(session, windows, now)
    longest = max((one for each in windows.values() for one in each), default=timedelta())
    resolved: dict[int, dict[str, datetime]] = defaultdict(dict)
    for brand_id, topic, at in session.execute(
        select(Incident.brand_id, Incident.topic, func.max(Incident.resolved_at))
        .where(Incident.resolved_at > now - longest, Incident.status == IncidentStatus.RESOLVED)
        .group_by(Incident.brand_id, Incident.topic)
    ):
        if at is not None:
            resolved[brand_id][topic] = at
    bursts = high_bursts(session, now)
    looks = []
    for brand_id, protocol in protocols.items():
        found = bursts.get(brand_id, {})
        bar = _bar(session, brand_id, protocol, now) if found else 1.0
        looks.append(
            _Look(brand_id, protocol, open_[brand_id], resolved[brand_id], found, now, bar)
        )
    return [
        look
        for look in looks
        if any(
            counts.could_hold(
                condition, bounds.get((look.brand_id, condition.window)), look.highest_index
            )
            for protocol in look.protocols
            for condition in protocol.conditions
        )
    ]


def _bar(session: Session, brand_id: int, protocol: EscalationProtocol, now: datetime) -> float:
    budget = protocol.false_alarms
    return 1.0 if budget is None else budget_index(session, brand_id, budget.per_week, now)


def _open_incidents(
    session: Session, brand_ids: Iterable[int]
) -> defaultdict[int, dict[str, _Open]]:
    rows = session.execute(
        select(Incident.id, Incident.brand_id, Incident.topic, Incident.protocol_version_id).where(
            Incident.open_key.is_not(None), Incident.brand_id.in_(list(brand_ids))
        )
    ).all()
    pinned = read_pinned(session, {row.protocol_version_id for row in rows})
    found: defaultdict[int, dict[str, _Open]] = defaultdict(dict)
    for row in rows:
        protocol = pinned.get(row.protocol_version_id)
        if protocol is not None:
            found[row.brand_id][row.topic] = _Open(row.id, row.topic, protocol)
    return found


def _judge(session: Session, look: _Look) -> list[raising.Alert]:
    """Return what the brand's counts reach: each topic by itself, then the rest together."""
    cells = {window: _cells(session, look, window) for window in counts.windows_of(look.protocols)}
    topics = {cell.topic for each in cells.values() for cell in each} - {GENERAL}
    alerts = []
    for topic in sorted(topics):
        alert = _alert(look, topic, _only(cells, {topic}), _burst(session, look, topic))
        if alert is not None:
            alerts.append(alert)
    in_hand = {alert.topic for alert in alerts} | set(look.open)
    scope = topics - in_hand | {GENERAL}
    settled = look.resolved.get(GENERAL)
    if settled is not None:
        cells = {window: _cells(session, look, window, settled) for window in cells}
    rest = _only(cells, scope)
    alert = _alert(
        look,
        GENERAL,
        rest,
        _rest_burst(session, look, in_hand),
        trend_for(session, look.protocol_for(GENERAL), look.brand_id, settled, look.now),
    )
    if alert is not None:
        alerts.append(alert if GENERAL in look.open else _by_main_topic(alert))
    return alerts


def _cells(
    session: Session, look: _Look, window: timedelta, settled: datetime | None = None
) -> list[Cell]:
    """Count a window's mentions, each topic's since its last incident was resolved."""
    start = look.now - window
    since = start if settled is None else max(start, settled)
    totals = counts.needs_totals(look.protocols, window)
    reach = counts.needs_reach(look.protocols, window)
    cells = counts.count_cells(
        session, look.brand_id, since, look.now, with_totals=totals, with_reach=reach
    )
    for topic, at in look.resolved.items():
        if topic != GENERAL and at > since:
            cells = [cell for cell in cells if cell.topic != topic]
            cells += counts.count_cells(
                session,
                look.brand_id,
                at,
                look.now,
                with_totals=totals,
                with_reach=reach,
                topic=topic,
            )
    return cells


def _only(cells: Mapping[timedelta, list[Cell]], topics: set[str]) -> dict[timedelta, list[Cell]]:
    return {
        window: [cell for cell in each if cell.topic in topics] for window, each in cells.items()
    }


def _burst(session: Session, look: _Look, topic: str) -> Burst | None:
    """Return a topic's burst, of what came after its last incident was resolved."""
    burst, settled = look.bursts.get(topic), look.resolved.get(topic)
    if burst is not None and settled is not None:
        burst = rest_burst(session, look.brand_id, topic, since=settled, without={}, now=look.now)
    return look.measured(burst)


def _rest_burst(session: Session, look: _Look, in_hand: set[str]) -> Burst | None:
    """Return the burst of what is in no incident of a topic and was in none."""
    burst, settled = look.bursts.get(WHOLE_BRAND), look.resolved.get(GENERAL)
    without = {**look.resolved, **dict.fromkeys(in_hand)}
    without.pop(GENERAL, None)
    if burst is not None and (settled is not None or without):
        burst = rest_burst(
            session, look.brand_id, WHOLE_BRAND, since=settled, without=without, now=look.now
        )
    return look.measured(burst)


def _alert(
    look: _Look,
    topic: str,
    cells: Mapping[timedelta, list[Cell]],
    burst: Burst | None,
    trend: int = 0,
) -> raising.Alert | None:
    protocol = look.protocol_for(topic)
    tallies = {window: counts.tally_of(each) for window, each in cells.items()}
    finding = find_severity(protocol, tallies, burst.index if burst else None, trend)
    if finding is None:
        return None
    return raising.Alert(
        brand_id=look.brand_id,
        topic=topic,
        protocol=protocol,
        finding=finding,
        cells=tuple(cells[finding.measure.window]),
        burst=burst,
    )


def _by_main_topic(alert: raising.Alert) -> raising.Alert:
    """Give a brand's alert to the topic that makes most of it, if one does."""
    by_topic: Counter[str] = Counter()
    for cell in alert.cells:
        by_topic[cell.topic] += cell.negatives
    topic, negatives = by_topic.most_common(1)[0]
    if topic != GENERAL and negatives >= MAIN_TOPIC_SHARE * by_topic.total() > 0:
        return replace(alert, topic=topic)
    return alert
