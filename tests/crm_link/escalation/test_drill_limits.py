"""A drill holds up no alert: neither by its place in the queue nor by a person's limit."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.models import DRILL, Incident
from crm_link.escalation.notify import deliver_notifications
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import PROTOCOL, MovableClock, make_brand, make_burst, make_protocol

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"


def test_messages_of_drills_use_up_nobodys_limit_and_leave_last(
    sessions: sessionmaker[Session], receiver: Receiver
) -> None:
    clock = MovableClock()
    address = receiver.url.replace("http://", "json://")
    channel = f'tz: Europe/Madrid, channels: [{{kind: chat, to: "{address}"}}]'
    limits = "\nlimits: {messages: 1, per: 10m, bundle_from: 4}\n"
    protocol = make_protocol(PROTOCOL + limits, **{ANNA: channel})
    for number, size in enumerate((100, 12)):
        brand_id = make_brand(sessions, key=f"brand{number}")
        make_burst(sessions, brand_id, size, published_at=clock() - timedelta(minutes=1))
        detect(sessions, {brand_id: protocol}, clock=clock)
    with sessions.begin() as session:
        worst = session.scalars(select(Incident.id).order_by(Incident.severity).limit(1)).one()
        session.execute(update(Incident).where(Incident.id == worst).values(kind=DRILL))

    deliver_notifications(sessions, clock=clock)

    titles = [json.loads(body)["title"] for _, body in receiver.requests]
    assert len(titles) == 2
    assert not titles[0].startswith("DRILL")
    assert titles[1].startswith("DRILL")
