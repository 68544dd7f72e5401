from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.db import Base, read_session
from listener import retention
from listener.cleaning import pack_raw
from listener.collection_models import Collection, QuarantinedItem, RawPost, SourceCursor
from listener.models import Source
from listener.quarantine import quarantine
from listener.retention import PurgeResult, purge
from listener.types import RejectedItem
from tests.make import NOW, make_brand

DAY = timedelta(days=1)


def _counts(sessions: sessionmaker[Session], *models: type[Base]) -> list[int]:
    with read_session(sessions) as session:
        return [session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


def test_what_is_old_goes_in_batches_and_what_is_young_stays(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    with sessions.begin() as session:
        source = Source(
            brand_id=make_brand(session).id,
            name="s",
            platform="x",
            options={},
            every_s=60,
            created_at=NOW,
        )
        session.add(source)
        session.flush()
        for number in range(8):
            at = NOW - (31 if number else 29) * DAY
            session.add(
                RawPost(
                    platform="x",
                    external_id=str(number),
                    fetched_at=at,
                    payload=pack_raw({"id": number}),
                )
            )
            session.add(Collection(source_id=source.id, started_at=at + DAY))
            item = RejectedItem("no date", str(number))
            quarantine(session, [item], source_id=source.id, now=at - 60 * DAY)
        for key in ("main", "backfill-1"):
            session.add(
                SourceCursor(source_id=source.id, key=key, cursor="c", updated_at=NOW - 99 * DAY)
            )

    result = purge(sessions, NOW, raw_retention_days=30)

    assert result == PurgeResult(raw_posts=7, collections=7, quarantined=7, cursors=1)
    assert _counts(sessions, RawPost, Collection, QuarantinedItem, SourceCursor) == [1, 1, 1, 1]
    assert purge(sessions, NOW, raw_retention_days=30) == PurgeResult()


def test_a_purge_is_bounded(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    with sessions.begin() as session:
        for number in range(9):
            session.add(
                RawPost(platform="x", external_id=str(number), fetched_at=NOW - DAY, payload=b"")
            )

    assert purge(sessions, NOW, raw_retention_days=0, max_batches=2).raw_posts == 4
    assert _counts(sessions, RawPost) == [5]
