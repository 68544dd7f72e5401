"""People who talk, their records in a fake CRM, and workers that write there and are killed."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import structlog
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import make_engine, make_sessions, read_session
from crm_link.calls.crm_fields import is_same
from crm_link.contacts.mirror import sync_contacts
from crm_link.crm import Crm, make_crm
from crm_link.models import CrmJournalEntry, DeliveryStatus, WriteBack
from crm_link.outbox.journal_undo import undo
from crm_link.service import link_mentions
from crm_link.types import ContactPage, ContactUpdate, WriteResult
from crm_link.writeback import LEASE_S, deliver_write_backs
from listener.models import Mention, Step
from tests.benchmarks.kill_points import Points
from tests.crm_link.crms.records import number
from tests.crm_link.crms.server import FakeCrm
from tests.crm_link.make_linking import CONTEXT, add_mention

#: Records of one write, so that a round has several.
BATCH = 8

_UNSENT = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)


def work(
    url: str,
    name: str,
    kind: str,
    at: int,
    log: Path,
    later_s: float,
    undo_s: float | None,
    environment: Mapping[str, str],
) -> None:
    """Link what was said and write it to the CRM, or take all writes back, up to the point.

    Args:
        url: The database.
        name: The CRM.
        kind: At which kind of point this process dies.
        at: At which of them; 0 is never.
        log: Where the kill is written down.
        later_s: Seconds that this process is ahead of the clock.
        undo_s: Take back the writes of the last so many seconds; None writes.
        environment: Settings of the CRM.

    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    os.environ.update(environment)
    points = Points(kind, at, log)
    engine = make_engine(url)
    sessions = make_sessions(engine)
    event.listen(engine, "commit", lambda _: points.reach("before commit"))
    event.listen(Session, "after_commit", lambda _: points.reach("after commit"))
    crm = _Watched(make_crm(name), points.reach)

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=later_s)

    if undo_s is not None:
        undo(sessions, crm, name=name, since=clock() - timedelta(seconds=undo_s), clock=clock)
    else:
        while True:
            linked = link_mentions(sessions, _to_link(sessions), clock=clock, context=CONTEXT)
            written = deliver_write_backs(sessions, crm, name=name, limit=BATCH, clock=clock)
            if not linked and not written:
                break
    crm.close()
    engine.dispose()


class _Watched(Crm):
    """A CRM that tells when it is asked and when it has answered."""

    batch_size = BATCH

    def __init__(self, inner: Crm, reach: Callable[[str], None]) -> None:
        self._inner, self._reach = inner, reach

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        return self._inner.contacts(cursor)

    def read(self, external_ids: Sequence[str]) -> Any:
        self._reach("before call")
        found = self._inner.read(external_ids)
        self._reach("after call")
        return found

    def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        self._reach("before call")
        results = self._inner.write(updates)
        self._reach("after call")
        return results

    def close(self) -> None:
        self._inner.close()


def _to_link(sessions: sessionmaker[Session]) -> list[int]:
    with read_session(sessions) as session:
        return list(session.scalars(select(Mention.id).where(Mention.pending == Step.LINK)))


@dataclass(frozen=True, slots=True)
class Change:
    """What one write of ours changed in a record of the fake."""

    external_id: str
    before: dict[str, Any]
    after: dict[str, Any]


class _Record(dict[str, Any]):
    """A record of the fake that keeps what is written into it."""

    def __init__(self, external_id: str, changes: list[Change], values: dict[str, Any]) -> None:
        super().__init__(values)
        self._external_id, self._changes = external_id, changes

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        before = {
            name: self.get(name) for name in other if not is_same(self.get(name), other[name])
        }
        if before:
            after = {name: other[name] for name in before}
            self._changes.append(Change(self._external_id, before, after))
        self.update(other)
        return self


