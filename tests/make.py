"""Builders of test objects: each gives a whole one, and a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from listener.models import Author, Brand, Mention, Step
from listener.types import AuthorProfile, Post, PostKind

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

_numbers = count(1)


def make_post(**changes: Any) -> Post:
    number = next(_numbers)
    post = Post(
        external_id=str(10_000 + number),
        text=f"Acme made-up post number {number}",
        published_at=NOW - timedelta(minutes=5) + timedelta(milliseconds=number),
        author=make_profile(),
        url=f"https://example.org/posts/{number}",
    )
    return replace(post, **changes)


def make_profile(**changes: Any) -> AuthorProfile:
    number = next(_numbers)
    profile = AuthorProfile(
        external_id=f"a{number}", handle=f"someone{number}", name=f"Some One {number}"
    )
    return replace(profile, **changes)


def make_brand(session: Session, **changes: Any) -> Brand:
    values: dict[str, Any] = {
        "key": f"acme{next(_numbers)}",
        "name": "Acme",
        "query": "acme",
        "names": ["Acme"],
        "created_at": NOW,
    }
    brand = Brand(**(values | changes))
    session.add(brand)
    session.flush()
    return brand


def make_author(session: Session, **changes: Any) -> Author:
    number = next(_numbers)
    values: dict[str, Any] = {
        "platform": "x",
        "external_id": f"u{number}",
        "handle": f"user{number}",
        "name": f"User {number}",
        "links": [],
        "verified_links": [],
        "first_seen_at": NOW,
        "updated_at": NOW,
        "profile_hash": "",
    }
    author = Author(**(values | changes))
    session.add(author)
    session.flush()
    return author


def make_mention(session: Session, brand: Brand, **changes: Any) -> Mention:
    number = next(_numbers)
    values: dict[str, Any] = {
        "brand_id": brand.id,
        "platform": "x",
        "external_id": f"m{number}",
        "kind": PostKind.POST,
        "text": f"Acme made-up mention number {number}",
        "links": [],
        "published_at": NOW,
        "fetched_at": NOW,
        "pending": Step.SCORE,
    }
    mention = Mention(**(values | changes))
    session.add(mention)
    session.flush()
    return mention
