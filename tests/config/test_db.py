from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from time import sleep

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import FEW_ROWS, insert_new, update_rows, upsert
from config.db import in_transaction, make_engine, read_session
from config.errors import InputError
from listener.models import Brand
from sentiment.models import Volume

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def _brand(key: str, **changes: object) -> dict[str, object]:
    return {
        "key": key,
        "name": "Acme",
        "query": "acme",
        "names": ["acme"],
        "is_active": True,
        "created_at": NOW,
    } | changes


def test_times_come_back_aware_and_in_utc(sessions: sessionmaker[Session]) -> None:
    berlin = timezone(timedelta(hours=2))
    with sessions.begin() as session:
        insert_new(session, Brand, [_brand("a", created_at=NOW.astimezone(berlin))], key=["key"])

    with read_session(sessions) as session:
        found = session.scalars(select(Brand.created_at)).one()

    assert found == NOW
    assert found.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(session: Session) -> None:
    session.add(Brand(**_brand("a", created_at=NOW.replace(tzinfo=None))))

    with pytest.raises((InputError, StatementError), match="has no zone"):
        session.flush()


#: PostgreSQL takes few rows and many by different ways.
_few_and_many = pytest.mark.parametrize("count", [1, 2, FEW_ROWS, FEW_ROWS + 1])


@_few_and_many
def test_insert_new_counts_only_what_was_not_there(
    sessions: sessionmaker[Session], count: int
) -> None:
    rows = [_brand(f"{number:03}") for number in range(count + 1)]
    with sessions.begin() as session:
        assert insert_new(session, Brand, rows[:count], key=["key"]) == count

    with sessions.begin() as session:
        changed = [row | {"name": "Other"} for row in rows[1:]]
        assert insert_new(session, Brand, changed, key=["key"]) == 1

    with read_session(sessions) as session:
        names = session.scalars(select(Brand.name).order_by(Brand.key)).all()
    assert names == ["Acme"] * count + ["Other"]


@_few_and_many
def test_upsert_sets_and_adds(sessions: sessionmaker[Session], count: int) -> None:
    with sessions.begin() as session:
        insert_new(session, Brand, [_brand("a")], key=["key"])
        brand_id = session.scalars(select(Brand.id)).one()
    rows = [
        {
            "brand_id": brand_id,
            "grain_s": 300,
            "bucket_at": NOW + timedelta(minutes=5 * number),
            "platform": "x",
            "label": "negative",
            "mentions": 2,
            "score_sum": -1.5,
        }
        for number in range(count)
    ]

    for _ in range(2):
        with sessions.begin() as session:
            upsert(
                session,
                Volume,
                rows,
                key=["brand_id", "grain_s", "bucket_at", "platform", "label"],
                add_columns=["mentions", "score_sum"],
            )
    with sessions.begin() as session:
        upsert(
            session,
            Brand,
            [_brand("a", name="Other", created_at=NOW + timedelta(days=1))],
            key=["key"],
            update_columns=["name"],
        )

    with read_session(sessions) as session:
        found = session.execute(select(Volume.bucket_at, Volume.mentions, Volume.score_sum))
        assert {tuple(row) for row in found} == {(row["bucket_at"], 4, -3.0) for row in rows}
        assert session.execute(select(Brand.name, Brand.created_at)).one() == ("Other", NOW)


@_few_and_many
def test_update_rows_changes_rows_by_id(sessions: sessionmaker[Session], count: int) -> None:
    with sessions.begin() as session:
        rows = [_brand(f"{number:03}") for number in range(count + 1)]
        insert_new(session, Brand, rows, key=["key"])
    with sessions.begin() as session:
        ids = session.scalars(select(Brand.id).order_by(Brand.key)).all()
        update_rows(
            session,
            Brand,
            [
                {"id": brand_id, "names": [f"é{number}"], "is_active": False}
                for number, brand_id in enumerate(ids[:count])
            ],
        )

    with read_session(sessions) as session:
        found = session.execute(select(Brand.names, Brand.is_active).order_by(Brand.key)).all()
    assert [tuple(row) for row in found] == [
        *(([f"é{number}"], False) for number in range(count)),
        (["acme"], True),
    ]


def test_four_writers_that_read_first_never_lock_each_other_out(
    sessions: sessionmaker[Session],
) -> None:
    def work(worker: int) -> None:
        for turn in range(20):
            with sessions.begin() as session:
                session.scalar(select(func.count()).select_from(Brand))
                insert_new(session, Brand, [_brand(f"{worker}-{turn}")], key=["key"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    with read_session(sessions) as session:
        assert session.scalar(select(func.count()).select_from(Brand)) == 80


def test_a_reader_does_not_wait_for_a_writer(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as writer:
        insert_new(writer, Brand, [_brand("a")], key=["key"])

        with read_session(sessions) as reader:
            assert reader.scalar(select(func.count()).select_from(Brand)) == 0


def test_a_wrong_database_address_says_what_to_write() -> None:
    with pytest.raises(InputError, match="GROUNDSWELL_DATABASE_URL"):
        make_engine("this is no address")


def test_what_deadlocks_is_done_again(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        insert_new(session, Brand, [_brand("a"), _brand("b")], key=("key",))

    def rename(keys: str) -> None:
        def work(session: Session) -> None:
            for key in keys:
                session.execute(
                    update(Brand).where(Brand.key == key).values(name=Brand.name + keys)
                )
                sleep(0.2)

        in_transaction(sessions, work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rename, ("ab", "ba")))

    with read_session(sessions) as session:
        names = session.scalars(select(Brand.name)).all()
    assert [len(name) for name in names] == [len("Acme") + 4] * 2
