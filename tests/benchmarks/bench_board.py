"""How fast the board comes with a million mentions in sixty days, on SQLite and PostgreSQL.

Run: python -m tests.benchmarks.bench_board [--count N] [--requests N] [--url DATABASE]

The mentions are written by the database itself, judged and with their signals; the sums are made
from them as the worker makes them, and the topics are found in advance. Times are the server's
own: the application is called in this process, without network.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from config.clock import utc_now
from config.db import make_engine, make_sessions
from config.migrate import upgrade
from config.settings import Settings
from crm_link.board.hours import sum_hours
from crm_link.board.topics import find_board_topics
from sentiment.due_hours import mark_hours
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from tests.api.build import make_users
from tests.make import make_brand

#: Wanted: the 95th percentile of the server's time at a million mentions, in milliseconds.
TARGETS_MS = {"postgresql": 80, "sqlite": 150}

#: Requests before those that count.
WARM_UP = 5

DAYS = 60
AUTHORS = 50_000

PAGES = {
    "board 24h": "/board?brand=acme",
    "board 30d": "/board?brand=acme&period=30d",
    "board 30d, all": "/board?period=30d",
    "topics 30d": "/board/topics?brand=acme&period=30d",
    "signals 30d": "/board/signals?brand=acme&period=30d",
    "reach 30d": "/board/reach?brand=acme&period=30d",
    "API board 30d": "/api/v1/board?brand=acme&period=30d",
}

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, {count})) ",
}
_AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', :now, "
    "'-' || ((i * 7919) % {span}) || ' seconds')",
    "postgresql": "CAST(:now AS timestamptz) - make_interval(secs => (i::bigint * 7919) % {span})",
}  # fmt: skip
_AUTHORS = """
INSERT INTO author (id, platform, external_id, handle, name, location, links, verified_links,
  followers, first_seen_at, updated_at, profile_hash)
SELECT i, 'x', 'b' || i, 'user' || i, 'User ' || i,
  CASE i % 9 WHEN 0 THEN 'Austin, TX' WHEN 1 THEN 'Paris' WHEN 2 THEN 'Lagos, Nigeria'
    WHEN 3 THEN 'Madrid' WHEN 4 THEN 'Berlin' ELSE NULL END,
  '[]', '[]', (i * 37) % 5000, :now, :now, '' FROM n
"""
_MENTIONS = """
INSERT INTO mention (id, brand_id, author_id, platform, external_id, kind, text, links,
  published_at, fetched_at, versions, fold_count, label, score, confidence, lang, scorer)
SELECT i, 1, 1 + (i * 31) % {authors},
  CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'reddit' ELSE 'rss' END,
  'm' || i, 'post',
  CASE i % 5 WHEN 0 THEN 'Acme refuses my refund again' WHEN 1 THEN 'glass in my Acme cup'
    WHEN 2 THEN 'where can I buy Acme beans' WHEN 3 THEN 'Acme oat latte is lovely'
    ELSE 'the Acme shop at the station' END || ' ' || i, '[]',
  {at}, :now, 1, 0,
  CASE i % 4 WHEN 0 THEN 'negative' WHEN 1 THEN 'positive' ELSE 'neutral' END, 0.1, 0.8,
  CASE i % 7 WHEN 0 THEN 'es' WHEN 1 THEN 'de' WHEN 2 THEN 'fr' ELSE 'en' END, 'made up' FROM n
"""
_SIGNALS = """
INSERT INTO mention_signal (mention_id, brand_id, published_at, p_emotion, irony, offensive,
  emotion, rules, intents, complaint_reason, spam, bot, spam_reasons, bot_reasons)
SELECT id, brand_id, published_at, '{}', 0.1, 0.1,
  CASE id % 4 WHEN 0 THEN 'anger' WHEN 1 THEN 'joy' ELSE NULL END, '1',
  CASE id % 5 WHEN 0 THEN ' complaint ' WHEN 2 THEN ' purchase question ' ELSE '' END,
  CASE id % 5 WHEN 0 THEN 'refund' ELSE NULL END, 0.1, 0.1, '[]', '[]' FROM mention
