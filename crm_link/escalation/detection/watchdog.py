"""Is there no news, or does nobody listen? A source without data is an alert by itself.

A dead collector looks like peace. A source that has had no success for longer than the
protocol says, that is refused, or that has fallen silent against its own past raises an
incident of its brand, which ends by itself when data comes again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.durations import format_duration
from config.logs import get_logger
from config.phrases import Moment, nphrase, phrase
from crm_link.escalation.detection.operations import NO_DATA, end_operation, raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.models import OPERATIONS, Incident
from crm_link.escalation.protocol import EscalationProtocol
from listener.coverage import SourceHealth, source_health
from listener.models import Brand, SourceState

log = get_logger(__name__)


def watch_sources(
    sessions: sessionmaker[Session],
    protocols: Mapping[int, EscalationProtocol],
    *,
    clock: Clock,
) -> list[int]:
    """Raise and end alerts about sources without data; return the incidents that changed.

    Args:
        sessions: Factory of sessions.
        protocols: The protocol in force of each brand, by the brand's id.
        clock: The present.

    """
    now = clock()
    with read_session(sessions) as session:
        brands = dict(session.execute(select(Brand.key, Brand.id)).all())
        health = source_health(session, now)
        open_topics: defaultdict[int, set[str]] = defaultdict(set)
        for brand_id, topic in session.execute(
            select(Incident.brand_id, Incident.topic).where(
                Incident.open_key.is_not(None), Incident.kind == OPERATIONS
            )
        ):
            open_topics[brand_id].add(topic)
    changed: list[int | None] = []
    for one in health:
        brand_id = brands[one.brand_key]
        protocol = protocols.get(brand_id)
        if protocol is None:
            continue
        topic = f"{NO_DATA} {one.source_id}"
        problem = problem_of(one, protocol.operations.no_data, now)
        if problem:
            with sessions.begin() as session:
                version = pin_protocol(session, brand_id, protocol, now)
                title = phrase("No data from %(source)s", source=one.name)
                found = raise_operation(
                    session, brand_id, version, topic=topic, title=title, lines=[problem], now=now
                )
            changed.append(found)
        elif topic in open_topics[brand_id]:
            with sessions.begin() as session:
                changed.append(
                    end_operation(
                        session, brand_id, topic=topic, reason=phrase("data again"), now=now
                    )
                )
    found_ids = [one for one in changed if one is not None]
    if found_ids:
        log.warning("sources without data looked at", incident_ids=found_ids)
    return found_ids


def problem_of(health: SourceHealth, no_data: timedelta, now: datetime) -> str:
    """Return what is wrong with a source, in words that stay while it lasts; empty: nothing."""
    if health.state is SourceState.PAUSED:
        return ""  # its budget is used up: said on its own page, and known beforehand
    what = f"{health.name} ({health.platform})"
    if health.state is SourceState.FAILING:
        return phrase(
            "%(source)s is refused by its platform; nothing is collected until somebody mends it.",
            source=what,
        )
    last = health.last_success_at
    if health.is_late and last is not None and now - last > no_data:
        return phrase(
            "%(source)s has had no success since %(since)s; more than %(time)s.",
            source=what,
            since=Moment(last),
            time=format_duration(no_data),
        )
    if health.is_late and last is None and health.failures > 0:
        return nphrase(
            "%(source)s has never been read: %(num)s attempt failed.",
            "%(source)s has never been read: %(num)s attempts failed in a row.",
            health.failures,
            source=what,
        )
    return _silent(what, health.newest_post_at) if health.is_silent and last is not None else ""


def _silent(source: str, newest_at: datetime | None) -> str:
    if newest_at is None:
        return phrase("%(source)s answers, but gives nothing new; it used to.", source=source)
    return phrase(
        "%(source)s answers, but gives nothing new since %(since)s; it used to.",
        source=source,
        since=Moment(newest_at),
    )
