"""How somebody of a crisis protocol reads the console: alerts are said in that way too."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.models import User
from crm_link.escalation.delivery.acks import identities_of
from crm_link.escalation.delivery.telling import Wishes
from crm_link.escalation.protocol import ProtocolContact


def account_wishes(session: Session, contact: ProtocolContact) -> Wishes:
    """Return what a contact chose for their account, which is known by its e-mail."""
    addresses = [name for name in identities_of(contact) if "@" in name and ":" not in name]
    found = session.execute(
        select(User.language, User.zone)
        .where(User.email.in_(addresses), User.is_active)
        .order_by(User.id)
    ).all()
    return Wishes(
        language=next((one.language for one in found if one.language), ""),
        zone=next((one.zone for one in found if one.zone), ""),
    )
