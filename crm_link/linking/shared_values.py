"""Values that several authors show: what one of them says of somebody else proves nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.any_of import any_of
from crm_link.context import LinkContext
from crm_link.linking.facts import AuthorFacts, Fact
from crm_link.models import AuthorKey


def find_shared(
    session: Session, wanted: Mapping[int, Collection[str]]
) -> tuple[set[tuple[int, str]], dict[str, set[int]]]:
    """Return (author, hash) pairs that another author shows too, and who shows each hash."""
    hashes = {value for values in wanted.values() for value in values}
    if not hashes:
        return set(), {}
    showing: dict[str, set[int]] = defaultdict(set)
    for value_hash, author_id in session.execute(
        select(AuthorKey.value_hash, AuthorKey.author_id).where(
            any_of(session, AuthorKey.value_hash, sorted(hashes))
        )
    ):
        showing[value_hash].add(author_id)
    shared = {
        (author_id, value)
        for author_id, values in wanted.items()
        for value in values
        if showing[value] - {author_id}
    }
    return shared, showing


def mark_shared(
    author: AuthorFacts, shared: Collection[tuple[int, str]], context: LinkContext
) -> AuthorFacts:
    """Return the facts with those marked that another author shows too.

    What stands in a profile is a statement about oneself, whoever else says it too; what
    stands in a text may be about somebody else. A handle that two accounts of a platform
    seem to have was given up by one of them.
    """
    facts = tuple(
        replace(fact, is_shared=True)
        if can_be_shared(fact)
        and (author.author_id, context.hash_value(fact.kind, fact.value)) in shared
        else fact
        for fact in author.facts
    )
    return replace(author, facts=facts)


def can_be_shared(fact: Fact) -> bool:
    """Say whether it weakens a fact that another author shows the same value."""
    return fact.mention_id is not None or fact.source == "handle"
