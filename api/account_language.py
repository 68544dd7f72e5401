"""What somebody of a crisis protocol reads the console in: alerts are in that language too."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.models import User
from crm_link.escalation.delivery.acks import identities_of
from crm_link.escalation.protocol import ProtocolContact


def account_language(session: Session, contact: ProtocolContact) -> str:
    """Return the language of a contact's account, which is known by its e-mail; empty: none."""
    addresses = [name for name in identities_of(contact) if "@" in name and ":" not in name]
    found = session.scalar(
        select(User.language)
        .where(User.email.in_(addresses), User.is_active, User.language != "")
        .order_by(User.id)
        .limit(1)
    )
    return found or ""