@dataclass
class World:
    """Contacts in a fake CRM, each with an author who is them, and what people do there."""

    fake: FakeCrm
    sessions: sessionmaker[Session]
    chance: random.Random
    people: int
    changes: list[Change] = field(default_factory=list)
    #: What a person wrote into one of our fields, by record and field.
    by_hand: dict[tuple[str, str], str] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)
    _authors: dict[str, int] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of the plugin that talks to the fake."""
        source = f"GROUNDSWELL_{self.fake.name.upper()}_RELATIONSHIP_SOURCE"
        return self.fake.environment() | {source: "prior_relationship"}

    def begin(self) -> None:
        """Make the contacts, bring them into our mirror, create our fields."""
        for place in range(self.people):
            one = number(place)
            email = f"ann{place}@example.com"
            self.fake.add(one, first="Ann", last=f"Lee{place}", email=email)
            self.fake.contacts[one] = _Record(one, self.changes, self.fake.contacts[one])
        self.edit(number(0), "groundswell_handles", "asked her myself")
        os.environ.update(self.environment)
        crm = make_crm(self.fake.name)
        crm.setup()
        sync_contacts(self.sessions, crm, name=self.fake.name, context=CONTEXT)
        crm.close()

    def talk(self) -> None:
        """Let some people say something; now and then a person edits one of our fields."""
        for place in self.chance.sample(range(self.people), self.chance.randint(1, 2 * BATCH)):
            one = number(place)
            author = self._authors.get(one) or {
                "platform": "mastodon",
                "external_id": f"author{place}",
                "bio": f"Write to ann{place}@example.com",
            }
            _, self._authors[one] = add_mention(self.sessions, author, published_at=utc_now())
            self.said[one] = self.said.get(one, 0) + 1
        if self.chance.random() < 0.1:
            one = number(self.chance.randrange(self.people))
            self.edit(one, "groundswell_last_sentiment", f"angry, she says ({len(self.by_hand)})")

    def edit(self, one: str, name: str, value: str) -> None:
        with self.fake.lock:
            self.fake.contacts[one].update({name: value})
            self.by_hand[one, name] = value

    def assert_written(self) -> int:
        """Check that every record says what it should; return how many fields were written."""
        with read_session(self.sessions) as session:
            rows = {row.external_id: row for row in session.scalars(select(WriteBack))}
        assert rows.keys() == self.said.keys(), "records without a row, or rows without a record"
        for one, row in rows.items():
            there = self.fake.contacts[one]
            assert (row.status, row.sent_version) == (DeliveryStatus.SENT, row.version), one
            assert row.fields["groundswell_mentions"] == self.said[one], f"{one}: one is lost"
            for name, value in row.fields.items():
                wanted = self.by_hand.get((one, name), value)
                assert is_same(there.get(name), wanted), (one, name, there.get(name), wanted)
        self._assert_forward()
        return sum(len(change.after) for change in self.changes)

    def _assert_forward(self) -> None:
        """Check that no write was repeated over a later one: counts only ever grow."""
        last: dict[str, int] = {}
        for change in self.changes:
            if "groundswell_mentions" in change.after:
                count = int(change.after["groundswell_mentions"])
                assert count > last.get(change.external_id, 0), f"{change} came again"
                last[change.external_id] = count

    def assert_journalled(self) -> tuple[int, int]:
        """Check that each change has its entry and each confirmed entry its change.

        Return how many entries there are, and how many of them say that they are not confirmed.
        """
        with read_session(self.sessions) as session:
            entries = session.scalars(select(CrmJournalEntry).order_by(CrmJournalEntry.id)).all()
        left = list(entries)
        for change in self.changes:
            fitting = [entry for entry in left if _tells(entry, change)]
            assert fitting, f"no entry for {change}"
            # Of two of the same words the one is meant that says that it arrived.
            found = max(fitting, key=lambda entry: entry.done_at is not None)
            left.remove(found)
            is_hidden = all((change.external_id, name) in self.by_hand for name in change.after)
            assert found.done_at or is_hidden, f"entry {found.id} arrived and does not say so"
        assert not [entry.id for entry in left if entry.done_at], "confirmed without a write"
        return len(entries), len(left)

    def assert_undone(self) -> None:
        """Check that all our fields are as they were, or as a person left them."""
        for one, there in self.fake.contacts.items():
            for name in self.fake.our_fields:
                wanted = self.by_hand.get((one, name))
                assert is_same(there.get(name), wanted), (one, name, there.get(name), wanted)


def _tells(entry: CrmJournalEntry, change: Change) -> bool:
    return (
        entry.external_id == change.external_id
        and entry.before.keys() == change.after.keys()
        and all(is_same(entry.before[name], was) for name, was in change.before.items())
        and all(is_same(entry.after[name], now) for name, now in change.after.items())
    )


def waiting(sessions: sessionmaker[Session]) -> int:
    """Return how many rows are still to be sent."""
    with read_session(sessions) as session:
        query = select(func.count()).where(WriteBack.status.in_(_UNSENT))
        return session.scalar(query) or 0


#: Seconds by which each start is later than the one before: what a killed one held is free.
LATER_S = LEASE_S + 1