"""


def main() -> None:
    """Fill a database, sum it, measure each page, print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--url", default="", help="an empty database; without it SQLite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        engine = make_engine(url)
        upgrade(engine)
        sessions = make_sessions(engine)
        _fill(sessions, engine.dialect.name, given.count)
        settings = Settings(home=Path(folder), secret_key=SecretStr("k" * 40), database_url=url)
        app = create_app(settings, sessions, is_demo=True)
        with TestClient(app, headers={"Origin": "http://testserver"}) as client:
            client.post("/sign-in/demo")
            _measure(client, given.requests, TARGETS_MS[engine.dialect.name])
        engine.dispose()


def _fill(sessions: sessionmaker[Session], dialect: str, count: int) -> None:
    begin, now = time.perf_counter(), utc_now()
    span = DAYS * 86_400
    numbers, at = _NUMBERS[dialect], _AT[dialect].format(span=span)
    with sessions.begin() as session:
        make_users(session, now)
        brand_id = make_brand(session, key="acme", created_at=now).id
        given = {"now": now if dialect == "postgresql" else f"{now:%Y-%m-%d %H:%M:%S}"}
        session.execute(text(_turned(_AUTHORS, numbers.format(count=AUTHORS))), given)
        mentions = _MENTIONS.format(authors=AUTHORS, at=at)
        session.execute(text(_turned(mentions, numbers.format(count=count))), given)
        session.execute(text(_SIGNALS))
    each = count / (DAYS * 24)
    hours = [now - timedelta(hours=hour) for hour in range(DAYS * 24 + 1)]
    rows = [
        {
            "brand_id": brand_id,
            "grain_s": grain_s,
            "bucket_at": bucket_of(at, grain_s),
            "platform": platform,
            "label": label,
            "mentions": round(each / 12) or 1,
            "score_sum": 0.0,
        }
        for at in hours
        for grain_s in GRAINS_S
        for platform in ("x", "reddit", "rss")
        for label in ("negative", "neutral", "positive", "unknown")
    ]
    with sessions.begin() as session:
        session.execute(insert(Volume), rows)
        mark_hours(session, {(brand_id, bucket_of(at, 3600)) for at in hours}, now)
    if dialect == "postgresql":
        with sessions.begin() as session:
            session.execute(text("ANALYZE"))
    print(f"{count:,} mentions written in {time.perf_counter() - begin:.0f} s")
    begin = time.perf_counter()
    while sum_hours(sessions, settles_s=0):
        pass
    print(f"summed in {time.perf_counter() - begin:.0f} s")
    begin = time.perf_counter()
    while find_board_topics(sessions):
        pass
    print(f"topics of every period found in {time.perf_counter() - begin:.0f} s")
    with sessions() as session:
        assert session.scalar(select(Volume.mentions).limit(1))


def _turned(statement: str, numbers: str) -> str:
    """Return an INSERT ... SELECT with its numbers before the SELECT."""
    head, _, tail = statement.partition("SELECT")
    return f"{head}{numbers}SELECT{tail}"


def _measure(client: TestClient, requests: int, target_ms: int) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}")
    for name, path in PAGES.items():
        times, cpu = [], []
        for number in range(requests + WARM_UP):
            begin, busy = time.perf_counter(), time.process_time()
            client.get(path).raise_for_status()
            if number >= WARM_UP:
                times.append(1000 * (time.perf_counter() - begin))
                cpu.append(1000 * (time.process_time() - busy))
        p95 = statistics.quantiles(times, n=20)[18]
        print(
            f"  {name:16} p50 {statistics.median(times):6.1f}  p95 {p95:6.1f} ms"
            f"  own CPU {statistics.median(cpu):6.1f} ms  wanted {target_ms}"
        )


if __name__ == "__main__":
    main()
