"""The pairs that weights are trained on: authors with their candidates, compared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm_link.contacts.file_rows import AuthorRow
from crm_link.context import LinkContext
from crm_link.linking.levels import Levels, compare
from crm_link.linking.link_table import LinkTable
from crm_link.linking.places import region_book
from crm_link.linking.profile_facts import read_facts
from crm_link.policy import Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """An author and a candidate.

    Args:
        author: Number of the author.
        contact_id: The contact's id in its table.
        levels: What the comparison found.
        is_right: What a person decided; None if nobody did.
        chance: Probability that it is right, as far as is known; a decision makes it 0 or 1.

    """

    author: int
    contact_id: str
    levels: Levels
    is_right: bool | None = None
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What weights are trained on."""

    pairs: list[Pair]
    authors: int
    table: LinkTable
    decided: int


def sample_pairs(
    table: LinkTable,
    authors: Iterable[AuthorRow],
    decisions: Mapping[str, str],
    context: LinkContext,
) -> Sample:
    """Return every author with the candidates that keys find.

    Args:
        table: The contacts.
        authors: The authors.
        decisions: The right contact by author id, empty for none; authors without one are
            unlabelled.
        context: The home country.

    """
    book = region_book(context.country)
    pairs: list[Pair] = []
    count = decided = 0
    for number, row in enumerate(authors):
        count += 1
        facts = read_facts(row.profile, (), context, book)
        assert facts.shown is not None
        right = decisions.get(row.author_id)
        decided += right is not None
        for candidate in table.candidates(facts, lambda _: Verdict(is_allowed=True, rule="")):
            external_id = table.rows[candidate.contact_id].record.external_id
            label = None if right is None else external_id == right
            levels = compare(facts.shown, candidate.known, table.scale.shared_hosts)
            pairs.append(Pair(number, external_id, levels, label, float(label or 0)))
    return Sample(pairs, count, table, decided)
