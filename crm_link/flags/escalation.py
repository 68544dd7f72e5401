"""Escalating from the queue: flagged mentions open an incident or join one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from config.clock import Clock
from crm_link.escalation.by_hand import join_by_hand, raise_by_hand
from crm_link.flags.acts import Change, Pair
from crm_link.models import Flag


def escalate_flags(
    session: Session, flags: Mapping[int, Flag], change: Change, by: str, clock: Clock
) -> dict[int, Pair]:
    """Let mentions open an incident for each of their brands, or join the one that is named.

    They stay in the queue: that somebody works on the crisis answers nobody.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved, or of another brand.
        InputError: There is no reason, or no such severity.

    """
    incidents: dict[int, int] = {}
    for brand_id in sorted({flag.brand_id for flag in flags.values()}):
        mentions = [flag.mention for flag in flags.values() if flag.brand_id == brand_id]
        if change.incident_id is not None:
            join_by_hand(
                session, change.incident_id, mentions, reason=change.note, by=by, clock=clock
            )
            incidents[brand_id] = change.incident_id
        else:
            incidents[brand_id] = raise_by_hand(
                session,
                brand_id,
                mentions,
                level=change.severity,
                reason=change.note,
                by=by,
                clock=clock,
            )
    return {one: ({}, {"incident_id": incidents[flag.brand_id]}) for one, flag in flags.items()}
