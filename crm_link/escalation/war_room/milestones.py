"""What happened when, in an incident: the times that drills are scored by and reports state.

Times are read from what is only added to (the timeline, clocks, statements), so that an
acknowledgement that expired, or an incident that was opened again, does not lose when it was
first taken on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_link.escalation.models import Incident, IncidentEvent
from crm_link.escalation.playbook.playbook_models import (
    ClockKind,
    IncidentClock,
    IncidentStatement,
    StatementState,
)
from crm_link.escalation.protocol import LEVELS, EscalationProtocol


class Milestone(StrEnum):
    """What is timed, in the order in which it should happen."""

    DETECT = "time_to_detect"  # from the first post to the incident
    ACKNOWLEDGE = "time_to_ack"  # from the incident on, as all that follow
    HOLDING = "time_to_holding_statement"
    REPLY = "time_to_first_reply"
    RESOLVE = "time_to_resolve"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, and how long it may take.

    Args:
        took: None where it has not happened.
        limit: What the protocol allows; None where it says nothing.
        waited: How long it has been waited for, where it has not happened.
        is_asked: False where nobody could do it, as people in a drill in compressed time.

    """

    what: Milestone
    took: timedelta | None
    limit: timedelta | None
    waited: timedelta | None = None
    is_asked: bool = True

    @property
    def is_met(self) -> bool | None:
        """Whether it kept the limit; None where there is none, or it may still be kept."""
        if self.limit is None or not self.is_asked:
            return None
        if self.took is not None:
            return self.took <= self.limit
        return False if self.waited is not None and self.waited > self.limit else None


def read_moments(session: Session, incident: Incident) -> dict[Milestone, datetime | None]:
    """Return when each milestone after detection was reached, None where it was not."""
    holding = session.scalar(
        select(func.min(IncidentClock.stopped_at)).where(
            IncidentClock.incident_id == incident.id,
            IncidentClock.kind == ClockKind.HOLDING_STATEMENT,
            IncidentClock.stopped_at.is_not(None),
            IncidentClock.is_met.is_not(None),
        )
    )
    published = session.scalar(
        select(func.min(IncidentStatement.closed_at)).where(
            IncidentStatement.incident_id == incident.id,
            IncidentStatement.state == StatementState.PUBLISHED,
        )
    )
    acknowledged = _first(session, incident.id, "acknowledged")
    said = [one for one in (published, _first(session, incident.id, "said")) if one is not None]
    return {
        Milestone.ACKNOWLEDGE: acknowledged or incident.acknowledged_at,
        Milestone.HOLDING: holding or min(said, default=None),
        Milestone.REPLY: min(said, default=holding),
        Milestone.RESOLVE: incident.resolved_at,
    }


def _first(session: Session, incident_id: int, kind: str) -> datetime | None:
    return session.scalar(
        select(func.min(IncidentEvent.at)).where(
            IncidentEvent.incident_id == incident_id, IncidentEvent.kind == kind
        )
    )


def worst_severity(incident: Incident, events: Iterable[IncidentEvent]) -> str:
    """Return the worst severity that an incident ever had."""
    said = [event.detail.get(key) for event in events for key in ("severity", "from", "to")]
    return min({incident.severity, *(str(level) for level in said if level in LEVELS)})


def limits_of(protocol: EscalationProtocol, level: str) -> dict[Milestone, timedelta | None]:
    """Return what the protocol allows for each milestone at a severity."""
    severity = protocol.find_severity(level)
    return {
        Milestone.DETECT: protocol.drills.detect_within,
        Milestone.ACKNOWLEDGE: None if severity is None else severity.ack,
        Milestone.HOLDING: None if severity is None else severity.holding_statement,
        Milestone.REPLY: None,
        Milestone.RESOLVE: protocol.drills.resolve_within,
    }


def timings(
    moments: Mapping[Milestone, datetime | None],
    *,
    first_post_at: datetime | None,
    opened_at: datetime,
    limits: Mapping[Milestone, timedelta | None],
    until: datetime,
) -> list[Timing]:
    """Return what was timed, in order.

    Args:
        moments: When each milestone after detection was reached.
        first_post_at: When the attack's first post was published, where that is known.
        opened_at: When the incident began.
        limits: What the protocol allows for each.
        until: What has not happened by then has been waited for until then.

    """
    detected = None if first_post_at is None else max(opened_at - first_post_at, timedelta())
    return [
        Timing(Milestone.DETECT, detected, limits.get(Milestone.DETECT)),
        *(
            Timing(
                what,
                None if at is None else max(at - opened_at, timedelta()),
                limits.get(what),
                waited=max(until - opened_at, timedelta()) if at is None else None,
            )
            for what, at in ((one, moments.get(one)) for one in list(Milestone)[1:])
        ),
    ]
