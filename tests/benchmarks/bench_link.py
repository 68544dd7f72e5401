"""Linking at the size of a big CRM: key table, one new author, many authors again, memory.

Run: python -m tests.benchmarks.bench_link [--contacts N] [--authors N] [--postgres]

Made-up people: given and family names are drawn with the frequencies of a Zipf law, so that
the commonest full name has some hundred namesakes in a million, as John Smith has.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.db import is_sqlite, make_engine, make_sessions, read_session
from config.migrate import upgrade
from crm_link.context import LinkContext
from crm_link.linking.candidates import find_candidates
from crm_link.linking.contact_keys import contact_keys
from crm_link.linking.facts import Profile
from crm_link.linking.profile_facts import read_facts
from crm_link.linking.rebuild import rebuild_index
from crm_link.matching import judge
from crm_link.models import Contact, ContactKey, IdentityLink, MatchKey
from crm_link.service import link_mentions, relink_due
from crm_link.types import ContactRecord
from listener.models import Brand, Step
from tests.make import NOW, make_author, make_brand, make_mention

CONTEXT = LinkContext("a key of the benchmark", "US")
CHUNK = 20_000
GIVEN, FAMILY = 3_000, 60_000
_REGIONS = ("CA", "TX", "FL", "NY", "PA", "IL", "OH", "GA", "NC", "MI", "WA", "AZ", "MA", "CO")
_SYLLABLES = ("ba", "ke", "lin", "mor", "ta", "ves", "ri", "so", "dan", "ul", "per", "go", "ne")


class People:
    """Draws people whose names are as unequal as real ones."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.given = [self._word(number + 7, 2) for number in range(GIVEN)]
        self.family = [self._word(number + 91, 3) for number in range(FAMILY)]
        self.given_weights = list(accumulate(1 / (n + 12) for n in range(GIVEN)))
        self.family_weights = list(accumulate(1 / (n + 60) ** 0.9 for n in range(FAMILY)))

    def _word(self, number: int, syllables: int) -> str:
        chance = random.Random(number * 7919)
        return "".join(chance.choice(_SYLLABLES) for _ in range(syllables)) + chance.choice(
            ("", "n", "s", "k", "er", "ton")
        )

    def name(self) -> tuple[str, str]:
        given = self.chance.choices(self.given, cum_weights=self.given_weights)[0]
        family = self.chance.choices(self.family, cum_weights=self.family_weights)[0]
        return given.title(), family.title()


def fill_contacts(sessions: sessionmaker[Session], count: int, people: People) -> None:
    """Store contacts with their e-mail keys, as a sync would leave them, without name keys."""
    for start in range(0, count, CHUNK):
        rows: list[dict[str, Any]] = []
        keys: list[dict[str, Any]] = []
        for number in range(start + 1, min(start + CHUNK, count) + 1):
            given, family = people.name()
            region = people.chance.choice(_REGIONS)
            record = ContactRecord(
                str(number),
                f"{given} {family}",
                family,
                emails=(f"{given}.{family}{number}@example.com",),
                fields={"region": region},
                relationship_source="public_directory",
            )
            rows.append(
                {
                    "id": number,
                    "crm": "bench",
                    "external_id": record.external_id,
                    "name": record.name,
                    "family_name": family,
                    "emails": list(record.emails),
                    "phones": [],
                    "handles": [],
                    "links": [],
                    "country": None,
                    "tier": None,
                    "value": None,
                    "owner": None,
                    "relationship_source": record.relationship_source,
                    "do_not_contact": False,
                    "fields": dict(record.fields),
                    "record_hash": "",
                    "deleted_at": None,
                    "first_seen_at": NOW,
                    "updated_at": NOW,
                }
            )
            keys.extend(
                {"contact_id": number, "kind": kind, "value": value}
                for kind, value in contact_keys(record, "US")[0]
            )
        with sessions.begin() as session:
            insert_new(session, Contact, rows, key=["crm", "external_id"])
            insert_new(session, ContactKey, keys, key=["kind", "value", "contact_id"])


def author_row(number: int, people: People) -> dict[str, Any]:
    """Return an author; half bear a name that was drawn anew, and may be nobody's."""
    given, family = people.name()
    region = people.chance.choice(_REGIONS)
    shown = people.chance.choice((f"{given} {family}", f"{given[0]}. {family}", family, given))
    return {
        "platform": "mastodon",
        "external_id": f"a{number}",
        "handle": f"{given}{family}{number}".lower(),
        "name": shown,
        "bio": f"Coffee, trains and {region} weather. Opinions are mine.",
        "location": f"Somewhere, {region}" if number % 3 else "the moon",
    }


