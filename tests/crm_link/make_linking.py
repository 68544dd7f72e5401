"""Builders for the tests of linking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from crm_link.contacts.mirror import SyncResult, sync_contacts
from crm_link.context import LinkContext
from crm_link.crm import Crm
from crm_link.service import link_mentions
from crm_link.types import ContactPage, ContactRecord, ContactUpdate, WriteResult
from listener.models import Author, Brand, Mention, Step
from sentiment.signals.models import MentionSignal
from tests.make import NOW, make_author, make_brand, make_mention

CONTEXT = LinkContext(secret_key="a key of the tests", country="US")


class FakeCrm(Crm):
    """A CRM whose pages and answers a test gives."""

    def __init__(self, *pages: ContactPage) -> None:
        self.pages = pages
        self.cursors: list[str | None] = []
        self.written: dict[str, dict[str, Any]] = {}
        self.calls = 0
        self.errors: list[Exception] = []
        self.results: dict[str, WriteResult] = {}

    def contacts(self, cursor: str | None) -> Iterator[ContactPage]:
        self.cursors.append(cursor)
        yield from self.pages

    def write(self, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        results = []
        for update in updates:
            result = self.results.get(update.external_id, WriteResult(update.external_id))
            if result.error is None:
                self.written[update.external_id] = dict(update.fields)
            results.append(result)
        return results


def make_record(external_id: str = "c1", **changes: Any) -> ContactRecord:
    values: dict[str, Any] = {"external_id": external_id, "name": "Jane Doe"}
    return ContactRecord(**(values | changes))


def sync(
    sessions: sessionmaker[Session], *records: ContactRecord, name: str = "csv_file"
) -> SyncResult:
    crm = FakeCrm(ContactPage(records, None))
    return sync_contacts(sessions, crm, name=name, clock=lambda: NOW, context=CONTEXT)


def brand_of(session: Session) -> Brand:
    return session.query(Brand).first() or make_brand(session)


def add_mention(
    sessions: sessionmaker[Session], author: dict[str, Any] | int, **changes: Any
) -> tuple[int, int]:
    """Store a scored mention, and its author where none is given; return both ids."""
    with sessions.begin() as session:
        values: dict[str, Any] = {
            "label": "negative",
            "score": -0.5,
            "pending": Step.LINK,
        }
        if isinstance(author, dict):
            author = make_author(session, **({"platform": "mastodon"} | author)).id
        platform = session.get_one(Author, author).platform
        mention: Mention = make_mention(
            session,
            brand_of(session),
            author_id=author,
            platform=platform,
            **(values | changes),
        )
        return mention.id, author


def speak(
    sessions: sessionmaker[Session], author: dict[str, Any] | int, *intents: str, **changes: Any
) -> tuple[int, int]:
    """Let somebody speak, with intents that were found in it, on the way through linking."""
    values = {"published_at": NOW - timedelta(days=1), "priority": "service"}
    mention_id, author_id = add_mention(sessions, author, **(values | changes))
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    with sessions.begin() as session:
        mention = session.get_one(Mention, mention_id)
        session.add(
            MentionSignal(
                mention_id=mention_id,
                brand_id=mention.brand_id,
                published_at=mention.published_at,
                p_emotion={},
                intents="".join(f" {one} " for one in intents),
                bot=0.0,
                spam_reasons=[],
                bot_reasons=[],
            )
        )
    return mention_id, author_id
