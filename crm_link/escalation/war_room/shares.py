"""Links by which executives see an incident without an account: read-only, expiring, revocable.

A link is a secret of 256 bits with a signature of ours, so that guesses are refused before the
database is asked; stored is its hash.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError, InputError, NotFoundError
from config.phrases import phrase
from crm_link.escalation.incidents import get_incident
from crm_link.escalation.war_room.share_models import IncidentShare

#: How long a link may work, in hours; the first is what is offered.
LIVES_H = (24, 4, 72, 168)

#: Links of one incident that work at the same time.
MOST_OPEN = 20

#: Looks at a link are counted once in so long a time.
COUNT_EVERY = timedelta(minutes=1)

_SECRET_BYTES = 32
_MOST_NAME = 100


def create_share(
    session: Session,
    incident_id: int,
    *,
    name: str,
    hours: int,
    by: str,
    key: str,
    now: datetime,
) -> tuple[IncidentShare, str]:
    """Make a link to an incident; return it with its token, which is known only now.

    Raises:
        NotFoundError: There is no such incident.
        InputError: It is about no crisis, or the link has no name or another life.
        ConflictError: There are enough links already.

    """
    incident = get_incident(session, incident_id)
    if not incident.is_about_mentions:
        raise InputError(
            "incident %(incident_id)s is no crisis: there is nothing to share",
            incident_id=incident_id,
        )
    whom = name.strip()
    if not whom or len(whom) > _MOST_NAME:
        raise InputError(
            "say whom the link is for, in 1 to %(most_name)s characters", most_name=_MOST_NAME
        )
    if hours not in LIVES_H:
        known = ", ".join(str(one) for one in sorted(LIVES_H))
        raise InputError("a link lives for %(known)s hours", known=known)
    if sum(is_open(one, now) for one in list_shares(session, incident_id)) >= MOST_OPEN:
        raise ConflictError(
            "%(most_open)s links to incident %(incident_id)s work already; revoke one",
            most_open=MOST_OPEN,
            incident_id=incident_id,
        )
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    share = IncidentShare(
        incident_id=incident_id,
        digest=_digest(secret),
        name=whom,
        created_at=now,
        created_by=by,
        expires_at=now + timedelta(hours=hours),
    )
    session.add(share)
    session.flush()
    return share, _signer(key).sign(secret).decode()


def list_shares(session: Session, incident_id: int) -> Sequence[IncidentShare]:
    """Return an incident's links, the newest first."""
    return session.scalars(
        select(IncidentShare)
        .where(IncidentShare.incident_id == incident_id)
        .order_by(IncidentShare.id.desc())
    ).all()


def is_open(share: IncidentShare, now: datetime) -> bool:
    """Say whether a link still works."""
    return share.revoked_at is None and now < share.expires_at


def revoke_share(
    session: Session, incident_id: int, share_id: int, *, by: str, now: datetime
) -> IncidentShare:
    """Make a link useless at once.

    Raises:
        NotFoundError: There is no such incident, or it has no such link.
        ConflictError: It is revoked already.

    """
    # Links belong to no brand themselves: who does not see the incident does not reach them.
    get_incident(session, incident_id)
    share = session.scalar(
        select(IncidentShare)
        .where(IncidentShare.id == share_id, IncidentShare.incident_id == incident_id)
        .with_for_update()
    )
    if share is None:
        raise NotFoundError(
            "incident %(incident_id)s has no link %(share_id)s",
            incident_id=incident_id,
            share_id=share_id,
        )
    if share.revoked_at is not None:
        raise ConflictError(
            "link %(share_id)s was revoked by %(revoked_by)s",
            share_id=share_id,
            revoked_by=share.revoked_by,
        )
    share.revoked_at, share.revoked_by = now, by
    return share


def find_share(session: Session, token: str, *, key: str, now: datetime) -> IncidentShare:
    """Return the link that a token opens.

    Raises:
        NotFoundError: It is none of ours, has expired or was revoked: all the same to whoever
            asks.

    """
    msg = phrase("this link does not work: it has expired, was revoked, or was cut off on its way")
    try:
        secret = _signer(key).unsign(token).decode()
    except BadSignature as error:
        raise NotFoundError(msg) from error
    share = session.scalar(select(IncidentShare).where(IncidentShare.digest == _digest(secret)))
    if share is None or not is_open(share, now):
        raise NotFoundError(msg)
    return share


def count_look(session: Session, share_id: int, now: datetime) -> bool:
    """Count that somebody looks through a link; return whether it is the first time."""
    share = session.get_one(IncidentShare, share_id, with_for_update=True)
    is_first = share.last_opened_at is None
    share.opened += 1
    share.last_opened_at = now
    return is_first


def is_look_due(share: IncidentShare, now: datetime) -> bool:
    """Say whether a look at a link is to be counted: its last one is a minute ago."""
    return share.last_opened_at is None or now - share.last_opened_at >= COUNT_EVERY


def _signer(key: str) -> Signer:
    return Signer(key, salt="share", digest_method=hashlib.sha256)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
