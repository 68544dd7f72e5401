from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import get_incident, list_events, resolve
from crm_link.escalation.playbook.claim_verdicts import (
    ClaimView,
    claims_of_mention,
    decide_claim,
    list_claims,
    merge_claims,
)
from crm_link.escalation.playbook.claims import gather_claims, gather_one
from crm_link.escalation.playbook.playbook_models import ClaimVerdict
from listener.models import Mention
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.making import MovableClock, make_brand, make_mentions, make_protocol

GLASS = [f"Glass in my {cup} again, the grinder broke" for cup in ["latte", "mocha", "oat", "iced"]]
FOXES = [
    f"They poison foxes behind the {one}" for one in ["mill", "roastery", "depot", "warehouse"]
]
ALONE = ["I do not like the new colour", "Meh, whatever"]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], clock: MovableClock, brand_id: int) -> int:
    make_mentions(sessions, brand_id, *GLASS, *FOXES, *ALONE, pending=None, topic="general")
    (incident_id,) = detect(sessions, {brand_id: make_protocol(FULL)}, clock=clock)
    assert gather_claims(sessions, clock=clock) == 1
    return incident_id


def _claims(sessions: sessionmaker[Session], incident_id: int) -> dict[str, ClaimView]:
    """Return the claims by what they are about."""
    with sessions() as session:
        views = list_claims(session, incident_id)
    return {"glass" if "lass" in one.text else "foxes": one for one in views}


def test_mentions_that_say_the_same_are_one_claim(
    sessions: sessionmaker[Session], incident_id: int
) -> None:
    claims = _claims(sessions, incident_id)

    assert {name: one.claim.mentions for name, one in claims.items()} == {"glass": 4, "foxes": 4}
    assert "grinder" in claims["glass"].title
    with sessions() as session:
        mention_id = claims["glass"].claim.mention_id
        assert mention_id is not None
        (found,) = claims_of_mention(session, mention_id)
        assert found.id == claims["glass"].claim.id


def test_posts_that_all_say_the_same_are_a_claim_too(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions, "other")
    cups = ["latte", "mocha", "oat", "iced", "flat", "small", "large", "hot", "cold", "tall"]
    posts = [f"Glass in my {cup} again, the grinder broke" for cup in cups]
    make_mentions(sessions, brand_id, *posts, pending=None, topic="general")
    (incident_id,) = detect(sessions, {brand_id: make_protocol(FULL)}, clock=clock)
    gather_claims(sessions, clock=clock)
    (before,) = _claims(sessions, incident_id).values()
    assert (before.claim.mentions, "grinder" in before.title) == (10, True)

    clock.forward(minutes=5)
    gather_claims(sessions, clock=clock)
    (again,) = _claims(sessions, incident_id).values()
    assert again.claim.id == before.claim.id
    make_mentions(sessions, brand_id, *FOXES, pending=None, topic="general")
    clock.forward(minutes=5)
    gather_claims(sessions, clock=clock)

    after = _claims(sessions, incident_id)
    assert after["glass"].claim.id == before.claim.id
    assert after["foxes"].claim.mentions == 4


def test_a_claim_stays_the_same_one_while_its_mentions_grow(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int, incident_id: int
) -> None:
    before = _claims(sessions, incident_id)
    assert gather_claims(sessions, clock=clock) == 0  # nothing has come
    more = [f"Now glass in the {one} too, that grinder is broken" for one in ("milk", "beans")]
    make_mentions(sessions, brand_id, *more, pending=None, topic="general", fold_count=2)

    clock.forward(minutes=5)
    assert gather_claims(sessions, clock=clock) == 1

    after = _claims(sessions, incident_id)
    assert after["glass"].claim.id == before["glass"].claim.id
    assert after["glass"].claim.mentions == 4 + 2 * 3  # with what is folded into them


def test_the_words_of_a_post_that_is_deleted_are_gone(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    claim = _claims(sessions, incident_id)["foxes"].claim
    with sessions.begin() as session:
        session.execute(
            update(Mention).where(Mention.id == claim.mention_id).values(deleted_at=clock.now)
        )

    with sessions() as session:
        view = next(one for one in list_claims(session, incident_id) if one.claim.id == claim.id)
        assert (view.text, view.claim.mentions) == ("", 4)


def test_a_verdict_needs_evidence_and_moves_the_playbook(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    claims = {name: one.claim.id for name, one in _claims(sessions, incident_id).items()}

    def decide(name: str, verdict: ClaimVerdict, evidence: str = "https://acme.example/e") -> str:
        with sessions.begin() as session:
            decide_claim(
                session,
                incident_id,
                claims[name],
                verdict=verdict,
                evidence=evidence,
                by="dora",
                clock=clock,
            )
            return str(get_incident(session, incident_id).playbook)

    with pytest.raises(InputError, match="say what the evidence is"):
        decide("foxes", ClaimVerdict.UNTRUE, " ")
    assert decide("foxes", ClaimVerdict.UNTRUE) == "untrue"
    assert decide("glass", ClaimVerdict.TRUE_CLAIM) == "true_accidental"  # partly, all in all
    assert decide("foxes", ClaimVerdict.UNKNOWN, "") == "true_accidental"

    with sessions() as session:
        incident = get_incident(session, incident_id)
        assert incident.assessment is not None
        assert incident.assessment["claim"] == "true_claim"
        details = [one.detail for one in list_events(session, incident_id) if one.kind == "claim"]
        assert [(one["from"], one["to"]) for one in details] == [
            (None, "untrue"),
            (None, "true_claim"),
            ("untrue", "unknown"),
        ]
        assert details[1]["owner"] == "dora"


def test_claims_that_are_merged_stay_merged(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    claims = _claims(sessions, incident_id)
    gone, into = claims["foxes"].claim.id, claims["glass"].claim.id
    with sessions.begin() as session:
        merge_claims(session, incident_id, gone, into, by="dora", clock=clock)

    clock.forward(minutes=5)
    gather_claims(sessions, clock=clock)

    with sessions() as session:
        (view,) = list_claims(session, incident_id)
        assert (view.claim.id, view.claim.mentions) == (into, 8)
        with pytest.raises(NotFoundError, match=f"no claim {gone}"):
            merge_claims(session, incident_id, gone, into, by="dora", clock=clock)
        with pytest.raises(ConflictError, match="with itself"):
            merge_claims(session, incident_id, into, into, by="dora", clock=clock)


def test_two_workers_that_sort_at_once_make_each_claim_once(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int
) -> None:
    make_mentions(sessions, brand_id, *GLASS, *FOXES, *ALONE, pending=None, topic="general")
    (incident_id,) = detect(sessions, {brand_id: make_protocol(FULL)}, clock=clock)
    start = Barrier(2)

    def sort(_: int) -> None:
        start.wait()
        gather_one(sessions, incident_id, clock.now)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sort, range(2)))

    assert {name: one.claim.mentions for name, one in _claims(sessions, incident_id).items()} == {
        "glass": 4,
        "foxes": 4,
    }
    with sessions() as session:
        assert len(list_claims(session, incident_id)) == 2


def test_an_incident_that_is_over_is_sorted_no_more(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        resolve(session, incident_id, by="dora", reason="over", clock=clock)
    clock.forward(hours=1)

    assert gather_claims(sessions, clock=clock) == 0
