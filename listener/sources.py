"""Brands and sources in the database: what `brands.yaml` says, and when each is read next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.db import is_sqlite
from config.errors import ConflictError, NotFoundError
from listener.brands_file import BrandsFile, CompetitorEntry, SourceEntry, competitor_key
from listener.models import Brand, Source, SourceState

#: Any number: the PostgreSQL advisory lock under which one process at a time reads brands in.
_SYNC_LOCK = 715_190_120


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How many sources the file added, changed and removed."""

    added: int = 0
    changed: int = 0
    removed: int = 0


def sync_brands(session: Session, file: BrandsFile, now: datetime) -> SyncResult:
    """Bring brands and sources to what the file says.

    What the file no longer has becomes inactive: its data stays. A source whose query or
    options changed is read at once, and so is one that was refused, because a person may
    have mended it.
    """
    _wait_for_others(session)
    watched = select(Brand).where(Brand.drill_of_id.is_(None))
    known = {brand.key: brand for brand in session.scalars(watched)}
    sources: dict[int, dict[str, Source]] = {}
    for source in session.scalars(select(Source)):
        sources.setdefault(source.brand_id, {})[source.name] = source
    added = changed = 0
    wanted: set[int] = set()
    ids: dict[str, int] = {}
    for key, entry, competes_with in _entries(file):
        brand = known.get(key)
        if brand is None:
            brand = Brand(key=key, created_at=now)
            session.add(brand)
        query_changed = _update_brand(brand, entry)
        brand.competitor_of_id = ids.get(competes_with)
        session.flush()
        ids[key] = brand.id
        own = sources.get(brand.id, {})
        for source_entry in entry.sources:
            found = own.get(source_entry.key)
            if found is None:
                found = Source(brand_id=brand.id, name=source_entry.key, created_at=now)
                session.add(found)
                _update_source(found, source_entry)
                added += 1
            else:
                changed += _update_source(found, source_entry, is_due=query_changed)
            session.flush()
            wanted.add(found.id)
    for key, brand in known.items():
        brand.is_active = key in ids
    removed = 0
    for own in sources.values():
        for source in own.values():
            if source.is_active and source.id not in wanted:
                source.is_active = False
                removed += 1
    session.flush()
    return SyncResult(added=added, changed=changed, removed=removed)


def _entries(file: BrandsFile) -> Iterator[tuple[str, CompetitorEntry, str]]:
    """Give every brand, then its competitors: key, entry, and whose competitor it is."""
    for brand in file.brands:
        yield brand.id, brand, ""
        for one in brand.competitors:
            yield competitor_key(brand.id, one.id), one, brand.id


def _wait_for_others(session: Session) -> None:
    """Let one worker at a time bring brands in: two would each insert the same ones.

    On SQLite there is one writer anyway.
    """
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(_SYNC_LOCK)))


def _update_brand(brand: Brand, entry: CompetitorEntry) -> bool:
    """Let `brand` say what `entry` says; return whether its query changed."""
    query_changed = brand.query != entry.query
    brand.name, brand.query, brand.names = entry.name, entry.query, list(entry.targets)
    brand.is_active = True
    return query_changed


def _update_source(source: Source, entry: SourceEntry, *, is_due: bool = False) -> bool:
    """Let `source` say what `entry` says; return whether it changed."""
    before = (source.platform, source.options, source.every_s, source.is_active)
    after = (entry.platform, entry.options, entry.every.total_seconds(), True)
    source.platform, source.options, source.every_s, source.is_active = after
    if before != after or is_due or source.state is SourceState.FAILING:
        source.next_due_at = None
        source.failures = 0
        source.last_error = None
        source.state = SourceState.NEW
    return before != after


def collect_soon(session: Session, source_id: int) -> Source:
    """Let a source be read at the next look, whatever it waits for.

    Raises:
        NotFoundError: There is no such source, or it is not listened to any more.

    """
    source = session.scalar(
        select(Source).join(Brand).where(Source.id == source_id, Source.is_active, Brand.is_active)
    )
    if source is None:
        raise NotFoundError(f"there is no source {source_id} that is listened to")
    source.next_due_at = None
    return source


def due_sources(session: Session, now: datetime) -> list[int]:
    """Return the ids of the sources that are to be read now, the longest due first."""
    return list(
        session.scalars(
            select(Source.id)
            .join(Brand)
            .where(
                Source.is_active,
                Brand.is_active,
                or_(Source.next_due_at.is_(None), Source.next_due_at <= now),
            )
            .order_by(Source.next_due_at.nulls_first(), Source.id)
        )
    )


def find_sources(session: Session, *, brand_key: str | None = None, name: str = "") -> list[Source]:
    """Return the active sources, of one brand and of one name or platform where given."""
    query = select(Source).join(Brand).where(Source.is_active, Brand.is_active)
    if brand_key is not None:
        query = query.where(Brand.key == brand_key)
    if name:
        query = query.where(or_(Source.name == name, Source.platform == name))
    return list(session.scalars(query.order_by(Source.id)))


def get_brand(session: Session, key: str | None) -> Brand:
    """Return the brand that is known by `key`; without one, the only brand there is.

    Raises:
        NotFoundError: There is no such brand, or none at all.
        ConflictError: No key was given and there are several.

    """
    active = select(Brand).where(Brand.is_active, Brand.drill_of_id.is_(None))
    if key is None:
        active = active.where(Brand.competitor_of_id.is_(None))
    brands = list(session.scalars(active.order_by(Brand.key)))
    known = ", ".join(brand.key for brand in brands)
    if key is None:
        if not brands:
            msg = "there is no brand yet: write brands.yaml (`groundswell init`)"
            raise NotFoundError(msg)
        if len(brands) > 1:
            msg = f"there are several brands: say which one with --brand (known: {known})"
            raise ConflictError(msg)
        return brands[0]
    for brand in brands:
        if brand.key == key:
            return brand
    msg = f"there is no brand '{key}'; known: {known or 'none'}"
    raise NotFoundError(msg)
