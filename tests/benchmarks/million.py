"""A big made-up database as a bad week leaves it: a million mentions, open flags, an attack.

The database writes the rows itself (`million_sql`); incidents, claims, the board's sums, its
topics and figures of people are made by the product's own functions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.resources import files

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role, Team, TeamBrand, TeamMember, User
from config.clock import utc_now
from config.db import is_sqlite, read_session
from crm_link.board.hours import sum_hours
from crm_link.board.topics import find_board_topics
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.playbook.claims import gather_claims
from crm_link.escalation.protocol_parts.file import parse_protocol
from crm_link.escalation.protocol_parts.history import Sight, record_sight
from crm_link.figures.counts import count_figures
from crm_link.flags.models import QueueView
from crm_link.models import Flag, FlagStatus
from listener.models import Brand, Mention, Source
from sentiment.due_hours import mark_hours
from sentiment.models import GRAINS_S
from sentiment.rollups import bucket_of
from tests.api.build import make_incident, make_users
from tests.benchmarks import million_rest_sql as rest
from tests.benchmarks import million_sql as sql
from tests.make import make_brand

#: Incidents of the past, and entries of the timeline of the one that runs.
PAST, ENTRIES = 600, 400

BRANDS = ("acme", "birch", "cedar")

#: Who sees two of the brands only.
TEAM_EMAIL = f"{Role.COMMUNITY_MANAGER}@example.org"


def fill(sessions: sessionmaker[Session], dialect: str, count: int) -> None:
    """Write `count` mentions and what belongs to them into an empty database."""
    now, words = utc_now(), sql.Words(dialect)
    with _told("brands and people"), sessions.begin() as session:
        brands = _people(session, count)
    given = {"now": now if dialect == "postgresql" else f"{now:%Y-%m-%d %H:%M:%S}"}
    for what, statement in (
        ("authors", sql.authors(words)),
        ("mentions", sql.mentions(words, count)),
        ("signals", sql.signals(words)),
        *((f"sums of {grain_s} s", sql.volumes(words, grain_s)) for grain_s in GRAINS_S),
        ("flags", sql.flags(words)),
        ("contacts", sql.contacts(words)),
        ("links", sql.links(words)),
        ("corrections", sql.corrections(words)),
        ("audit log", sql.audits(words, count // 5)),
        *rest.statements(words),
    ):
        with _told(what), sessions.begin() as session:
            used = {name: given[name] for name in given if f":{name}" in statement}
            session.execute(text(statement), used)
    with _told("incidents"), sessions.begin() as session:
        incident_id = _incidents(session, brands[0])
        session.execute(text(sql.timeline(words, ENTRIES)), given | {"incident_id": incident_id})
    with _told("statistics"):
        _gather_statistics(sessions)
    _sum(sessions, brands)
    with _told("claims"):
        gather_claims(sessions, clock=utc_now)


def _gather_statistics(sessions: sessionmaker[Session]) -> None:
    """Do what a server's autovacuum does after so many rows, where it is switched off, too."""
    with sessions() as session:
        if is_sqlite(session):
            session.execute(text("ANALYZE"))
            session.commit()
        else:
            whole = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            whole.execute(text("VACUUM (ANALYZE)"))


def is_filled(sessions: sessionmaker[Session]) -> bool:
    """Say whether a database has mentions already."""
    with read_session(sessions) as session:
        return session.scalar(select(Mention.id).limit(1)) is not None


def sizes(sessions: sessionmaker[Session]) -> str:
    """Return how big a database is, in words."""
    with read_session(sessions) as session:
        mentions = session.scalar(select(func.count()).select_from(Mention))
        stands = session.execute(select(Flag.status, func.count()).group_by(Flag.status)).all()
    flags = {row[0]: row[1] for row in stands}
    closed = sum(flags.values()) - flags.get(FlagStatus.OPEN, 0)
    return f"{mentions:,} mentions, {flags.get(FlagStatus.OPEN, 0):,} open flags, {closed:,} closed"


