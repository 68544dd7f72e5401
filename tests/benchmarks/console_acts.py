"""What people do to one thing, as the console sends it: what is timed of the POST requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.models import Contact, Flag, FlagStatus, IdentityLink
from crm_link.types import LinkState

#: Things that each act is done to.
TURNS = 5

Form = dict[str, str]


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its name, and address and form of each turn."""

    name: str
    sent: tuple[tuple[str, Form], ...]


def acts_of(session: Session) -> list[Act]:
    """Return what is done, in an order in which it may be."""
    flags = session.scalars(
        select(Flag.mention_id)
        .where(Flag.status == FlagStatus.OPEN, Flag.platform == "reddit")
        .order_by(Flag.mention_id.desc())
        .limit(TURNS)
    ).all()
    links = session.scalars(
        select(IdentityLink.id).where(IdentityLink.state == LinkState.SUGGESTED).limit(TURNS)
    ).all()
    people = session.scalars(select(Contact.id).order_by(Contact.id.desc()).limit(TURNS)).all()
    attack = session.scalars(
        select(Incident.id).where(Incident.status != IncidentStatus.RESOLVED)
    ).first()

    def queue(act: str, **form: str) -> Act:
        sent = [("/queue/changes", {"act": act, "ids": str(one)} | form) for one in flags]
        return Act(f"queue, {act}", tuple(sent))

    def each(name: str, path: str, ids: Sequence[object], **form: str) -> Act:
        return Act(
            name,
            tuple(
                (path.format(one), {key: value.format(one) for key, value in form.items()})
                for one in ids
            ),
        )

    incident = [attack] * TURNS
    return [
        queue("assign", assignee="me"),
        queue("snooze", minutes="60"),
        queue("label", label="neutral"),
        queue("priority", priority="other"),
        queue("answer"),
        queue("done", note="answered elsewhere"),
        queue("reopen"),
        each("mention, correct", "/mentions/{}/correct", flags, label="positive"),
        each("mention, undo", "/mentions/{}/undo-correction", flags),
        each("link, reject", "/links/{}/reject", links),
        each("link, undo", "/links/{}/undo", links),
        each("consent", "/people/{}/consents", people, scope="any", note="ticket 1"),
        each("opt-out", "/people/{}/opt-out", people),
        each("opt-in", "/people/{}/opt-in", people),
        each("war room, note", "/incidents/{}/note", incident, text="We called the plant."),
        each("report, PDF", "/reports/files", incident, kind="incident", incident="{}"),
        each("silence, preview", "/silences/preview", incident, brand="acme", topics="glass"),
        each("query, check", "/listening/acme/check", incident, query="acme AND glass"),
        each("query, try", "/listening/acme/try", incident, query="acme AND glass"),
        each("privacy, look", "/admin/privacy/look", people, kind="contact", whom="hubspot:C-{}"),
    ]
