"""The copy of a brand that a drill's posts are about, so that nothing of them is the brand's.

Statistics, roll-ups, detectors, incidents and exports are all kept by brand: what belongs to
the copy is in none of the brand's. The copy has the brand's name, its ordinary days (counts,
no texts) and its detectors' state, so that the real detector judges the attack by what is
ordinary for the real brand. After a drill all of it is deleted but the incident with its
timeline.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, delete, func, insert, select, update
from sqlalchemy.orm import Session

from config.db import Base
from crm_link import models as contact_models
from crm_link.escalation.delivery import delivery_models
from crm_link.escalation.drills import models as drill_models
from crm_link.escalation.playbook import playbook_models
from crm_link.figures import models as figure_models
from crm_link.figures import persona_models
from crm_link.flags import models as flag_models
from crm_link.linking import matching_models
from crm_link.replying import models as replying_models
from crm_link.reporting import models as reporting_models
from listener.models import Author, Brand
from sentiment import facet_models
from sentiment.models import GRAINS_S, BurstHour, BurstState, Volume
from sentiment.signals import models as signal_models

#: Modules of tables that may stand on a copy's posts: what is deleted is read from all of them.
TABLES = (
    figure_models,
    flag_models,
    matching_models,
    contact_models,
    delivery_models,
    drill_models,
    persona_models,
    playbook_models,
    replying_models,
    reporting_models,
    facet_models,
    signal_models,
)

#: How much of the brand's past the copy knows: as much as detectors learn from.
HISTORY = timedelta(days=10)

#: What the brand hears while the drill runs is taken from this long before.
ORDINARY_DAY = timedelta(days=1)

#: What of the copy stays: the incident, who did what, and the protocol that it was pinned to.
_STAYS = frozenset({"brand", "incident", "protocol_version", "drill"})

#: The ids of authors that drills made up begin with this.
AUTHOR_PREFIX = "drill-"


def drill_key(brand_key: str) -> str:
    """Return the key of a brand's copy; no brand of a brands file may have it."""
    return f"{brand_key[:90]}~drill"


def open_copy(session: Session, brand: Brand, *, now: datetime, length: timedelta) -> Brand:
    """Return the brand's copy, active, with the brand's ordinary days and nothing else.

    Args:
        session: The transaction.
        brand: The real brand.
        now: When the drill begins.
        length: How long it may last at the longest.

    """
    copy = session.scalar(select(Brand).where(Brand.drill_of_id == brand.id))
    if copy is None:
        copy = Brand(key=drill_key(brand.key), drill_of_id=brand.id, created_at=now)
        session.add(copy)
    copy.name, copy.query, copy.names = brand.name, brand.query, list(brand.names)
    copy.is_active = True
    session.flush()
    clear_copy(session, copy.id)
    _copy_past(session, brand.id, copy.id, now)
    _copy_ordinary_day(session, brand.id, copy.id, now, length)
    return copy


def close_copy(session: Session, copy: Brand) -> None:
    """Delete everything that a drill made but its incident, and let the copy rest."""
    clear_copy(session, copy.id)
    copy.is_active = False


def ordinary_per_hour(session: Session, brand_id: int, now: datetime) -> float:
    """Return the brand's mentions an hour, over the days of its history that have any."""
    counted, first = session.execute(
        select(func.sum(Volume.mentions), func.min(Volume.bucket_at)).where(
            Volume.brand_id == brand_id,
            Volume.grain_s == max(GRAINS_S),
            Volume.bucket_at >= now - HISTORY,
            Volume.bucket_at < now,
        )
    ).one()
    if not counted or first is None:
        return 0.0
    return float(counted) / max((now - first) / timedelta(hours=1), 1.0)


def _copy_past(session: Session, brand_id: int, copy_id: int, now: datetime) -> None:
    for table, condition in (
        (_table(Volume), Volume.bucket_at >= now - HISTORY),
        (_table(BurstState), None),
        (_table(BurstHour), None),
    ):
        columns = [column for column in table.columns if column.name != "brand_id"]
        literal_id = select(Brand.id).where(Brand.id == copy_id).scalar_subquery()
        rows = select(literal_id, *columns).where(table.c.brand_id == brand_id)
        if condition is not None:
            rows = rows.where(condition)
        session.execute(
            insert(table).from_select(["brand_id", *(column.name for column in columns)], rows)
        )


def _copy_ordinary_day(
    session: Session, brand_id: int, copy_id: int, now: datetime, length: timedelta
) -> None:
    """Let the copy hear, while the drill lasts, what the brand heard the day before."""
    rows = session.scalars(
        select(Volume).where(
            Volume.brand_id == brand_id,
            Volume.bucket_at >= now - ORDINARY_DAY,
            Volume.bucket_at < now - ORDINARY_DAY + min(length, ORDINARY_DAY),
        )
    ).all()
    later = [
        {
            "brand_id": copy_id,
            "grain_s": row.grain_s,
            "bucket_at": row.bucket_at + ORDINARY_DAY,
            "platform": row.platform,
            "label": row.label,
            "mentions": row.mentions,
            "score_sum": row.score_sum,
        }
        for row in rows
    ]
    known = {
        (row.grain_s, row.bucket_at, row.platform, row.label)
        for row in session.execute(
            select(Volume.grain_s, Volume.bucket_at, Volume.platform, Volume.label).where(
                Volume.brand_id == copy_id, Volume.bucket_at >= now - timedelta(hours=2)
            )
        )
    }
    fresh = [
        row
        for row in later
        if (row["grain_s"], row["bucket_at"], row["platform"], row["label"]) not in known
    ]
    if fresh:
        session.execute(insert(_table(Volume)), fresh)


def clear_copy(session: Session, copy_id: int) -> None:
    """Delete what belongs to a copy, whatever table it is in, but what stays.

    Which tables those are is read from the models, so that one that is added later is cleared
    too.
    """
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in _STAYS:
            continue
        for column in _keys_to(table, "brand"):
            _delete(session, table, column == copy_id)
    authors = _table(Author)
    _delete(
        session,
        authors,
        authors.c.external_id.startswith(f"{AUTHOR_PREFIX}{copy_id}-", autoescape=True),
    )


def _delete(session: Session, table: Table, condition: ColumnElement[bool]) -> None:
    """Delete rows with all that stands on them; what stays is only let go."""
    key = list(table.primary_key.columns)
    if len(key) == 1:
        ids: Select[Any] = select(key[0]).where(condition)
        for other in Base.metadata.tables.values():
            for column in _keys_to(other, table.name):
                if other is table or (other.name in _STAYS and column.nullable):
                    session.execute(
                        update(other).where(column.in_(ids)).values({column.name: None})
                    )
                elif other.name not in _STAYS:
                    _delete(session, other, column.in_(ids))
    session.execute(delete(table).where(condition).execution_options(synchronize_session=False))


def _keys_to(table: Table, name: str) -> Iterable[Column[Any]]:
    return [key.parent for key in table.foreign_keys if key.column.table.name == name]


def _table(model: type[Base]) -> Table:
    assert isinstance(model.__table__, Table)
    return model.__table__
