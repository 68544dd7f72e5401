"""Silences and bursts, for the tests of what is kept quiet."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.delivery.silences import (
    Matcher,
    create_silence,
)
from crm_link.escalation.detect import detect
from crm_link.escalation.models import Incident
from tests.crm_link.making import MovableClock, make_burst, make_protocol

MILD = Matcher(("SEV-3", "SEV-4"))


def silence(
    sessions: sessionmaker[Session], clock: MovableClock, matcher: Matcher = MILD, hours: int = 2
) -> int:
    with sessions.begin() as session:
        return create_silence(
            session,
            matcher,
            starts_at=clock(),
            ends_at=clock() + timedelta(hours=hours),
            comment="the autumn campaign",
            by="pr@example.org",
            clock=clock,
        ).id


def burst(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    brand_id: int,
    count: int,
    topic: str = "general",
) -> None:
    make_burst(sessions, brand_id, count, topic=topic, published_at=clock() - timedelta(minutes=1))
    detect(sessions, {brand_id: make_protocol()}, clock=clock)


def incidents_of(sessions: sessionmaker[Session]) -> list[Incident]:
    with sessions() as session:
        return list(session.scalars(select(Incident).order_by(Incident.id)))
