"""Replies from outside: acknowledge, escalate or note from Slack, by SMS or by a webhook.

Only a contact of the incident's own protocol is obeyed, known by `known_as`. A reply is obeyed
once, however often it is delivered: its id and what was answered are kept in the transaction
that obeys it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.bulk import insert_new
from config.clock import Clock
from config.errors import ConflictError, InputError, PermissionDeniedError
from config.language import reading_as, told
from config.phrases import phrase
from crm_link.escalation import incidents
from crm_link.escalation.delivery.acks import identities_of
from crm_link.escalation.delivery.delivery_models import InboundReply
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.delivery.telling import FindWishes, no_wishes
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import ProtocolContact
from crm_link.phrases import fold_text

#: What people write, and what it means; neither case nor accents matter. Every language's words
#: are read from everybody: whoever gets an alert in one language may answer in another.
WORDS = {
    "acknowledge": (
        *("ack", "acknowledge", "acknowledged", "ok", "okay", "yes", "on it"),
        *("asumo", "asumir", "asumido", "lo asumo", "recibido", "vale", "si", "voy"),
    ),
    "escalate": (
        *("esc", "escalate", "up", "help me"),
        *("escalar", "escala", "escalo", "subir", "ayuda"),
    ),
    "note": ("note", "n", "nota"),
}

#: What is answered to what nobody can read.
HELP = phrase("Write: ack 17, escalate 17 WHY, or note 17 TEXT, where 17 is the incident's number.")

#: Newest incidents among which a reply without a number looks for its own.
MOST_LOOKED_AT = 200

_FORM = re.compile(
    r"\s*(?P<word>lo asumo|[^\W\d_]+(?: (?:it|me))?)[\s:,]*#?(?P<number>\d{1,12})?[\s:,.!]*"
    r"(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answered, and by what they are known there.

    Args:
        source: slack, sms or webhook.
        external_id: The other side's id of this reply: the same again is the same reply.
        known_as: Such as `slack:U024BE7LH` or `tel:+34600000001`.
        action: acknowledge, escalate or note.
        incident_id: None: the newest that this contact was told of.

    """

    source: str
    external_id: str
    known_as: str
    action: str
    incident_id: int | None = None
    text: str = ""


def read_words(text: str) -> tuple[str, int | None, str] | None:
    """Return the action, the incident's number and the rest of what somebody wrote."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    word = fold_text(match["word"])
    for action, words in WORDS.items():
        if word in words:
            number = match["number"]
            return action, int(number) if number else None, match["rest"].strip()
    return None


def help_for(session: Session, known_as: str, *, wishes_of: FindWishes = no_wishes) -> str:
    """Return how to write a reply, in the language of whoever wrote what nobody can read.

    It is English for those who are no contact of an incident that is open and they were told of.
    """
    try:
        incident, contact = _find(session, Reply("", "", known_as, "acknowledge"))
    except PermissionDeniedError:
        return str(HELP)
    with reading_as(_language(session, incident, contact, wishes_of)):
        return told(HELP)


def take_reply(
    session: Session, reply: Reply, *, clock: Clock, wishes_of: FindWishes = no_wishes
) -> str:
    """Do what a reply says, once; return what to answer, in the language of whoever replied.

    Raises:
        PermissionDeniedError: Who replied is no contact of an incident that is open.
        InputError: The action is none.

    """
    if reply.action not in WORDS:
        raise InputError(
            "'%(action)s' is none of %(words)s", action=reply.action, words=", ".join(WORDS)
        )
    row = {
        "source": reply.source,
        "external_id": reply.external_id[:200],
        "at": clock(),
        "incident_id": None,
        "contact": None,
        "action": reply.action,
        "answer": "",
    }
    is_new = insert_new(session, InboundReply, [row], key=("source", "external_id")) == 1
    kept = session.scalars(
        select(InboundReply).where(
            InboundReply.source == reply.source, InboundReply.external_id == row["external_id"]
        )
    ).one()
    if not is_new:
        return kept.answer
    incident, contact = _find(session, reply)
    kept.incident_id, kept.contact = incident.id, contact.id
    try:
        answer = _obey(session, reply, incident.id, contact, clock)
    except (ConflictError, InputError) as error:
        answer = error.said
    with reading_as(_language(session, incident, contact, wishes_of)):
        kept.answer = told(answer)
    session.flush()
    return kept.answer


def _obey(
    session: Session, reply: Reply, incident_id: int, contact: ProtocolContact, clock: Clock
) -> str:
    by = f"{contact.id} ({reply.source})"
    if reply.action == "acknowledge":
        done = incidents.acknowledge(session, incident_id, by=by, contact=contact.id, clock=clock)
        if done.status is IncidentStatus.OPEN:
            return phrase(
                "Incident %(incident)s: yours is noted; others must acknowledge too.",
                incident=incident_id,
            )
        if reply.text:
            incidents.add_note(session, incident_id, text=reply.text, by=by, clock=clock)
        return phrase(
            "Incident %(incident)s is yours; the chain has stopped.", incident=incident_id
        )
    if reply.action == "escalate":
        incidents.escalate_now(session, incident_id, by=by, reason=reply.text, clock=clock)
        return phrase("Incident %(incident)s: the next people are told now.", incident=incident_id)
    incidents.add_note(session, incident_id, text=reply.text, by=by, clock=clock)
    return phrase("Incident %(incident)s: your note is in the timeline.", incident=incident_id)


def _language(
    session: Session, incident: Incident, contact: ProtocolContact, wishes_of: FindWishes
) -> str:
    found = contact.language or wishes_of(session, contact).language
    return found or pinned_protocol(session, incident).language


def _find(session: Session, reply: Reply) -> tuple[Incident, ProtocolContact]:
    """Return the incident that is meant, and who replied; strangers learn nothing."""
    query = (
        select(Incident)
        .where(Incident.status != IncidentStatus.RESOLVED)
        .order_by(Incident.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    if reply.incident_id is not None:
        query = select(Incident).where(Incident.id == reply.incident_id)
    for incident in session.scalars(query):
        contact = _contact(session, incident, reply.known_as)
        if contact is None:
            continue
        if reply.incident_id is not None or _was_told(session, incident.id, contact.id):
            return incident, contact
    raise PermissionDeniedError("this number or account is no contact of an incident that is open")


def _contact(session: Session, incident: Incident, known_as: str) -> ProtocolContact | None:
    wanted = known_as.strip().lower()
    return next(
        (
            contact
            for contact in pinned_protocol(session, incident).contacts
            if wanted in identities_of(contact)
        ),
        None,
    )


def _was_told(session: Session, incident_id: int, contact_id: str) -> bool:
    found = session.scalar(
        select(Notification.id)
        .where(Notification.incident_id == incident_id, Notification.contact == contact_id)
        .limit(1)
    )
    return found is not None
