"""Made-up brands, mentions and protocols for the tests of triage and escalation."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_protocol
from listener.models import Author, Brand, Mention, Step
from listener.types import PostKind
from sentiment.models import GRAINS_S, Volume

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

PROTOCOL = """
version: 1
contacts:
  - {id: anna, role: social_manager, deputy: ben, tz: Europe/Madrid, channels: [{kind: log}]}
  - {id: ben, role: community_manager, tz: Europe/London, channels: [{kind: log}]}
  - {id: dora, role: crisis_lead, tz: Europe/Berlin, channels: [{kind: log}]}
routing:
  negative: {do: review, complaint: customer_service, crisis: incident}
triage:
  priorities:
    risk: {words: {en: [lawsuit, "caught fire"], es: [demanda]}}
    cancel: {words: {en: ["cancel* my"]}, label: [negative, neutral, unknown]}
    service: {words: {en: ["not working", "my order"]}}
    purchase: {words: {en: ["where can i buy"]}}
  flag:
    - {priority: [risk, cancel]}
    - {priority: [service], label: [negative]}
    - {label: [negative], reach_gte: 10000, reason: wide reach}
topics:
  - {id: battery, name: batteries, words: {any: [battery, "on fire"]}}
  - {id: delivery, words: {en: ["my order", deliver*]}}
severity:
  - level: SEV-1
    any: [{negatives_gte: 40, window: 1h}]
    ack: 5m
    ack_expires: 15m
  - level: SEV-2
    any: [{negatives_gte: 20, window: 1h}]
    ack: 15m
    ack_expires: 30m
  - level: SEV-3
    any: [{negatives_gte: 10, window: 1h}]
    ack: 1h
    ack_expires: 4h
    auto_resolve: 2h
escalation:
  default:
    repeat: 2
    steps:
      - {notify: [social_manager], after: 0m}
      - {notify: [deputy(social_manager)], after: 5m}
      - {notify: [crisis_lead], after: 10m}
"""


class MovableClock:
    """A clock that tests move."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


def make_protocol(text: str = PROTOCOL, **replaced: str) -> EscalationProtocol:
    """Parse a protocol; keyword arguments replace words of the text."""
    for old, new in replaced.items():
        text = changed(text, old, new, most=-1)
    return parse_protocol(text)


def changed(text: str, old: str, new: str, *, most: int = 1) -> str:
    """Return a text with words replaced, which must be in it: at most so many times, -1 is all."""
    assert old in text, f"{old!r} is not there to be replaced"
    return text.replace(old, new, most)


def make_brand(sessions: sessionmaker[Session], key: str = "acme", **fields: Any) -> int:
    with sessions.begin() as session:
        brand = Brand(
            key=key, name=key.title(), query=key, names=[key], is_active=True, created_at=NOON
        )
        for name, value in fields.items():
            setattr(brand, name, value)
        session.add(brand)
        session.flush()
        return brand.id


def make_author(sessions: sessionmaker[Session], followers: int, external_id: str = "a1") -> int:
    with sessions.begin() as session:
        author = Author(
            platform="x",
            external_id=external_id,
            handle=external_id,
            links=[],
            verified_links=[],
            followers=followers,
            first_seen_at=NOON,
            updated_at=NOON,
            profile_hash="0",
        )
        session.add(author)
        session.flush()
        return author.id


def make_mentions(
    sessions: sessionmaker[Session], brand_id: int, *texts: str, **fields: Any
) -> list[int]:
    """Store one scored mention for each text, with the roll-up, waiting for triage."""
    with sessions.begin() as session:
        start = session.scalar(select(Mention.id).order_by(Mention.id.desc()).limit(1)) or 0
        rows = [_row(brand_id, start + number, text, fields) for number, text in enumerate(texts)]
        session.execute(insert(Mention), rows)
        _roll_up(session, rows)
        return list(
            session.scalars(
                select(Mention.id)
                .where(Mention.brand_id == brand_id)
                .order_by(Mention.id.desc())
                .limit(len(texts))
            )
        )[::-1]


def make_burst(
    sessions: sessionmaker[Session], brand_id: int, count: int, **fields: Any
) -> list[int]:
    """Store negative mentions that have been triaged."""
    texts = [f"post {number} of a burst" for number in range(count)]
    return make_mentions(
        sessions, brand_id, *texts, **{"pending": None, "topic": "general"} | fields
    )


def _row(brand_id: int, number: int, text: str, fields: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "brand_id": brand_id,
        "source_id": None,
        "author_id": None,
        "platform": "x",
        "external_id": f"p{number + 1}",
        "kind": PostKind.POST,
        "url": f"https://x.example/p{number + 1}",
        "text": text,
        "links": [],
        "published_at": NOON - timedelta(minutes=10),
        "fetched_at": NOON,
        "pending": Step.TRIAGE,
        "label": "negative",
        "score": -0.8,
        "confidence": 0.9,
        "lang": "en",
        "scorer": "made-up/1",
        "scored_at": NOON,
        "repost_of_id": None,
        "topic": None,
    }
    return row | fields


def _roll_up(session: Session, rows: list[dict[str, Any]]) -> None:
    buckets: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        for grain_s in GRAINS_S:
            seconds = row["published_at"].timestamp() // grain_s * grain_s
            bucket = datetime.fromtimestamp(seconds, UTC)
            buckets[row["brand_id"], grain_s, bucket, row["platform"], row["label"]] += 1
    names = ("brand_id", "grain_s", "bucket_at", "platform", "label")
    upsert(
        session,
        Volume,
        [
            dict(zip(names, key, strict=True)) | {"mentions": count, "score_sum": -0.8 * count}
            for key, count in buckets.items()
        ],
        key=names,
        add_columns=("mentions", "score_sum"),
    )
