"""Nothing is confirmed wrongly on real public profiles (local data, never committed).

The contacts there have a website or a phone and no handle, so that little can be confirmed
at all; what is suggested is counted and printed.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.contacts import import_contacts
from crm_link.models import Contact, IdentityLink
from crm_link.service import link_mentions
from crm_link.types import LinkState
from listener.models import Author, Step
from tests.crm_link.make_linking import CONTEXT
from tests.make import NOW, make_author, make_brand, make_mention


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_no_real_profile_is_confirmed_as_somebody_else(
    sessions: sessionmaker[Session], shared: Path
) -> None:
    folder = shared / "data" / "linking"
    if not folder.is_dir():
        pytest.skip(f"there are no labelled profiles at {folder}")
    truth = {row["author_id"]: row["contact_id"] for row in rows(folder / "truth_dev.csv")}
    result = import_contacts(sessions, folder / "contacts.csv", context=CONTEXT)
    assert (result.new, result.rejected) == (22_375, ())
    with sessions.begin() as session:
        brand = make_brand(session)
        ids = []
        for row in rows(folder / "authors_dev.csv"):
            links = [row["profile_link"], *row["bio_links"].split()]
            author = make_author(
                session,
                platform=row["platform"],
                external_id=row["author_id"],
                handle=row["handle"],
                name=row["display_name"],
                bio=row["bio"],
                location=row["location"] or None,
                links=[link for link in links if link],
            )
            mention = make_mention(session, brand, author_id=author.id, pending=Step.LINK)
            ids.append(mention.id)

    assert link_mentions(sessions, ids, clock=lambda: NOW, context=CONTEXT) == len(truth)

    with sessions() as session:
        found = session.execute(
            select(Author.external_id, Contact.external_id, IdentityLink.state)
            .join(IdentityLink, IdentityLink.author_id == Author.id)
            .join(Contact, Contact.id == IdentityLink.contact_id)
        ).all()
    counts = Counter((state.value, truth[author] == contact) for author, contact, state in found)
    print(f"of {len(truth)} profiles: {dict(counts)} (state, is right)")
    wrong = [row for row in found if row[2] is LinkState.CONFIRMED and truth[row[0]] != row[1]]
    assert wrong == []
    assert counts["suggested", True] > 50
