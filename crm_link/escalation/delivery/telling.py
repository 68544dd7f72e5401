"""Loading what a message is made of, in the transaction that claims it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.phrases import Phrase, phrase
from crm_link.escalation.chain import upcoming
from crm_link.escalation.delivery.acks import Links, identities_of
from crm_link.escalation.delivery.message_facts import Telling, TopPost
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.delivery.reply_settings import replies_by_sms
from crm_link.escalation.duty import on_call
from crm_link.escalation.models import Incident, IncidentEvent, IncidentStatus, Notification
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact
from crm_link.escalation.protocol_parts.contacts import ChannelAddress
from crm_link.escalation.protocol_parts.on_call import on_call_rotation
from crm_link.escalation.reasons.why import find_stored, summarise_why
from listener.models import Author, Mention


@dataclass(frozen=True, slots=True)
class Wishes:
    """In which language and time zone somebody reads the console; empty: they chose none."""

    language: str = ""
    zone: str = ""


#: Says how somebody of a protocol reads the console.
FindWishes = Callable[[Session, ProtocolContact], Wishes]


def no_wishes(session: Session, contact: ProtocolContact) -> Wishes:
    """Know nobody in the console."""
    del session, contact
    return Wishes()


def zone_of(protocol: EscalationProtocol, contact: ProtocolContact, wishes: Wishes) -> str:
    """Return the time zone in which a contact is told of times.

    It is the one that the protocol gives them, else the one that they read the console in, else
    the one of a rotation that they are a member of, else the one of the business hours, else UTC.
    """
    if "tz" in contact.model_fields_set:
        return contact.tz
    turns = [one.tz for one in protocol.on_call.values() if contact.id in one.members]
    hours = protocol.business_hours.tz if protocol.business_hours else None
    return next(filter(None, (wishes.zone, *turns, hours)), contact.tz)


def load_telling(
    session: Session,
    notification: Notification,
    links: Links,
    wishes_of: FindWishes = no_wishes,
    *,
    now: datetime,
) -> Telling | None:
    """Return what the message says; None: its contact has no such channel.

    It is in the language that the protocol gives the contact, else in the one that they read the
    console in, else in the protocol's. Times are in their zone: see `zone_of`.
    """
    incident = session.scalars(
        select(Incident)
        .where(Incident.id == notification.incident_id)
        .options(joinedload(Incident.brand))
    ).one()
    protocol = pinned_protocol(session, incident)
    contact = protocol.find_contact(notification.contact)
    if contact is None or notification.channel_index >= len(contact.channels):
        return None
    wishes = wishes_of(session, contact)
    return Telling(
        notification=notification,
        incident=incident,
        brand_name=incident.brand.name,
        contact=contact,
        protocol=protocol,
        upcoming=_upcoming(session, incident, protocol),
        # What a drill replays was said once: its words do not leave a second time.
        posts=() if incident.is_drill else _posts(session, incident.facts.get("top_posts", [])),
        link=links.incident(incident.id),
        ack_link=_ack_link(incident, notification, links),
        resolution=_resolution(session, notification),
        why=summarise_why(find_stored(session, incident.id)),
        language=contact.language or wishes.language or protocol.language,
        zone=zone_of(protocol, contact, wishes),
        now=now,
        takes_words=_takes_words(contact, contact.channels[notification.channel_index]),
    )


def _takes_words(contact: ProtocolContact, channel: ChannelAddress) -> bool:
    """Say whether an SMS that this contact writes back is read, and known to be theirs."""
    if channel.kind != "sms" or not replies_by_sms():
        return False
    return any(name.startswith("tel:") for name in identities_of(contact))


def _ack_link(incident: Incident, notification: Notification, links: Links) -> str | None:
    """Return a link that acknowledges; None where there is nothing to acknowledge."""
    if incident.status is not IncidentStatus.OPEN:
        return None
    # As old as the message: a later attempt carries the same link.
    return links.acknowledge(notification.id, notification.created_at)


def _upcoming(
    session: Session, incident: Incident, protocol: EscalationProtocol
) -> tuple[tuple[str, ...], datetime] | None:
    """Return who is told next and when; those on call by their names."""
    found = upcoming(incident, protocol)
    if found is None:
        return None
    words, at = found
    said: list[str] = []
    for word in words:
        name = on_call_rotation(word)
        if name is not None:
            called = on_call.who_is_on(session, protocol, incident.brand_id, name, at)
            who = ", ".join(one.name or one.id for one in called) or phrase("nobody")
            said.append(Phrase("%(rotation)s: %(who)s", {"rotation": word, "who": who}))
        else:
            said.append(word)
    return tuple(said), at


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
    return None if event is None else event.detail.get("reason", "")
