from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from sqlalchemy.orm import Session

from crm_link.escalation.drills.brands import close_copy, drill_key, open_copy, ordinary_per_hour
from listener.models import Brand
from sentiment.models import Volume
from tests.make import NOW, make_brand, make_mention

#: Prints the tables that stand on a brand's posts and that only another module would load.
#: Those of `api` are there in every process that clears a copy: nothing else runs them.
PROBE = """
import api.models
from crm_link.escalation.drills import brands as drill_brands
from config.db import Base
from importlib import import_module

def standing():
    posts = {"brand", "mention", "author"}
    return {table.name for table in Base.metadata.tables.values()
            for key in table.foreign_keys if key.column.table.name in posts}

known = standing()
for name in ("api.engine", "api.app", "sentiment.bursts.service", "crm_link.service"):
    import_module(name)
print(sorted(standing() - known))
"""


def test_every_table_that_stands_on_a_copy_is_known_where_it_is_cleared() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.strip() == "[]"


def make_volume(session: Session, brand: Brand, hours_ago: int, mentions: int) -> None:
    for grain_s in (300, 3600):
        session.add(
            Volume(
                brand_id=brand.id,
                grain_s=grain_s,
                bucket_at=NOW - timedelta(hours=hours_ago),
                platform="x",
                label="neutral",
                mentions=mentions,
            )
        )
    session.flush()


def volumes(session: Session, brand: Brand) -> dict[int, int]:
    """Return the copy's hourly mentions by how many hours from now they are."""
    rows = session.query(Volume).filter_by(brand_id=brand.id, grain_s=3600)
    return {round((row.bucket_at - NOW) / timedelta(hours=1)): row.mentions for row in rows}


def test_a_copy_knows_the_past_and_hears_an_ordinary_day(session: Session) -> None:
    brand = make_brand(session, key="acme")
    for hours_ago, mentions in ((400, 9), (48, 7), (23, 5), (21, 4), (1, 3)):
        make_volume(session, brand, hours_ago, mentions)

    copy = open_copy(session, brand, now=NOW, length=timedelta(hours=2))

    assert (copy.key, copy.drill_of_id, copy.is_active) == (drill_key("acme"), brand.id, True)
    # Ten days of the past; the next two hours as they were the day before.
    assert volumes(session, copy) == {-48: 7, -23: 5, -21: 4, -1: 3, 1: 5}
    close_copy(session, copy)
    assert volumes(session, copy) == {}
    assert len(volumes(session, brand)) == 5
    assert open_copy(session, brand, now=NOW, length=timedelta(hours=2)).id == copy.id


def test_clearing_a_copy_leaves_the_brands_own_posts(session: Session) -> None:
    brand = make_brand(session, key="acme")
    own = make_mention(session, brand)
    copy = open_copy(session, brand, now=NOW, length=timedelta(hours=1))
    first = make_mention(session, copy)
    make_mention(session, copy, folded_into_id=first.id)

    close_copy(session, copy)

    assert [row[0] for row in session.query(type(own).id)] == [own.id]


def test_a_brands_ordinary_hour_is_counted_from_its_first_day(session: Session) -> None:
    brand = make_brand(session)
    assert ordinary_per_hour(session, brand.id, NOW) == 0
    make_volume(session, brand, 20, 60)
    make_volume(session, brand, 10, 20)

    assert ordinary_per_hour(session, brand.id, NOW) == 4
