"""Statements name times to the public in the zone that the brand works in, and say which it is."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.incidents import get_incident
from crm_link.escalation.playbook.statements import given_values
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.escalation.test_approvals import incident_id
from tests.crm_link.making import NOON, make_protocol

__all__ = ["incident_id"]

_HOURS = "business_hours: {week: mon-fri 09:00-18:00, tz: America/Sao_Paulo}\n"


@pytest.mark.parametrize(
    ("text", "next_update", "date"),
    [
        # Whose zones differ and who name no business hours: the one that all can reckon from.
        (FULL, "14:00 UTC", "2026-03-10"),
        (FULL + _HOURS, "11:00 UTC-03", "2026-03-10"),
        (FULL.replace("London", "Madrid").replace("Berlin", "Madrid"), "15:00 CET", "2026-03-10"),
    ],
)
def test_the_next_update_is_in_the_brands_zone(
    sessions: sessionmaker[Session], incident_id: int, text: str, next_update: str, date: str
) -> None:
    with sessions() as session:
        incident = get_incident(session, incident_id)
        given = given_values(incident, "Acme", make_protocol(text), NOON)

    assert (given["next_update"], given["date"]) == (next_update, date)
