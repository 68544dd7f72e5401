"""What an incident's mentions assert: the claims.

Mentions are sorted into claims by the words that they have in common (`sentiment.topics`), with
repeats folded; a claim stays the same one while most of its words do. What people find out
about each is in `claim_verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, literal_column, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.clock import Clock
from config.db import read_session
from config.logs import get_logger, place_of
from crm_link.escalation.models import BURST, DRILL, Incident
from crm_link.escalation.playbook.claim_words import CommonClaim, common_claim
from crm_link.escalation.playbook.playbook_models import ClaimMention, ClaimVerdict, IncidentClaim
from listener.models import Brand, Mention
from sentiment.topics import KnownTopic, Topic, TopicText, find_topics

log = get_logger(__name__)

#: Newest posts of an incident that are sorted, repeats counted with their original.
MOST_POSTS = 500

#: Most claims that an incident is cut into: people must be able to answer each.
MOST_CLAIMS = 8

#: How often an open incident is sorted again although no alert came in for it.
SORT_EVERY = timedelta(minutes=5)

#: Incidents that one call sorts; the next call takes the rest.
MOST_AT_ONCE = 20

#: How far before its opening an incident's posts are looked for.
BEFORE = timedelta(hours=24)

#: Stands in a topic's name before the number of the merged claim that it comes from.
_MERGED = "+"


def gather_claims(sessions: sessionmaker[Session], *, clock: Clock) -> int:
    """Sort the mentions of incidents that go on into claims; return how many incidents."""
    now = clock()
    with read_session(sessions) as session:
        due = session.scalars(
            select(Incident.id)
            .where(
                Incident.open_key.is_not(None),
                Incident.kind.in_((BURST, DRILL)),
                or_(
                    Incident.claims_at.is_(None),
                    Incident.claims_at < Incident.last_seen_at,
                    Incident.claims_at <= now - SORT_EVERY,
                ),
            )
            # What is new or has news before what is only looked at again.
            .order_by(
                Incident.claims_at.is_not(None),
                Incident.claims_at >= Incident.last_seen_at,
                Incident.claims_at,
                Incident.id,
            )
            .limit(MOST_AT_ONCE)
        ).all()
    done = 0
    for incident_id in due:
        try:
            gather_one(sessions, incident_id, now)
            done += 1
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken incident must not hold up the others
            kind = type(error).__name__
            log.error("claims not sorted", incident_id=incident_id, kind=kind, at=place_of(error))
    return done


def gather_one(sessions: sessionmaker[Session], incident_id: int, now: datetime) -> None:
    """Sort one incident's mentions into claims; the same mentions give the same claims.

    Where another worker sorted them, or a person merged two claims meanwhile, nothing is done:
    the next call looks again.
    """
    with read_session(sessions) as session:
        incident = session.get_one(Incident, incident_id)
        looked_at = incident.claims_at
        brand = session.get_one(Brand, incident.brand_id)
        rows = session.execute(_posts(incident)).all()
        known = [topic for one in _claims(session, incident_id) for topic in _known(one)]
        names = [brand.name, brand.key, *brand.names]
    texts = [TopicText(row.id, row.text, is_negative=True, lang=row.lang) for row in rows]
    found: list[Topic | CommonClaim] = [*find_topics(texts, known, names=names, most=MOST_CLAIMS)]
    in_topics = {one for topic in found for one in topic.ids}
    taken = {topic.id for topic in found}
    rest = common_claim(
        [one for one in texts if one.id not in in_topics],
        [one for one in known if one.id not in taken],
        names,
    )
    if rest is not None:
        found.append(rest)
    with sessions.begin() as session:
        locked = session.scalar(
            select(Incident).where(Incident.id == incident_id).with_for_update()
        )
        if locked is not None and locked.claims_at == looked_at:
            _store(session, locked, found, {row.id: row.published_at for row in rows}, now)


def _posts(incident: Incident) -> Any:  # noqa: ANN401 - a select of many columns
    return (
        select(Mention.id, Mention.text, Mention.lang, Mention.published_at)
        .where(
            Mention.brand_id == incident.brand_id,
            Mention.label == literal_column("'negative'"),
            Mention.published_at >= incident.opened_at - BEFORE,
            Mention.topic.in_(incident.facts.get("topics") or [incident.topic]),
            Mention.folded_into_id.is_(None),
            Mention.deleted_at.is_(None),
        )
        .order_by(Mention.published_at.desc(), Mention.id.desc())
        .limit(MOST_POSTS)
    )


def _claims(session: Session, incident_id: int) -> Sequence[IncidentClaim]:
    return session.scalars(
        select(IncidentClaim)
        .where(IncidentClaim.incident_id == incident_id)
        .order_by(IncidentClaim.mentions.desc(), IncidentClaim.id)
    ).all()


def _known(claim: IncidentClaim) -> Iterator[KnownTopic]:
    """Yield by what a claim is known again: its own words, then those of claims merged into it."""
    for number, words in enumerate([claim.words["weights"], *claim.words.get("merged", [])]):
        name = str(claim.id) if number == 0 else f"{claim.id}{_MERGED}{number}"
        yield KnownTopic(name, tuple((str(word), float(weight)) for word, weight in words))


def _store(
    session: Session,
    incident: Incident,
    found: Iterable[Topic | CommonClaim],
    published: Mapping[int, datetime],
    now: datetime,
) -> None:
    incident.claims_at = now
    there = {str(one.id): one for one in _claims(session, incident.id)}
    members: dict[int, int] = {}
    for topic in found:
        times = [published[one] for one in topic.ids]
        name, merged, _ = topic.id.partition(_MERGED)
        claim = there.get(name)
        if claim is None:
            claim = IncidentClaim(
                incident_id=incident.id,
                mention_id=topic.top_ids[0],
                words={},
                mentions=0,
                first_at=min(times),
                last_at=max(times),
                verdict=ClaimVerdict.UNKNOWN,
                decided_at=None,
                decided_by=None,
            )
        if not merged:
            claim.words = (claim.words or {}) | {
                "shown": list(topic.words),
                "weights": [[word, weight] for word, weight in topic.weights],
            }
        claim.first_at = min(claim.first_at, *times)
        claim.last_at = max(claim.last_at, *times)
        session.add(claim)
        session.flush()
        members.update(dict.fromkeys(topic.ids, claim.id))
    rows = [
        {"incident_id": incident.id, "mention_id": mention_id, "claim_id": claim_id}
        for mention_id, claim_id in members.items()
    ]
    key = ("incident_id", "mention_id")
    upsert(session, ClaimMention, rows, key=key, update_columns=("claim_id",))
    count_claims(session, incident.id)


def count_claims(session: Session, incident_id: int) -> None:
    """Count each claim's mentions, repeats included; one without any stands for none any more."""
    counts = {
        row.claim_id: int(row.mentions)
        for row in session.execute(
            select(
                ClaimMention.claim_id,
                func.sum(1 + func.coalesce(Mention.fold_count, 0)).label("mentions"),
            )
            .join(Mention, Mention.id == ClaimMention.mention_id)
            .where(ClaimMention.incident_id == incident_id, ClaimMention.claim_id.is_not(None))
            .group_by(ClaimMention.claim_id)
        )
    }
    for claim in _claims(session, incident_id):
        claim.mentions = counts.get(claim.id, 0)
        if claim.mention_id is None and claim.mentions:
            claim.mention_id = session.scalar(
                select(func.min(ClaimMention.mention_id)).where(ClaimMention.claim_id == claim.id)
            )
    session.flush()


def join_claims(session: Session, incident_id: int, claim_id: int, into_id: int) -> None:
    """Move all mentions of a claim to another one: a person sees that they say the same."""
    session.execute(
        update(ClaimMention)
        .where(ClaimMention.incident_id == incident_id, ClaimMention.claim_id == claim_id)
        .values(claim_id=into_id)
    )
    count_claims(session, incident_id)
