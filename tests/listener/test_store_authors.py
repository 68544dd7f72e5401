from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from listener.models import Author
from listener.store_authors import store_authors
from tests.make import NOW, make_profile
from tests.meanwhile import meanwhile


def test_an_author_who_becomes_due_while_a_page_is_stored_stays_due(
    sessions: sessionmaker[Session],
) -> None:
    profile = make_profile(followers=10)
    with sessions.begin() as session:
        (author_id,) = store_authors(session, "x", [profile], NOW).values()
        session.execute(update(Author).values(link_due_at=None))
    due_at = NOW + timedelta(hours=1)

    def store() -> None:
        with sessions.begin() as session:
            store_authors(session, "x", [make_profile(**_same(profile.external_id))], NOW)

    with meanwhile(sessions, store) as session:
        session.execute(update(Author).where(Author.id == author_id).values(link_due_at=due_at))

    with sessions() as session:
        author = session.get_one(Author, author_id)
        assert (author.followers, author.link_due_at) == (11, due_at)


def _same(external_id: str) -> dict[str, object]:
    """Return another profile of the same author, of whom only the followers changed."""
    return {"external_id": external_id, "handle": None, "name": None, "followers": 11}
