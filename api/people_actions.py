"""What people say of records of CRMs: the service, then the audit log."""

from __future__ import annotations

from api.deps import Actor
from crm_link.linking import twins


def say_same(actor: Actor, contact_id: int, other_id: int, *, is_same: bool | None) -> None:
    """Say that two records are one person's, or are not; None takes back what was said."""
    if is_same is None:
        twins.undecide_same(actor.session, contact_id, other_id, now=actor.clock())
        what = "taken back what was said of"
    else:
        twins.decide_same(
            actor.session,
            contact_id,
            other_id,
            is_same=is_same,
            by=actor.name,
            now=actor.clock(),
        )
        what = "said to be one person with" if is_same else "said to be somebody else than"
    actor.record(f"{what} contact {other_id}", f"contact {contact_id}")
