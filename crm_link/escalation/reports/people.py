"""Who took part in an attack: accounts, and the contacts that are known among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column, select
from sqlalchemy.orm import Session

from config.phrases import phrase
from crm_link.escalation.models import Incident
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Mention

#: Contacts that are named at most; the counts are of all.
MOST_NAMED = 200

#: What a contact without a tier or a country is counted under.
NOT_SAID = phrase("not said")


#: As a literal, because SQLite uses a partial index only where it can see the condition.
IS_NEGATIVE: ColumnElement[bool] = Mention.label == literal_column("'negative'")


@dataclass(frozen=True, slots=True)
class Size:
    """How large an attack was.

    Args:
        mentions: Posts of its topics.
        negatives: Negative ones of them.
        topics: The negative ones by topic, most first.
        platforms: The negative ones by platform, most first.

    """

    mentions: int
    negatives: int
    topics: Mapping[str, int]
    platforms: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Spoke:
    """A contact who spoke."""

    name: str
    crm: str
    external_id: str
    tier: str | None
    country: str | None
    mentions: int


@dataclass(frozen=True, slots=True)
class People:
    """Who took part.

    Args:
        mentions: Posts of the attack's topics.
        negatives: Negative ones of them.
        authors: Accounts that wrote them.
        contacts: Contacts whose confirmed accounts wrote negative ones.
        tiers: The contacts by tier, the largest first.
        countries: The contacts by country.
        named: Who they are, where that was asked for.

    """

    mentions: int
    negatives: int
    authors: int
    contacts: int
    tiers: Mapping[str, int]
    countries: Mapping[str, int]
    named: Sequence[Spoke]


def topics_of(incident: Incident) -> list[str]:
    """Return the topics that the incident is about."""
    found = incident.peak.get("topics") or incident.facts.get("topics") or {}
    return sorted({*found, incident.topic})


def of_incident(
    incident: Incident, *, since: datetime, until: datetime
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of an incident's posts, over the index of brand and time."""
    last = max(until, incident.last_seen_at)
    conditions: Any = (
        Mention.brand_id == incident.brand_id,
        Mention.published_at >= since,
        Mention.published_at <= last,
        Mention.topic.in_(topics_of(incident)),
    )
    return tuple(conditions)


def read_size(session: Session, incident: Incident, *, since: datetime, until: datetime) -> Size:
    """Return how large an attack was, by one walk over its posts in the index."""
    negative = case((IS_NEGATIVE, 1), else_=0)
    rows = session.execute(
        select(Mention.topic, Mention.platform, func.count(), func.sum(negative))
        .where(*of_incident(incident, since=since, until=until))
        .group_by(Mention.topic, Mention.platform)
    ).all()
    topics, platforms = Counter[str](), Counter[str]()
    for topic, platform, _, negatives in rows:
        if negatives:
            topics[str(topic)] += int(negatives)
            platforms[str(platform)] += int(negatives)
    return Size(
        mentions=sum(int(row[2]) for row in rows),
        negatives=topics.total(),
        topics=_most_first(topics),
        platforms=_most_first(platforms),
    )


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def read_people(
    session: Session,
    incident: Incident,
    size: Size,
    *,
    since: datetime,
    until: datetime,
    with_names: bool = False,
) -> People:
    """Return who took part in an attack of this size."""
    ours = of_incident(incident, since=since, until=until)
    authors = session.scalar(select(func.count(Mention.author_id.distinct())).where(*ours)) or 0
    rows = session.execute(
        select(
            Contact.name,
            Contact.crm,
            Contact.external_id,
            Contact.tier,
            Contact.country,
            func.count().label("mentions"),
        )
        .join(IdentityLink, IdentityLink.contact_id == Contact.id)
        .join(Mention, Mention.author_id == IdentityLink.author_id)
        .where(
            *ours,
            IS_NEGATIVE,
            IdentityLink.state == LinkState.CONFIRMED,
            Contact.deleted_at.is_(None),
        )
        .group_by(
            Contact.id,
            Contact.name,
            Contact.crm,
            Contact.external_id,
            Contact.tier,
            Contact.country,
        )
        .order_by(func.count().desc(), Contact.id)
    ).all()
    return People(
        mentions=size.mentions,
        negatives=size.negatives,
        authors=authors,
        contacts=len(rows),
        tiers=dict(Counter(row.tier or NOT_SAID for row in rows).most_common()),
        countries=dict(Counter(row.country or NOT_SAID for row in rows).most_common()),
        named=[Spoke(*row) for row in rows[:MOST_NAMED]] if with_names else [],
    )
