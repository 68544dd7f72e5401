"""Giving an alert its reasons, before anything of it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.logs import get_logger, place_of
from crm_link.escalation.detection.counts import CLOCK_SKEW
from crm_link.escalation.detection.raising import Alert
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.escalation.reasons.why import LONGEST, SHORTEST, explain

log = get_logger(__name__)


def explained(session: Session, alert: Alert, now: datetime) -> Alert:
    """Return an alert with why it is raised; people are told in any case."""
    window = alert.finding.measure.window
    if alert.burst is not None:
        window = max(window, timedelta(seconds=alert.burst.window_s))
    topics = {cell.topic for cell in alert.cells}
    try:
        why = explain(
            session,
            alert.brand_id,
            None if GENERAL in topics or not topics else topics,
            since=now - min(max(window, SHORTEST), LONGEST),
            until=now + CLOCK_SKEW,
        )
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - an alert without its reasons is still an alert
        kind = type(error).__name__
        log.error("alert not explained", brand_id=alert.brand_id, kind=kind, at=place_of(error))
        return alert
    return replace(alert, why=why)
