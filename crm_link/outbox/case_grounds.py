"""What asks for a case or a note in a CRM: flagged complaints, and incidents of people we know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal_column, select, true
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.errors import InputError
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.models import BURST, Incident
from crm_link.escalation.protocol_parts.triage import CrmRules
from crm_link.figures.author_numbers import INCIDENT_LOOKBACK
from crm_link.linking.due import AnyRow
from crm_link.models import CrmCase, Flag, FlagStatus
from crm_link.outbox.addresses import make_key
from crm_link.types import Priority, RecordKind
from listener.models import Author, Brand, Mention
from sentiment.types import Label

_IS_CASE = Flag.opens_case == literal_column("true")
_URGENT = frozenset({Priority.RISK, Priority.CANCEL})


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason for a case or a note.

    Args:
        kind: What it asks for.
        key: The record's key.
        author_id: Whose complaint it is.
        mention_id: The complaint.
        incident_id: The incident, if that is the reason.
        is_open: Whether it still is to be dealt with.
        subject: The record's subject.
        body: Its text: why, and where the post stands. The post's own text stays out of the CRM,
            where nobody would delete it when the platform does.
        priority: high or medium.

    """

    kind: RecordKind
    key: str
    author_id: int
    mention_id: int
    incident_id: int | None
    is_open: bool
    subject: str
    body: str
    priority: str


def flag_grounds(session: Session, author_ids: Collection[int]) -> list[Ground]:
    """Return the grounds that the protocol's flag rules made of these authors' mentions."""
    rows = session.execute(
        select(
            Flag.mention_id,
            Flag.priority,
            Flag.reason,
            Flag.status,
            Mention.author_id,
            Mention.platform,
            Mention.external_id,
            Mention.url,
            Mention.published_at,
            Brand.name.label("brand"),
        )
        .join(Mention, Mention.id == Flag.mention_id)
        .join(Brand, Brand.id == Flag.brand_id)
        .where(_IS_CASE, any_of(session, Mention.author_id, sorted(author_ids)))
        .order_by(Flag.mention_id)
    )
    return [
        Ground(
            kind=RecordKind.CASE,
            key=make_key(row.platform, row.external_id),
            author_id=row.author_id,
            mention_id=row.mention_id,
            incident_id=None,
            is_open=row.status is FlagStatus.OPEN,
            subject=f"{row.brand}: {row.priority.value} on {row.platform}",
            body=_body(row, f"Why: {row.reason}"),
            priority="high" if row.priority in _URGENT else "medium",
        )
        for row in rows
    ]


def incident_grounds(
    session: Session, author_ids: Collection[int], known: Sequence[CrmCase]
) -> list[Ground]:
    """Return the grounds of incidents that are open, or that a known record is of."""
    told = {one.incident_id for one in known if one.incident_id is not None}
    incidents = session.scalars(
        select(Incident)
        .where(Incident.kind == BURST, Incident.open_key.is_not(None) | Incident.id.in_(told))
        .order_by(Incident.id)
    ).all()
    found: list[Ground] = []
    for incident in incidents:
        rules = _rules_of(session, incident)
        kinds = [RecordKind.NOTE] if rules.incident_notes else []
        kinds += [RecordKind.CASE] if rules.incident_cases else []
        if not kinds:
            continue
        for row in _complaints(session, incident, author_ids):
            found += [_incident_ground(kind, incident, row) for kind in kinds]
    return found


def _rules_of(session: Session, incident: Incident) -> CrmRules:
    """Return what the incident's protocol says of CRMs; one that cannot be read says nothing."""
    try:
        return pinned_protocol(session, incident).crm
    except InputError:
        return CrmRules()


def _complaints(
    session: Session, incident: Incident, author_ids: Collection[int]
) -> Sequence[AnyRow]:
    """Return each author's first complaint in an incident; a later one changes nothing."""
    until = incident.resolved_at
    rows = session.execute(
        select(
            Mention.id.label("mention_id"),
            Mention.author_id,
            Mention.platform,
            Mention.external_id,
            Mention.url,
            Mention.published_at,
            Author.external_id.label("account"),
            Brand.name.label("brand"),
        )
        .join(Author, Author.id == Mention.author_id)
        .join(Brand, Brand.id == Mention.brand_id)
        .where(
            any_of(session, Mention.author_id, sorted(author_ids)),
            Mention.brand_id == incident.brand_id,
            Mention.topic == incident.topic,
            Mention.label == Label.NEGATIVE.value,
            Mention.deleted_at.is_(None),
            Mention.published_at >= incident.opened_at - INCIDENT_LOOKBACK,
            true() if until is None else Mention.published_at <= until,
        )
        .order_by(Mention.published_at, Mention.id)
    )
    first: dict[int, AnyRow] = {}
    for row in rows:
        first.setdefault(row.author_id, row)
    return list(first.values())


def _incident_ground(kind: RecordKind, incident: Incident, row: AnyRow) -> Ground:
    if kind is RecordKind.CASE:
        key = make_key(row.platform, row.external_id)
    else:
        key = f"incident:{incident.id}:{make_key(row.platform, row.account)}"
    state = "open" if incident.resolved_at is None else f"resolved {_day(incident.resolved_at)}"
    return Ground(
        kind=kind,
        key=key,
        author_id=row.author_id,
        mention_id=row.mention_id,
        incident_id=incident.id,
        is_open=incident.open_key is not None,
        subject=f"{row.brand}: incident {incident.id}, {incident.topic}, {incident.severity}",
        body=_body(row, f"Incident {incident.id} ({incident.topic}): {state}"),
        priority="high",
    )


def _body(row: AnyRow, why: str) -> str:
    where = row.url or f"{row.platform} {row.external_id}"
    return f"{why}\nPost of {_day(row.published_at)}: {where}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
