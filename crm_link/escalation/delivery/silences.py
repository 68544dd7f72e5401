"""Silences: a planned time in which people are not told, for what a matcher names.

What happens meanwhile is recorded and raised at the silence's end if it is still on. Only
negative mentions are silenced, never alerts about Groundswell itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from config.phrases import Moment
from crm_link.escalation.delivery.delivery_models import Silence
from crm_link.escalation.models import BURST, Incident, IncidentStatus
from crm_link.escalation.protocol_parts.base import LEVELS

#: A longer silence is forgotten.
LONGEST = timedelta(days=31)

#: How far back a preview looks.
LOOK_BACK = timedelta(days=30)

#: Incidents that a preview names.
MOST_PREVIEWED = 50


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a silence is for; no brand or no topics: all of them."""

    severities: tuple[str, ...]
    brand_id: int | None = None
    topics: tuple[str, ...] = ()

    def fits(self, incident: Incident) -> bool:
        """Say whether the incident, as it is now, is one of those."""
        return (
            incident.kind == BURST
            and self.brand_id in {None, incident.brand_id}
            and incident.severity in self.severities
            and (not self.topics or incident.topic in self.topics)
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what `fits` asks, for a query."""
        found = [Incident.kind == BURST, Incident.severity.in_(self.severities)]
        if self.brand_id is not None:
            found.append(Incident.brand_id == self.brand_id)
        if self.topics:
            found.append(Incident.topic.in_(self.topics))
        return found


def matcher_of(silence: Silence) -> Matcher:
    """Return what a stored silence is for."""
    return Matcher(tuple(silence.severities), silence.brand_id, tuple(silence.topics))


def end_of(silence: Silence) -> datetime:
    """Return when a silence ends, or ended early."""
    return min(silence.ended_at or silence.ends_at, silence.ends_at)


def find_silence(session: Session, incident: Incident, now: datetime) -> Silence | None:
    """Return the silence that holds for an incident now; of several, the one that ends last."""
    if incident.kind != BURST:
        return None
    holding = session.scalars(
        select(Silence).where(
            Silence.ends_at > now, Silence.starts_at <= now, Silence.ended_at.is_(None)
        )
    )
    fitting = [one for one in holding if matcher_of(one).fits(incident)]
    return max(fitting, key=lambda one: (one.ends_at, one.id), default=None)


def list_silences(
    session: Session, *, now: datetime, with_past: bool = False, limit: int = 200
) -> list[Silence]:
    """Return silences that hold or will, and the past ones where asked; the newest first."""
    query = select(Silence).order_by(Silence.id.desc()).limit(limit)
    if not with_past:
        query = query.where(Silence.ends_at > now, Silence.ended_at.is_(None))
    return list(session.scalars(query))


def preview(session: Session, matcher: Matcher, *, now: datetime) -> list[Incident]:
    """Return what the silence would hide now, and would have hidden in the last 30 days.

    The ones that are still open come first, then the newest; with their brands.
    """
    query = (
        select(Incident)
        .options(joinedload(Incident.brand))
        .where(*matcher.conditions(), Incident.opened_at >= now - LOOK_BACK)
        .order_by(Incident.open_key.is_(None), Incident.id.desc())
        .limit(MOST_PREVIEWED)
    )
    return list(session.scalars(query))


def create_silence(
    session: Session,
    matcher: Matcher,
    *,
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    by: str,
    clock: Clock,
) -> Silence:
    """Plan a silence; open incidents that it is for are silenced within a second.

    Raises:
        InputError: The times, the severities or the comment are wrong.

    """
    now = clock()
    _check(matcher.severities, starts_at, ends_at, comment, now)
    silence = Silence(
        brand_id=matcher.brand_id,
        topics=list(matcher.topics),
        severities=list(matcher.severities),
        starts_at=starts_at,
        ends_at=ends_at,
        comment=comment.strip(),
        created_by=by,
        created_at=now,
        ended_at=None,
        ended_by=None,
    )
    session.add(silence)
    session.flush()
    if starts_at <= now:
        _look_again(session, matcher, now)
    return silence


def end_silence(session: Session, silence_id: int, *, by: str, clock: Clock) -> Silence:
    """End a silence now; what it hid and is still on is raised within a second.

    Raises:
        NotFoundError: There is none with this id.
        ConflictError: It is over.

    """
    silence = session.scalar(select(Silence).where(Silence.id == silence_id).with_for_update())
    if silence is None:
        raise NotFoundError("there is no silence %(silence_id)s", silence_id=silence_id)
    now = clock()
    if end_of(silence) <= now:
        raise ConflictError(
            "silence %(silence_id)s is over since %(when)s",
            silence_id=silence_id,
            when=Moment(end_of(silence)),
        )
    silence.ended_at, silence.ended_by = now, by
    session.execute(
        update(Incident)
        .where(Incident.suppressed_by == f"silence:{silence_id}", Incident.open_key.is_not(None))
        .values(next_due_at=now)
    )
    session.flush()
    return silence


def _look_again(session: Session, matcher: Matcher, now: datetime) -> None:
    """Let the chain look at the open incidents that fit: it finds the silence by itself."""
    is_open = Incident.open_key.is_not(None), Incident.status == IncidentStatus.OPEN
    session.execute(update(Incident).where(*matcher.conditions(), *is_open).values(next_due_at=now))


def _check(
    severities: Sequence[str], starts_at: datetime, ends_at: datetime, comment: str, now: datetime
) -> None:
    if not severities or set(severities) - set(LEVELS):
        raise InputError("say which severities are silenced: %(levels)s", levels=", ".join(LEVELS))
    if not starts_at < ends_at or ends_at <= now:
        raise InputError("a silence ends after it begins, and in the future")
    if ends_at - starts_at > LONGEST:
        raise InputError(
            "a silence lasts %(days)s days at most, so that none is forgotten", days=LONGEST.days
        )
    if not comment.strip():
        raise InputError("say why: the comment is what others see when nobody is told")
