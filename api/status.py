"""How far the work is: backlog, sources, incidents, outboxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.db import Base
from crm_link.calls.budget_models import CrmBudget
from crm_link.calls.health_models import CrmHealth
from crm_link.escalation.duty.readiness import Readiness, read_readiness
from crm_link.escalation.models import (
    BURST,
    OPERATIONS,
    Incident,
    IncidentStatus,
    Notification,
)
from crm_link.models import Contact, DeliveryStatus, Flag, FlagStatus, IdentityLink, WriteBack
from crm_link.replying.lists import NEEDS_A_PERSON, failing_accounts
from crm_link.replying.models import DUE, Reply, ReplyState
from crm_link.types import LinkState
from listener.coverage import source_health
from listener.models import JUDGING, Mention, Step
from listener.service import pending_counts


@dataclass(frozen=True, slots=True)
class Status:
    """Counts by what they are of, a line for each source, and how ready each brand is."""

    counts: dict[str, int]
    sources: list[tuple[str, str, str, str, str, str, str]]
    readiness: list[Readiness]


def read_status(session: Session, now: datetime) -> Status:
    """Return the state of the whole system."""
    waiting = pending_counts(session)
    unsent = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)
    counts = {
        "mentions": _count(session, Mention),
        **{f"mentions waiting to {step}": waiting[step] for step in Step if step not in JUDGING},
        "mentions waiting for the model": sum(waiting[step] for step in JUDGING),
        "flags open": _count(session, Flag, Flag.status == FlagStatus.OPEN),
        "contacts": _count(session, Contact, Contact.deleted_at.is_(None)),
        "links confirmed": _count(session, IdentityLink, IdentityLink.state == LinkState.CONFIRMED),
        "links suggested": _count(session, IdentityLink, IdentityLink.state == LinkState.SUGGESTED),
        "incidents not resolved": _count(
            session,
            Incident,
            Incident.status != IncidentStatus.RESOLVED,
            Incident.kind == BURST,
        ),
        "alerts about Groundswell itself": _count(
            session,
            Incident,
            Incident.status != IncidentStatus.RESOLVED,
            Incident.kind == OPERATIONS,
        ),
        "notifications waiting": _count(session, Notification, Notification.status.in_(unsent)),
        "notifications dead": _count(
            session, Notification, Notification.status == DeliveryStatus.DEAD
        ),
        "write-backs waiting": _count(session, WriteBack, WriteBack.status.in_(unsent)),
        "write-backs dead": _count(session, WriteBack, WriteBack.status == DeliveryStatus.DEAD),
        "CRMs failing": _count(session, CrmHealth, CrmHealth.failing_since.is_not(None)),
        "replies waiting for approval": _count(session, Reply, Reply.state == ReplyState.WAITING),
        "replies on their way": _count(session, Reply, Reply.state.in_(DUE)),
        "replies that people must decide about": _count(session, Reply, NEEDS_A_PERSON),
        "accounts that cannot reply": len(failing_accounts(session)),
        "CRM budgets used up": _count(session, CrmBudget, CrmBudget.paused_until > now),
    }
    sources = [
        (
            health.name,
            health.brand_key,
            health.state.value,
            _time(health.last_success_at),
            _time(health.newest_post_at),
            str(health.open_gaps),
            health.last_error or "",
        )
        for health in source_health(session, now)
    ]
    return Status(counts, sources, read_readiness(session, now))


def _count(session: Session, model: type[Base], *conditions: object) -> int:
    query = select(func.count()).select_from(model).where(*conditions)  # type: ignore[arg-type]
    return session.scalar(query) or 0


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "never"
