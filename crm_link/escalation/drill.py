"""Drills: a rehearsed attack through the real scoring, detector, queue and chain.

A drill is a row in the database; whoever runs the pipeline feeds its posts when their time has
come, through the same function that stores collected ones, and ends it when its incident is
resolved or its time is over. Killed at any point, it goes on with the next call: posts have
ids of their own, so that feeding one twice stores it once, and how far it came is written in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.errors import ConflictError, NotFoundError
from config.logs import get_logger, place_of
from config.phrases import Moment, phrase
from crm_link.escalation import incidents
from crm_link.escalation.delivery.outbox import MACHINE
from crm_link.escalation.drills.brands import AUTHOR_PREFIX, close_copy, open_copy
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.drills.result import first_incident, measure
from crm_link.escalation.drills.scenarios import Script
from crm_link.escalation.models import IncidentStatus
from crm_link.escalation.protocol import EscalationProtocol
from listener.models import Brand
from listener.store import store_posts
from listener.types import AuthorProfile, Post, PostKind

log = get_logger(__name__)

#: How long people have after the attack's last post, where the protocol allows no longer.
LEAST_TIME_AFTER = timedelta(minutes=30)

#: A drill without an incident ends so long after its last post.
NOTHING_FOUND_AFTER = timedelta(minutes=30)

#: No drill is fed for longer than this at once: after a stop the rest comes late, all together.
MOST_AT_ONCE = 500


def start_drill(
    session: Session,
    brand: Brand,
    script: Script,
    protocol: EscalationProtocol,
    *,
    mode: DrillMode = DrillMode.LIVE,
    by: str,
    now: datetime,
) -> Drill:
    """Begin a drill; the worker does the rest.

    Args:
        session: The transaction.
        brand: The brand that is rehearsed for.
        script: What is said.
        protocol: The brand's protocol in force.
        mode: How time passes.
        by: Who began it.
        now: The present.

    Raises:
        ConflictError: A drill of this brand is running, or this is a drill's copy.

    """
    session.execute(select(Brand.id).where(Brand.id == brand.id).with_for_update())
    running = find_running(session, brand.id)
    if running is not None:
        raise ConflictError(
            "drill %(id)s of '%(key)s' is running since %(started_at)s; "
            "`groundswell drill --stop` ends it",
            id=running.id,
            key=brand.key,
            started_at=Moment(running.started_at),
        )
    if brand.drill_of_id is not None:
        raise ConflictError("'%(key)s' is itself the copy of a brand for drills", key=brand.key)
    length = script.lasts + max(protocol.drills.resolve_within, LEAST_TIME_AFTER)
    open_copy(session, brand, now=now, length=length)
    drill = Drill(
        brand_id=brand.id,
        mode=mode,
        state=DrillState.RUNNING,
        scenario=script.scenario,
        title=script.title,
        started_at=now,
        started_by=by,
        ends_at=now + length,
        ended_at=None,
        fed=0,
        script=[dict(post) for post in script.posts],
        score=None,
        result={},
    )
    session.add(drill)
    session.flush()
    return drill


def run_drills(sessions: sessionmaker[Session], *, clock: Clock) -> int:
    """Feed every drill that runs, and end those that are over; return how many changed."""
    with read_session(sessions) as session:
        running = session.scalars(
            select(Drill.id).where(Drill.state == DrillState.RUNNING).order_by(Drill.id)
        ).all()
    changed = 0
    for drill_id in running:
        try:
            with sessions.begin() as session:
                changed += _go_on(session, drill_id, clock())
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken drill must not hold up the others
            log.error(
                "drill broke", drill_id=drill_id, kind=type(error).__name__, at=place_of(error)
            )
    return changed


def stop_drill(session: Session, drill_id: int, *, by: str, now: datetime) -> Drill:
    """End a drill at once; it is not scored, and nothing of it is left but its incident.

    Raises:
        NotFoundError: There is no such drill.
        ConflictError: It is over.

    """
    drill = get_drill(session, drill_id, is_locked=True)
    if drill.state is not DrillState.RUNNING:
        raise ConflictError(
            "drill %(drill_id)s is over since %(ended_at)s",
            drill_id=drill_id,
            ended_at=Moment(drill.ended_at or now),
        )
    _end(
        session,
        drill,
        now,
        state=DrillState.STOPPED,
        reason=phrase("the drill was stopped by %(who)s", who=by),
    )
    return drill


def get_drill(session: Session, drill_id: int, *, is_locked: bool = False) -> Drill:
    """Return a drill.

    Raises:
        NotFoundError: There is none with this id.

    """
    query = select(Drill).where(Drill.id == drill_id)
    drill = session.scalar(query.with_for_update() if is_locked else query)
    if drill is None:
        raise NotFoundError("there is no drill %(drill_id)s", drill_id=drill_id)
    return drill


def find_running(session: Session, brand_id: int | None = None) -> Drill | None:
    """Return the drill that runs, of a brand or of any."""
    query = select(Drill).where(Drill.state == DrillState.RUNNING).order_by(Drill.id).limit(1)
    return session.scalar(query if brand_id is None else query.where(Drill.brand_id == brand_id))


def _go_on(session: Session, drill_id: int, now: datetime) -> bool:
    drill = session.scalar(
        select(Drill)
        .where(Drill.id == drill_id, Drill.state == DrillState.RUNNING)
        .with_for_update(skip_locked=True)
    )
    if drill is None:
        return False  # another worker has it, or it was stopped just now
    fed = _feed(session, drill, now)
    if _is_over(session, drill, now):
        _end(session, drill, now, state=DrillState.DONE, reason=phrase("the drill is over"))
        return True
    return fed > 0


def _feed(session: Session, drill: Drill, now: datetime) -> int:
    """Store the posts whose time has come; return how many."""
    due = []
    for number, record in enumerate(drill.script[drill.fed : drill.fed + MOST_AT_ONCE], drill.fed):
        at = drill.started_at + timedelta(seconds=float(record["after_s"]))
        if at > now:
            break
        due.append((number, at, record))
    if not due:
        return 0
    copy_id = _copy_id(session, drill)
    by_platform: dict[str, list[Post]] = {}
    for number, at, record in due:
        by_platform.setdefault(record["platform"], []).append(
            _post(drill.id, copy_id, number, at, record)
        )
    for platform, posts in sorted(by_platform.items()):
        store_posts(
            session,
            brand_id=copy_id,
            platform=platform,
            posts=posts,
            source_id=None,
            now=now,
            keep_raw=False,
        )
    drill.fed += len(due)
    return len(due)


def _post(
    drill_id: int, copy_id: int, number: int, at: datetime, record: Mapping[str, Any]
) -> Post:
    original = record.get("repost_of")
    author = record["author"]
    return Post(
        external_id=f"drill-{drill_id}-{number}",
        text=record["text"],
        published_at=at,
        author=AuthorProfile(
            external_id=f"{AUTHOR_PREFIX}{copy_id}-{author}",
            name=f"Drill account {author}",
            followers=record.get("followers"),
        ),
        kind=PostKind.POST if original is None else PostKind.REPOST,
        lang=record.get("lang"),
        repost_of_id=None if original is None else f"drill-{drill_id}-{original}",
        likes=record.get("likes"),
        reposts=record.get("reposts"),
    )


def _is_over(session: Session, drill: Drill, now: datetime) -> bool:
    if now >= drill.ends_at:
        return True
    if drill.fed < len(drill.script):
        return False
    incident = first_incident(session, drill)
    if incident is not None:
        # In compressed time nobody answers: it is over when everybody would have been told.
        is_told = drill.mode is DrillMode.FAST and incident.next_due_at is None
        return is_told or incident.status is IncidentStatus.RESOLVED
    last_s = max((float(record["after_s"]) for record in drill.script), default=0.0)
    return now >= drill.started_at + timedelta(seconds=last_s) + NOTHING_FOUND_AFTER


def _end(session: Session, drill: Drill, now: datetime, *, state: DrillState, reason: str) -> None:
    result, score = measure(session, drill, now=now)
    copy = session.get_one(Brand, _copy_id(session, drill))
    for incident in incidents.list_incidents(
        session,
        brand_id=copy.id,
        statuses=(IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED),
        with_drills=True,
        limit=100,
    ):
        # Who was told of a drill learns that it is over.
        incidents.resolve(session, incident.id, by=MACHINE, reason=reason, clock=lambda: now)
    session.flush()
    close_copy(session, copy)
    drill.state, drill.ended_at = state, now
    drill.result, drill.score = result, score if state is DrillState.DONE else None
    drill.script = []
    session.flush()
    log.info("drill ended", drill_id=drill.id, state=state.value, score=drill.score)


def _copy_id(session: Session, drill: Drill) -> int:
    return session.scalars(select(Brand.id).where(Brand.drill_of_id == drill.brand_id)).one()
