"""What this installation is and how it does, as admins look at it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from config.migrate import head_revision
from config.settings import Settings
from crm_link.crm import crms_in
from crm_link.crm_status import CrmStatus, crm_status
from crm_link.escalation.duty.readiness import Readiness, read_readiness
from crm_link.escalation.models import Notification
from crm_link.models import DeliveryStatus, WriteBack
from crm_link.replying.lists import NEEDS_A_PERSON, FailingAccount, failing_accounts
from crm_link.replying.models import DUE, Reply
from listener.coverage import SourceHealth, source_health
from listener.models import Step
from listener.retention import KEEP_BACKFILL_CURSORS, KEEP_COLLECTIONS, KEEP_QUARANTINE
from listener.service import pending_counts

#: Rows that are counted of what waits; nobody needs to know more exactly.
COUNT_LIMIT = 10_000

#: Libraries whose version a question about a fault begins with.
LIBRARIES = ("sqlalchemy", "fastapi", "onnxruntime", "transformers")

_UNSENT = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)


@dataclass(frozen=True, slots=True)
class Outbox:
    """What is to be delivered to one kind of receiver: waiting, and given up."""

    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class SystemView:
    """The state of one installation.

    Args:
        steps: Mentions that wait for each step of their way.
        sources: Health of each source.
        notifications: The alerts' outbox.
        write_backs: The CRM's outbox.
        crms: How each CRM does.
        replies: The outbox of replies: on their way, and what people must decide about.
        failing_accounts: Accounts in whose name nothing can be posted.
        database: What it is and how far it is migrated.
        database_mb: Its size in megabytes; None where the database does not say.
        scorers: The scorer, and the provisional one; empty where there is none.
        versions: Of Groundswell, Python and the libraries that matter.
        retention: For how long what is kept; None: until somebody asks for its erasure.
        readiness: How ready each brand's people are.
    """

    steps: dict[Step, int]
    sources: list[SourceHealth]
    notifications: Outbox
    write_backs: Outbox
    crms: list[CrmStatus]
    replies: Outbox
    failing_accounts: list[FailingAccount]
    database: str
    database_mb: float | None
    scorers: tuple[str, str]
    versions: dict[str, str]
    retention: dict[str, timedelta | None]
    readiness: list[Readiness]


def view_system(session: Session, settings: Settings, now: datetime) -> SystemView:
    """Return the state of this installation."""
    dialect = session.get_bind().dialect.name
    return SystemView(
        steps=dict(pending_counts(session)),
        sources=source_health(session, now),
        notifications=_outbox(session, Notification),
        write_backs=_outbox(session, WriteBack),
        crms=crm_status(session, crms_in(settings.crm)),
        replies=Outbox(_replies(session, Reply.state.in_(DUE)), _replies(session, NEEDS_A_PERSON)),
        failing_accounts=failing_accounts(session),
        database=f"{dialect} · {head_revision()}",
        database_mb=_size_mb(session, dialect),
        scorers=(settings.scorer, settings.fast_scorer),
        versions={
            "groundswell": version("groundswell"),
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        retention={
            "raw_posts": timedelta(days=settings.raw_retention_days),
            "quarantine": KEEP_QUARANTINE,
            "collections": KEEP_COLLECTIONS,
            "cursors": KEEP_BACKFILL_CURSORS,
            "mentions": None,
        },
        readiness=read_readiness(session, now),
    )


def _outbox(session: Session, model: type[Notification | WriteBack]) -> Outbox:
    return Outbox(
        waiting=_count(session, model, *_UNSENT),
        dead=_count(session, model, DeliveryStatus.DEAD),
    )


def _replies(session: Session, condition: ColumnElement[bool]) -> int:
    found = select(Reply.id).where(condition).limit(COUNT_LIMIT)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def _count(session: Session, model: type[Notification | WriteBack], *states: DeliveryStatus) -> int:
    found = select(model.id).where(model.status.in_(states)).limit(COUNT_LIMIT)
    query = select(func.count()).select_from(found.subquery())
    return session.scalar(query) or 0


def _size_mb(session: Session, dialect: str) -> float | None:
    query = {
        "postgresql": "SELECT pg_database_size(current_database())",
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    }.get(dialect)
    if query is None:
        return None
    return (session.scalar(text(query)) or 0) / 1_000_000
