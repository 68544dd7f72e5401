"""Who is confirmed and suggested on real public profiles (local data, never committed).

The contacts there are a public directory's, so that name and place or site may confirm.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.contacts.mirror import import_contacts
from crm_link.context import LinkContext
from crm_link.linking.link_files import link_files
from crm_link.models import Contact, IdentityLink
from crm_link.service import link_mentions
from listener.models import Author, Step
from tests.crm_link.make_linking import CONTEXT
from tests.make import NOW, make_author, make_brand, make_mention


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_real_profiles_are_confirmed_as_themselves(
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
    right = sum(map(bool, truth.values()))
    assert counts["confirmed", True] >= 0.92 * right
    assert counts["confirmed", False] <= 0.01 * counts["confirmed", True]


@pytest.mark.slow
@pytest.mark.parametrize("has_profile", [True, False])
def test_figures_of_linking_two_files(shared: Path, tmp_path: Path, *, has_profile: bool) -> None:
    folder = shared / "data" / "linking"
    if not folder.is_dir():
        pytest.skip(f"there are no labelled profiles at {folder}")
    truth = {row["author_id"]: row["contact_id"] for row in rows(folder / "truth_dev.csv")}
    authors = folder / "authors_dev.csv"
    if not has_profile:
        authors = tmp_path / "authors.jsonl"
        kept = ("author_id", "platform", "handle", "display_name")
        lines = [{name: row[name] for name in kept} for row in rows(folder / "authors_dev.csv")]
        authors.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    out = tmp_path / "out.jsonl"

    link_files(folder / "contacts.csv", authors, out, context=LinkContext("k"))

    answers = [json.loads(line) for line in out.read_text().splitlines()]
    confirmed = [one for one in answers if one["state"] == "confirmed"]
    best = [one for one in answers if one["contact_id"]]
    right = sum(1 for one in confirmed if truth[one["author_id"]] == one["contact_id"])
    found = sum(1 for one in best if truth[one["author_id"]] == one["contact_id"])
    linkable = sum(map(bool, truth.values()))
    f1 = 2 * found / (len(best) + linkable)
    print(f"{len(confirmed)} confirmed, {right} right; best single answer F1 {f1:.4f}")
    assert right == len(confirmed)
    if has_profile:
        assert right >= 0.92 * linkable
        assert len(best) - len(confirmed) <= 0.08 * len(answers)
        assert f1 >= 0.97