def _people(session: Session, count: int) -> list[Brand]:
    now = utc_now()
    begin = now - timedelta(days=sql.DAYS + 30)
    owner = make_users(session, now)
    brands = [
        make_brand(session, key=key, name=key.title(), names=[key.title()], created_at=begin)
        for key in BRANDS
    ]
    make_brand(
        session, key="acme:beanery", name="Beanery", competitor_of_id=brands[0].id, created_at=begin
    )
    for brand in brands:
        for platform in ("x", "reddit", "rss"):
            session.add(
                Source(
                    brand_id=brand.id,
                    name=f"{brand.key} on {platform}",
                    platform=platform,
                    options={"query": brand.key},
                    every_s=300.0,
                    created_at=begin,
                )
            )
    team = Team(name="Acme and Cedar", created_at=now)
    session.add(team)
    session.flush()
    session.add_all(TeamBrand(team_id=team.id, brand_id=brands[at].id) for at in (0, 2))
    session.add(TeamMember(team_id=team.id, user_id=owner[Role.COMMUNITY_MANAGER]))
    email = session.scalars(select(User.email).where(User.id.in_(owner.values()))).first()
    session.add(
        QueueView(
            owner=email,
            name=f"Risks of {count:,}",
            filters={"priority": "risk", "label": "negative", "lang": "es"},
            is_shared=True,
            is_default=False,
            created_at=now,
        )
    )
    session.flush()
    return brands


def _incidents(session: Session, brand: Brand) -> int:
    """Write incidents of the past and the attack that runs; return its id."""
    now = utc_now()
    attack: Incident = make_incident(session, brand, now)
    attack.opened_at = now - timedelta(seconds=sql.ATTACK_S - 1800)
    attack.last_seen_at = now
    for number in range(PAST):
        at = now - timedelta(days=2, hours=2 * number)
        session.add(
            Incident(
                brand_id=brand.id,
                protocol_version_id=attack.protocol_version_id,
                topic="refunds",
                title=f"Negative mentions of {brand.name}: refunds",
                status=IncidentStatus.RESOLVED,
                severity="SEV-3",
                opened_at=at,
                last_seen_at=at + timedelta(hours=1),
                resolved_at=at + timedelta(hours=5),
                resolved_by="person1@example.org",
                facts=attack.facts | {"topics": {"refunds": 40}},
                peak=attack.peak,
            )
        )
    session.add(
        Drill(
            brand_id=brand.id,
            mode=DrillMode.LIVE,
            state=DrillState.STOPPED,
            scenario="made-up",
            title=f"{brand.name} under attack",
            started_at=now - timedelta(days=3),
            started_by="ann",
            ends_at=now - timedelta(days=3) + timedelta(hours=1),
            ended_at=now - timedelta(days=3) + timedelta(hours=1),
            script=[],
            result={},
        )
    )
    file = files("config").joinpath("defaults", "demo_protocol.yaml").read_text("utf-8")
    record_sight(session, Sight(brand.id, parse_protocol(file), "acme.yaml", "ann", why=""), now)
    session.flush()
    return attack.id


def _sum(sessions: sessionmaker[Session], brands: list[Brand]) -> None:
    end = utc_now()
    hours = [end - timedelta(hours=hour) for hour in range(sql.DAYS * 24 + 1)]
    with sessions.begin() as session:
        marks = {(brand.id, bucket_of(at, 3600)) for at in hours for brand in brands}
        mark_hours(session, marks, end)
    with _told("the board's sums"):
        while sum_hours(sessions, settles_s=0):
            pass
    with _told("the board's topics"):
        while find_board_topics(sessions):
            pass
    with _told("figures of people"):
        while count_figures(sessions):
            pass


@contextmanager
def _told(what: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    print(f"  {what}: {time.perf_counter() - begin:.1f} s", flush=True)
