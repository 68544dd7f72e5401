"""Making and revoking links to incidents: the service, then the audit log."""

from __future__ import annotations

from api.deps import Actor, State
from api.users import audit
from crm_link.escalation.war_room import shares
from crm_link.escalation.war_room.share_models import IncidentShare


def create_share(
    actor: Actor, state: State, incident_id: int, *, name: str, hours: int
) -> tuple[IncidentShare, str]:
    """Make a link; return it with its address, which is shown once."""
    share, token = shares.create_share(
        actor.session,
        incident_id,
        name=name,
        hours=hours,
        by=actor.name,
        key=state.settings.secret_key.get_secret_value(),
        now=actor.clock(),
    )
    actor.record(f"link {share.id} to it created", f"incident {incident_id}")
    return share, f"{state.settings.resolved_public_url()}/s/{token}"


def revoke_share(actor: Actor, incident_id: int, share_id: int) -> IncidentShare:
    """Make a link useless."""
    share = shares.revoke_share(
        actor.session, incident_id, share_id, by=actor.name, now=actor.clock()
    )
    actor.record(f"link {share_id} to it revoked", f"incident {incident_id}")
    return share


def count_look(state: State, share: IncidentShare) -> None:
    """Count that somebody looks through a link; the first time is written to the audit log."""
    now = state.clock()
    if not shares.is_look_due(share, now):
        return
    with state.sessions.begin() as session:
        if shares.count_look(session, share.id, now):
            audit(
                session,
                actor=f"link {share.id}",
                action="opened for the first time",
                subject=f"incident {share.incident_id}",
                now=now,
            )
