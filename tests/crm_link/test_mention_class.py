from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, NotFoundError
from crm_link.escalation.protocol_parts.history import Sight, record_sight
from crm_link.mention_class import by_protocol, correct_class
from crm_link.negative_class import NegativeClass
from crm_link.triage import triage_mentions
from crm_link.triage_rules import TriageInput, TriageRules
from listener.models import Mention, Step
from tests.crm_link.making import (
    NOON,
    PROTOCOL,
    MovableClock,
    make_brand,
    make_mentions,
    make_protocol,
)

CLASSES = PROTOCOL.replace(
    "crisis: incident}",
    "crisis: incident, misguided: fix_the_facts, troll: monitor_only, rager: monitor_only}",
).replace(
    "  flag:",
    """  classes:
    misguided: {en: ["heard that"], es: ["dicen que"]}
    troll: [clown*]
    rager: [garbage]
  flag:""",
)


@pytest.mark.parametrize(
    ("text", "label", "kind", "route"),
    [
        ("My charger caught fire, you clowns", "negative", "crisis", "incident"),
        ("my order is late, what garbage", "negative", "complaint", "customer_service"),
        ("I want to cancel my contract", "negative", "complaint", "customer_service"),
        ("I heard that Acme owns the water", "negative", "misguided", "fix_the_facts"),
        ("what a clown show", "negative", "troll", "monitor_only"),
        ("Acme is garbage", "negative", "rager", "monitor_only"),
        ("ACME IS THE WORST THING EVER MADE", "negative", "rager", "monitor_only"),
        ("no no no!!!!!", "negative", "rager", "monitor_only"),
        ("I prefer the other one", "negative", "other", "review"),
        ("what a clown show", "positive", None, "thank_or_amplify"),
    ],
)
def test_a_negative_mention_has_a_class_that_decides_where_it_goes(
    text: str, label: str, kind: str | None, route: str
) -> None:
    verdict = TriageRules(make_protocol(CLASSES)).judge(TriageInput(text, label, 0.9, "en", None))

    assert (verdict.negative_class, verdict.route) == (kind, route)


def test_the_class_of_a_person_wins_and_stays_when_triage_runs_again(
    sessions: sessionmaker[Session],
) -> None:
    brand_id = make_brand(sessions)
    (mention_id,) = make_mentions(sessions, brand_id, "what a clown show")
    protocol, clock = make_protocol(CLASSES), MovableClock()
    triage_mentions(sessions, [mention_id], {brand_id: protocol}, clock=clock)
    with sessions.begin() as session:
        record_sight(session, Sight(brand_id, protocol, "protocol.yaml", "anna"), NOON)
        assert session.get_one(Mention, mention_id).route == "monitor_only"
        correct_class(session, mention_id, NegativeClass.COMPLAINT, by="ben", clock=clock)

    with sessions.begin() as session:
        session.execute(update(Mention).values(pending=Step.TRIAGE))
    triage_mentions(sessions, [mention_id], {brand_id: protocol}, clock=clock)

    with sessions.begin() as session:
        mention = session.get_one(Mention, mention_id)
        assert mention.route == "customer_service"
        found = by_protocol(session, mention)
        assert (found.kind, found.decided_by) == (NegativeClass.COMPLAINT, "ben")


def test_only_negative_mentions_have_a_class(sessions: sessionmaker[Session]) -> None:
    (mention_id,) = make_mentions(sessions, make_brand(sessions), "fine", label="positive")

    with sessions() as session:
        with pytest.raises(ConflictError, match="is not negative"):
            correct_class(session, mention_id, NegativeClass.TROLL, by="b", clock=MovableClock())
        with pytest.raises(NotFoundError, match="no mention 4711"):
            correct_class(session, 4711, NegativeClass.TROLL, by="b", clock=MovableClock())
