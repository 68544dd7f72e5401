from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import (
    acknowledge,
    get_incident,
)
from crm_link.escalation.playbook.assessment import assess
from crm_link.escalation.playbook.playbooks import do_task, list_tasks
from tests.crm_link.escalation.playing import FULL, tasks_of
from tests.crm_link.making import (
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, {brand_id: make_protocol(FULL)}, clock=clock)
    return incident_id


def test_acknowledging_begins_the_playbook_of_what_is_not_known(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)

    with sessions() as session:
        assert get_incident(session, incident_id).playbook == "unknown"
        assert tasks_of(session, incident_id) == {
            "verify_facts": ("crisis_lead", timedelta(minutes=15)),
            "publish_holding": ("crisis_lead", timedelta(hours=1)),
            "brief_service": ("crisis_lead", None),
        }


@pytest.mark.parametrize(
    ("claim", "cluster", "history", "playbook"),
    [
        ("unknown", None, False, "unknown"),
        ("untrue", None, True, "untrue"),
        ("true_claim", "victim", False, "true_accidental"),  # the next that owns up to more
        ("true_claim", "accidental", False, "true_accidental"),
        ("true_claim", "accidental", True, "true_preventable"),  # one cluster up
        ("partly", "preventable", False, "true_preventable"),
    ],
)
def test_the_assessment_decides_the_playbook(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    incident_id: int,
    claim: str,
    cluster: str | None,
    history: bool,  # noqa: FBT001 - a case
    playbook: str,
) -> None:
    with sessions.begin() as session:
        assess(
            session,
            incident_id,
            claim=claim,
            cluster=cluster,
            crisis_history=history,
            by="dora",
            clock=clock,
        )

    with sessions() as session:
        assert get_incident(session, incident_id).playbook == playbook


def test_an_answer_that_the_protocol_does_not_know_is_refused(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions() as session:
        with pytest.raises(InputError, match="the claim is none of untrue, true_claim"):
            assess(session, incident_id, claim="false", by="dora", clock=clock)
        with pytest.raises(InputError, match="say how responsible people hold the brand"):
            assess(session, incident_id, claim="true_claim", by="dora", clock=clock)


def test_tasks_that_two_playbooks_share_stay_done(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
        do_task(session, incident_id, "brief_service", by="anna", clock=clock)
        assess(session, incident_id, claim="untrue", by="dora", clock=clock)

    with sessions() as session:
        tasks = {one.key: one for one in list_tasks(session, incident_id)}
        assert set(tasks) == {"evidence_page", "brief_service"}
        assert tasks["brief_service"].done_by == "anna"
        with pytest.raises(ConflictError, match="done already, by anna"):
            do_task(session, incident_id, "brief_service", by="ben", clock=clock)
        with pytest.raises(NotFoundError, match="no task 'apologise'"):
            do_task(session, incident_id, "apologise", by="ben", clock=clock)
