"""Who has acknowledged, and the signed links by which people do so without signing in.

A link is signed (itsdangerous) and names one message; everything else is looked up. It works
once, for its message's contact, for a limited time, and only while the incident is open.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from config.bulk import insert_new
from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from config.phrases import phrase
from crm_link.escalation.delivery.delivery_models import Acknowledgement
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import ChainStep, EscalationProtocol, ProtocolContact
from crm_link.escalation.protocol_parts.lint import resolve_address
from crm_link.models import DeliveryStatus

#: How long a link works. An alert that nobody has acknowledged for so long was told again.
LINK_LIFE = timedelta(hours=72)

_SALT = "acknowledge"

_BETWEEN_DIGITS = re.compile(r"[\s()./-]")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the console in messages; without a key, none that work without sign-in."""

    public_url: str = ""
    key: str = ""

    def incident(self, incident_id: int) -> str:
        """Return the address of an incident's page."""
        return f"{self.public_url.rstrip('/')}/incidents/{incident_id}"

    def acknowledge(self, notification_id: int, now: datetime) -> str | None:
        """Return a link that acknowledges from a phone; None where nothing can sign it."""
        if not self.key or not self.public_url:
            return None
        return f"{self.public_url.rstrip('/')}/a/{_signer(self.key, now).dumps(notification_id)}"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for, and whether it still works: `problem` says why not."""

    notification: Notification
    incident: Incident
    problem: str = ""


def open_link(session: Session, token: str, *, key: str, now: datetime) -> Link:
    """Return what a link is for; looking at it changes nothing.

    Raises:
        NotFoundError: It is none of ours.
        ConflictError: It is too old.

    """
    try:
        number = _signer(key, now).loads(token, max_age=int(LINK_LIFE.total_seconds()))
    except SignatureExpired as error:
        raise ConflictError("this link is too old; sign in to acknowledge") from error
    except BadSignature as error:
        raise NotFoundError("this link is not one of ours, or was cut off on its way") from error
    row = session.get(Notification, number) if isinstance(number, int) else None
    if row is None:
        raise NotFoundError("this link is for a message that is gone")
    incident = session.scalars(
        select(Incident).where(Incident.id == row.incident_id).options(joinedload(Incident.brand))
    ).one()
    return Link(row, incident, _problem(row, incident))


def use_link(session: Session, token: str, *, key: str, clock: Clock) -> Link:
    """Mark a link as used; the caller acknowledges in the same transaction.

    Raises:
        NotFoundError: It is none of ours.
        ConflictError: It is too old, was used, or there is nothing to acknowledge any more.

    """
    now = clock()
    link = open_link(session, token, key=key, now=now)
    if link.problem:
        raise ConflictError(link.problem)
    # Of two uses at once the database lets one through.
    used = session.scalar(
        update(Notification)
        .where(Notification.id == link.notification.id, Notification.acked_at.is_(None))
        .values(acked_at=now)
        .returning(Notification.id)
    )
    if used is None:
        raise ConflictError("this link was used already")
    return link


def record(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    *,
    by: str,
    contact: str | None,
    now: datetime,
) -> list[str]:
    """Store one person's acknowledgement; return who must still give theirs.

    Args:
        session: The transaction, with the incident locked.
        incident: An open incident.
        protocol: Its pinned protocol.
        by: Who, as the timeline says it.
        contact: Their id in the protocol; None: found by `by`, if it is a contact's at all.
        now: The present.

    """
    known = contact or find_contact_id(protocol, by)
    if known is not None:
        row = {
            "incident_id": incident.id,
            "round": incident.round,
            "contact": known,
            "by": by,
            "at": now,
        }
        insert_new(session, Acknowledgement, [row], key=("incident_id", "round", "contact"))
    step = _last_step(incident, protocol)
    if step is None or not step[1].all_must_ack:
        return []
    return sorted(_asked(session, incident, step[0]) - acknowledged_by(session, incident))


def acknowledged_by(session: Session, incident: Incident) -> set[str]:
    """Return the contacts that have acknowledged in this round of the chain."""
    return set(
        session.scalars(
            select(Acknowledgement.contact).where(
                Acknowledgement.incident_id == incident.id,
                Acknowledgement.round == incident.round,
            )
        )
    )


def carry_over(session: Session, incident: Incident, to_round: int) -> None:
    """Let acknowledgements count for the next round of a chain that goes on by itself."""
    session.execute(
        update(Acknowledgement)
        .where(Acknowledgement.incident_id == incident.id, Acknowledgement.round == incident.round)
        .values(round=to_round)
    )


def find_contact_id(protocol: EscalationProtocol, known_as: str) -> str | None:
    """Return the id of the contact with this id, or known by this name; None: a stranger."""
    wanted = known_as.strip().lower()
    for contact in protocol.contacts:
        if wanted == contact.id.lower() or wanted in identities_of(contact):
            return contact.id
    return None


def identities_of(contact: ProtocolContact) -> set[str]:
    """Return by what replies and sign-ins are known as the contact's, in lower case.

    A secret's name stands for its value; one that is not set stands for nothing.
    """
    found = set()
    for one in contact.known_as:
        with suppress(InputError):
            value = resolve_address(one).strip().lower()
            found.add(_BETWEEN_DIGITS.sub("", value) if value.startswith("tel:") else value)
    return found


def _last_step(incident: Incident, protocol: EscalationProtocol) -> tuple[int, ChainStep] | None:
    """Return the last step that was taken in this round."""
    steps = protocol.chain_for(incident.severity).steps
    taken = [
        (number, step)
        for number, step in enumerate(steps[: incident.step])
        if step.is_for(incident.severity)
    ]
    return taken[-1] if taken else None


def _asked(session: Session, incident: Incident, number: int) -> set[str]:
    """Return who was told by a step of this round and can be reached."""
    rows: dict[str, list[DeliveryStatus]] = {}
    for contact, status, payload in session.execute(
        select(Notification.contact, Notification.status, Notification.payload).where(
            Notification.incident_id == incident.id, Notification.reason == "step"
        )
    ):
        details: dict[str, Any] = payload
        if details.get("round") == incident.round and details.get("tag") == f"step{number}":
            rows.setdefault(contact, []).append(status)
    return {
        contact
        for contact, statuses in rows.items()
        if any(status is not DeliveryStatus.DEAD for status in statuses)
    }


def _problem(row: Notification, incident: Incident) -> str:
    if incident.status is IncidentStatus.RESOLVED:
        return phrase("this is over: resolved by %(who)s", who=incident.resolved_by)
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        return phrase("%(who)s is on it already", who=incident.acknowledged_by)
    if row.acked_at is not None:
        return phrase("this link was used already")
    return ""


def _signer(key: str, now: datetime) -> URLSafeTimedSerializer:
    """Return what signs and checks, at `now`: the clock is given, as everywhere."""

    class _AtNow(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(now.timestamp())

    digest = hashlib.sha256(b"acknowledge" + key.encode()).hexdigest()
    return URLSafeTimedSerializer(digest, salt=_SALT, signer=_AtNow)
