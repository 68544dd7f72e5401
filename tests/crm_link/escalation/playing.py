"""A protocol with playbooks, clocks, statements and approvals."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from crm_link.escalation.playbook.playbooks import list_tasks
from tests.crm_link.making import (
    NOON,
    PROTOCOL,
)

#: A protocol with everything that this module is about.
FULL = (
    PROTOCOL.replace(
        "ack_expires: 4h", "ack_expires: 4h\n    holding_statement: 1h\n    updates: 2h"
    )
    .replace("ack_expires: 15m", "ack_expires: 15m\n    holding_statement: 15m\n    updates: 30m")
    .replace("{id: dora,", "{id: dora, known_as: [dora@example.org],")
    + """
assessment: {crisis_history: bool}
playbooks:
  unknown:
    strategy: holding
    owner: crisis_lead
    tasks: [verify_facts_15m, publish_holding, brief_service]
    statement: holding_v1
  untrue: {strategy: deny, tasks: [evidence_page_2h, brief_service], statement: correction_v1}
  true_accidental: {strategy: diminish, tasks: [explain], statement: explain_v1}
  true_preventable: {strategy: rebuild, tasks: [apologise_1h], statement: apology_v1}
statements:
  holding_v1:
    approved_by: crisis_lead
    approved_on: 2026-01-01
    expires: 2026-07-01
    text:
      en:
        empathy: We are sorry.
        facts: It is {date}.
        unknown: We do not know yet.
        action: Next by {next_update}.
        commitment: We stay with it.
        more: See our page.
  correction_v1:
    variables: {evidence: where it is shown}
    text: {en: "That is not so: {evidence}."}
  explain_v1: {text: {en: "It happened."}}
  apology_v1: {text: {en: "Our fault."}}
approvals: {SEV-3: [crisis_lead], max_wait: 10m, then: pre_approved_text_may_go}
"""
)


def tasks_of(session: Session, incident_id: int) -> dict[str, tuple[str, timedelta | None]]:
    return {
        one.key: (one.owner, None if one.due_at is None else one.due_at - NOON)
        for one in list_tasks(session, incident_id)
    }