def add_authors(
    sessions: sessionmaker[Session], count: int, people: People, *, start: int, brand_id: int
) -> tuple[list[int], list[int]]:
    """Store authors with one mention each that waits for linking; return both ids."""
    author_ids, mention_ids = [], []
    for first in range(start, start + count, 1000):
        with sessions.begin() as session:
            brand = session.get_one(Brand, brand_id)
            for number in range(first, min(first + 1000, start + count)):
                author = make_author(session, **author_row(number, people), link_due_at=NOW)
                mention = make_mention(
                    session,
                    brand,
                    platform="mastodon",
                    author_id=author.id,
                    label="negative",
                    score=-0.5,
                    pending=Step.LINK,
                )
                author_ids.append(author.id)
                mention_ids.append(mention.id)
    return author_ids, mention_ids


def run(url: str, contacts: int, authors: int) -> None:
    """Measure on one database and print the figures."""
    sessions = make_sessions(make_engine(url))
    with sessions() as session:
        name = "SQLite" if is_sqlite(session) else "PostgreSQL"
    people = People(1)
    with sessions.begin() as session:
        brand_id = make_brand(session, key="bench").id
    began = time.perf_counter()
    fill_contacts(sessions, contacts, people)
    print(f"{name}: {contacts} contacts stored in {time.perf_counter() - began:.0f} s")
    before = _peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    rebuild_index(sessions, CONTEXT)
    took, used = time.perf_counter() - wall, time.process_time() - cpu
    with sessions() as session:
        keys = session.scalar(select(func.count()).select_from(MatchKey))
    print(
        f"{name}: {keys} keys built in {took:.0f} s ({used:.0f} s CPU; wanted < 180 s); "
        f"peak memory {before:.0f} -> {_peak_mb():.0f} MB (wanted < 500)"
    )
    _analyse(sessions)
    _, mention_ids = add_authors(sessions, 1_000, people, start=0, brand_id=brand_id)
    looked = [_look_up(sessions, author_row(number, people)) for number in range(500)]
    _print_times(f"{name}: contacts of one author found and weighed", [one for one, _ in looked])
    _print_times(f"{name}: the same, our CPU", [one for _, one in looked])
    times, used_times = [], []
    for mention_id in mention_ids:
        began, cpu = time.perf_counter(), time.process_time()
        link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
        used_times.append((time.process_time() - cpu) * 1000)
        times.append((time.perf_counter() - began) * 1000)
    _print_times(f"{name}: one new author, all of the step", times[50:])
    _print_times(f"{name}: the same, our CPU", used_times[50:])
    author_ids, _ = add_authors(sessions, authors, people, start=10_000, brand_id=brand_id)
    with sessions.begin() as session:
        session.execute(text("UPDATE mention SET pending = NULL"))
    wall, cpu = time.perf_counter(), time.process_time()
    done = 0
    while found := relink_due(sessions, clock=lambda: NOW, context=CONTEXT):
        done += found
    took, used = time.perf_counter() - wall, time.process_time() - cpu
    with sessions() as session:
        made = session.scalar(select(func.count()).select_from(IdentityLink))
    print(
        f"{name}: {done} of {len(author_ids)} authors relinked in {took:.1f} s ({used:.1f} s CPU; "
        f"wanted < 60 s for 10,000); {made} links; peak memory {_peak_mb():.0f} MB"
    )


def _look_up(sessions: sessionmaker[Session], row: Mapping[str, Any]) -> tuple[float, float]:
    """Return milliseconds and our CPU's of finding and weighing one author's contacts."""
    profile = Profile(
        author_id=-1,
        platform=row["platform"],
        external_id=row["external_id"],
        handle=row["handle"],
        name=row["name"],
        bio=row["bio"],
        location=row["location"],
    )
    with read_session(sessions) as session:
        began, cpu = time.perf_counter(), time.process_time()
        facts = read_facts(profile, (), CONTEXT, CONTEXT.book)
        found = find_candidates(session, [facts], CONTEXT)
        judge(facts, found.candidates[-1], hash_value=CONTEXT.hash_value, scale=found.scale)
        return (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000


def _analyse(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(text("ANALYZE"))


def _print_times(label: str, times: Sequence[float]) -> None:
    cut = statistics.quantiles(times, n=100)
    print(
        f"{label}: p50 {cut[49]:.2f} ms, p95 {cut[94]:.2f} ms (wanted <= 5), p99 {cut[98]:.2f} ms"
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def database(*, postgres: bool) -> Iterator[str]:
    """Give an empty database, gone afterwards."""
    if not postgres:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            upgrade(make_engine(url))
            yield url
        return
    server = os.environ.get("GROUNDSWELL_TEST_POSTGRES_URL")
    if not server:
        sys.exit("set GROUNDSWELL_TEST_POSTGRES_URL to a server on which databases may be made")
    name = f"groundswell_bench_{time.time_ns()}"
    admin = create_engine(
        server.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.rsplit("/", 1)[0] + f"/{name}"
    try:
        upgrade(make_engine(url))
        yield url
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--authors", type=int, default=10_000)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with database(postgres=given.postgres) as url:
        run(url, given.contacts, given.authors)


if __name__ == "__main__":
    main()
