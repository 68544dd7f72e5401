"""How long storing takes, without scoring: CPU and wall time per made-up mention.

Run: python -m tests.benchmarks.bench_store [DATABASE_URL] [MENTIONS]
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from config.db import make_engine, make_sessions
from config.migrate import upgrade
from listener.store import store_posts
from listener.types import AuthorProfile, Post
from tests.make import NOW, make_brand

#: Mentions per transaction, about what a collector's page or an import's batch holds.
BATCH = 500

_WORDS = [
    "acme",
    "refund",
    "app",
    "broken",
    "thanks",
    "branch",
    "queue",
    "card",
    "blocked",
    "love",
    "it",
    "again",
    "today",
    "why",
]


def made_up_posts(count: int, *, seed: int = 1, with_raw: bool = True) -> list[Post]:
    """Return posts of a tenth as many authors, of about 23 words each."""
    chance = random.Random(seed)
    posts = []
    for number in range(count):
        author = chance.randrange(count // 10 + 1)
        text = " ".join(chance.choices(_WORDS, k=chance.randint(10, 36))) + f" {number}"
        posts.append(
            Post(
                external_id=str(1_500_000_000_000_000_000 + number),
                text=text,
                published_at=NOW + timedelta(milliseconds=50 * number),
                author=AuthorProfile(
                    external_id=str(author), handle=f"someone{author}", name=f"Some One {author}"
                ),
                url=f"https://example.org/{number}",
                lang="en",
                likes=number % 7,
                raw={"id": number, "text": text, "lang": "en"} if with_raw else None,
            )
        )
    return posts


def main() -> None:
    """Store made-up mentions and print what it took."""
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    posts = made_up_posts(count)
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'bench.db'}"
        engine = make_engine(url)
        upgrade(engine)
        sessions = make_sessions(engine)
        with sessions.begin() as session:
            brand_id = make_brand(session, key=f"bench{time.time_ns()}").id
        for name in ("new", "seen before"):
            wall, cpu = time.perf_counter(), time.process_time()
            for start in range(0, count, BATCH):
                with sessions.begin() as session:
                    store_posts(
                        session,
                        brand_id=brand_id,
                        platform="x",
                        posts=posts[start : start + BATCH],
                        source_id=None,
                        now=NOW,
                    )
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(
                f"{engine.dialect.name}, {name}: {count:,} mentions, {count / wall:,.0f}/s, "
                f"{1000 * cpu / count:.3f} ms CPU each, {os.cpu_count()} cores"
            )
        engine.dispose()


if __name__ == "__main__":
    main()
