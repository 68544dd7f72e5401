"""Loading what a message is made of, in the transaction that claims it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from crm_link.escalation.chain import upcoming
from crm_link.escalation.messages import Telling, TopPost
from crm_link.escalation.models import Incident, IncidentEvent, Notification
from crm_link.escalation.outbox import pinned_protocol
from listener.models import Author, Mention


def load_telling(session: Session, notification: Notification, public_url: str) -> Telling | None:
    """Return what the message says; None: its contact has no such channel."""
    incident = session.scalars(
        select(Incident)
        .where(Incident.id == notification.incident_id)
        .options(joinedload(Incident.brand))
    ).one()
    protocol = pinned_protocol(session, incident)
    contact = protocol.find_contact(notification.contact)
    if contact is None or notification.channel_index >= len(contact.channels):
        return None
    return Telling(
        notification=notification,
        incident=incident,
        brand_name=incident.brand.name,
        contact=contact,
        protocol=protocol,
        upcoming=upcoming(incident, protocol),
        # What a drill replays was said once: its words do not leave a second time.
        posts=() if incident.is_drill else _posts(session, incident.facts.get("top_posts", [])),
        public_url=public_url.rstrip("/"),
        resolution=_resolution(session, notification),
    )


def _posts(session: Session, mention_ids: list[int]) -> list[TopPost]:
    """Return the posts in the order of their ids here; what was deleted since is left out."""
    if not mention_ids:
        return []
    rows = session.execute(
        select(Mention, Author.handle, Author.followers)
        .outerjoin(Author, Author.id == Mention.author_id)
        .where(Mention.id.in_(mention_ids), Mention.deleted_at.is_(None))
    )
    posts = [
        TopPost(
            mention_id=mention.id,
            platform=mention.platform,
            url=mention.url,
            text=mention.text,
            published_at=mention.published_at,
            author=handle,
            followers=followers,
            copies=mention.fold_count,
        )
        for mention, handle, followers in rows
    ]
    return sorted(posts, key=lambda post: mention_ids.index(post.mention_id))


def _resolution(session: Session, notification: Notification) -> str | None:
    if notification.reason != "resolved":
        return None
    event = session.scalar(
        select(IncidentEvent)
        .where(
            IncidentEvent.incident_id == notification.incident_id,
            IncidentEvent.kind == "resolved",
        )
        .order_by(IncidentEvent.id.desc())
        .limit(1)
    )
    return None if event is None else str(event.detail.get("reason", ""))
