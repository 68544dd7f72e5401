"""What one message is made of, and the same for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.language import SOURCE
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact


@dataclass(frozen=True, slots=True)
class TopPost:
    """One of the posts that reach most people."""

    mention_id: int
    platform: str
    url: str | None
    text: str
    published_at: datetime
    author: str | None
    followers: int | None
    copies: int


@dataclass(frozen=True, slots=True)
class Telling:
    """Everything that one message is made of."""

    notification: Notification
    incident: Incident
    brand_name: str
    contact: ProtocolContact
    protocol: EscalationProtocol
    upcoming: tuple[tuple[str, ...], datetime] | None
    posts: Sequence[TopPost]
    link: str
    ack_link: str | None
    resolution: str | None
    now: datetime
    why: str = ""
    language: str = SOURCE
    zone: str = "UTC"
    #: Whether the contact can answer with words over the channel that this goes by.
    takes_words: bool = False


def facts_of(telling: Telling) -> dict[str, Any]:
    """Return what a message says, for machines; its texts are English."""
    incident, notification = telling.incident, telling.notification
    facts = incident.facts
    return {
        "incident_id": incident.id,
        "brand": telling.brand_name,
        "topic": incident.topic,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status.value,
        "is_drill": incident.is_drill,
        "kind": incident.kind,
        "reason": notification.reason,
        "contact_id": telling.contact.id,
        "role": notification.role,
        "attempt": notification.attempts,
        "opened_at": incident.opened_at.isoformat(),
        "since": facts.get("since"),
        "window_s": facts.get("window_s"),
        "negatives": facts.get("negatives"),
        "mentions": facts.get("mentions"),
        "negative_share": facts.get("negative_share"),
        "negatives_per_hour": facts.get("negatives_per_hour"),
        "reach": facts.get("reach"),
        "burst": facts.get("burst"),
        "platforms": facts.get("platforms", {}),
        "url": telling.link,
        "acknowledge_url": telling.ack_link,
        "claim": (incident.assessment or {}).get("claim"),
        "playbook": incident.playbook,
        "next": (
            None
            if telling.upcoming is None
            else {"notify": list(telling.upcoming[0]), "at": telling.upcoming[1].isoformat()}
        ),
        "top_posts": [
            {
                "mention_id": post.mention_id,
                "platform": post.platform,
                "url": post.url,
                "published_at": post.published_at.isoformat(),
            }
            for post in telling.posts
        ],
    }
