"""Builders of what people see: users, flags, contacts, links, incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.models import Role, User
from api.users import DEMO_EMAIL
from config.phrases import phrase
from crm_link.escalation import chain
from crm_link.escalation.delivery.outbox import add_event
from crm_link.escalation.models import Incident, IncidentStatus, ProtocolVersion
from crm_link.escalation.protocol_parts.file import parse_pinned
from crm_link.escalation.response_clock import QUEUE_ORDER, queue_rank
from crm_link.models import Contact, Flag, FlagStatus, IdentityLink
from crm_link.types import LinkState, Priority
from listener.models import Brand, Mention
from sentiment.heads import EMOTIONS, HeadScores
from sentiment.signals.service import JudgedMention, mark_due

PASSWORD = "a long enough password"

#: What passwords of tests are hashed with; the console's own is slow on purpose.
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

URGENCY = {priority: 5 - at for at, priority in enumerate(Priority)}

#: So long that nothing of a scene is late.
DUE = {
    priority: timedelta(hours=hours)
    for priority, hours in zip(QUEUE_ORDER, (3, 6, 9, 12, 24), strict=True)
}

_PROBABILITIES = {
    "negative": (0.86, 0.11, 0.03),
    "neutral": (0.15, 0.7, 0.15),
    "positive": (0.04, 0.14, 0.82),
}


def make_users(session: Session, now: datetime) -> dict[Role, int]:
    users = [
        User(
            email=DEMO_EMAIL if role is Role.ADMIN else f"{role}@example.org",
            name=str(role).replace("_", " ").title(),
            role=role,
            password_hash=_password_hash(),
            created_at=now,
        )
        for role in Role
    ]
    session.add_all(users)
    session.flush()
    return {user.role: user.id for user in users}


@cache
def _password_hash() -> str:
    return QUICK_HASHER.hash(PASSWORD)


def make_flag(session: Session, mention: Mention, priority: Priority, **changes: Any) -> Flag:
    values: dict[str, Any] = {
        "mention_id": mention.id,
        "brand_id": mention.brand_id,
        "priority": priority,
        "urgency": URGENCY[priority],
        "rank": queue_rank(priority, is_negative=mention.label == "negative"),
        "published_at": mention.published_at,
        "platform": mention.platform,
        "label": mention.label,
        "lang": mention.lang,
        "reason": "what it asks for",
        "status": FlagStatus.OPEN,
        "created_at": mention.published_at,
        "due_at": mention.published_at + DUE[priority],
    }
    flag = Flag(**(values | changes))
    session.add(flag)
    session.flush()
    return flag


def judged(label: str, priority: Priority | None = None, **changes: Any) -> dict[str, Any]:
    """Return what scoring and triage write to a mention."""
    down, middle, up = _PROBABILITIES.get(label, (None, None, None))
    values: dict[str, Any] = {
        "label": label,
        "score": 0.0 if up is None or down is None else round(up - down, 4),
        "p_negative": down,
        "p_neutral": middle,
        "p_positive": up,
        "confidence": max((one for one in (down, middle, up) if one is not None), default=0.0),
        "lang": "en",
        "scorer": "vader-3.3.2/1",
        "pending": None,
        "priority": priority,
        "topic": "general",
        "route": "review",
    }
    return values | changes


def make_signals(session: Session, now: datetime) -> None:
    """Write what a model's heads say of every judged mention; the rules are still to come."""
    told = {"negative": ("anger", 0.15), "positive": ("joy", 0.02)}
    found = []
    for mention in session.scalars(select(Mention).where(Mention.label.is_not(None))):
        emotion, offensive = told.get(mention.label or "", ("optimism", 0.01))
        chances = dict.fromkeys(EMOTIONS, 0.1) | {emotion: 0.7}
        heads = HeadScores(emotion, chances, irony=0.2, offensive=offensive)
        if mention.label == "unknown":
            heads = HeadScores()
        place = (mention.id, mention.brand_id, mention.published_at)
        found.append(JudgedMention(*place, mention.label or "", "onnx/en-1", heads))
    mark_due(session, found, now)


def make_contact(session: Session, now: datetime, **changes: Any) -> Contact:
    values: dict[str, Any] = {
        "crm": "csv_file",
        "external_id": "C-1001",
        "name": "Ines Okafor",
        "emails": ["ines@example.org"],
        "phones": ["+34600000001"],
        "handles": ["x:ines_o"],
        "links": [],
        "country": "ES",
        "tier": "gold",
        "value": 12400.0,
        "owner": "Ben Roth",
        "fields": {},
        "record_hash": "",
        "first_seen_at": now,
        "updated_at": now,
    }
    contact = Contact(**(values | changes))
    session.add(contact)
    session.flush()
    return contact


def make_link(session: Session, author_id: int, contact: Contact, **changes: Any) -> IdentityLink:
    values: dict[str, Any] = {
        "author_id": author_id,
        "contact_id": contact.id,
        "state": LinkState.SUGGESTED,
        "weight_bits": 7.2,
        "evidence": [
            {"kind": "name", "source": "profile", "value_hash": "h1", "weight_bits": 4.1},
            {"kind": "location", "source": "profile", "value_hash": "h2", "weight_bits": 3.1},
        ],
        "rule_version": "1",
        "decided_at": contact.updated_at,
        "created_at": contact.updated_at,
    }
    link = IdentityLink(**(values | changes))
    session.add(link)
    session.flush()
    return link


def make_incident(session: Session, brand: Brand, now: datetime, **changes: Any) -> Incident:
    source = files("config").joinpath("defaults", "demo_protocol.yaml").read_text("utf-8")
    protocol = parse_pinned(source)
    version = ProtocolVersion(
        brand_id=brand.id, digest=protocol.digest, content=source, created_at=now
    )
    session.add(version)
    session.flush()
    facts = {
        "severity": "SEV-2",
        "window_s": 3600.0,
        "negatives": 64,
        "mentions": 112,
        "negatives_per_hour": 64.0,
        "negative_share": 0.571,
        "negative_share_floor": 0.479,
        "platforms": {"x": 41, "reddit": 23},
        "topics": {"glass": 64},
        "since": (now - timedelta(minutes=40)).isoformat(),
        "measured_at": now.isoformat(),
        "top_posts": [],
    }
    values: dict[str, Any] = {
        "brand_id": brand.id,
        "protocol_version_id": version.id,
        "topic": "glass",
        "open_key": f"{brand.id}:glass",
        "title": phrase(
            "Negative mentions of %(brand)s: %(topic)s",
            brand=brand.name,
            topic="Glass in the cup",
        ),
        "status": IncidentStatus.OPEN,
        "severity": "SEV-2",
        "opened_at": now - timedelta(minutes=12),
        "last_seen_at": now - timedelta(minutes=1),
        "facts": facts,
        "peak": facts | {"negatives": 71},
        "step": 0,
        "round": 0,
        "next_due_at": now - timedelta(minutes=12),
    }
    incident = Incident(**(values | changes))
    session.add(incident)
    session.flush()
    add_event(session, incident.id, "opened", "groundswell", incident.opened_at, facts)
    if incident.status is IncidentStatus.OPEN:
        chain.advance(session, incident, protocol, incident.opened_at)
    session.flush()
    return incident
