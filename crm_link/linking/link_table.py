"""Contacts in memory, found by the same keys as in the database. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from crm_link.linking.contact_keys import contact_keys
from crm_link.linking.facts import AuthorFacts, Candidate
from crm_link.linking.findings import Scale
from crm_link.linking.levels import MAX_OF_OWN_HOST, read_contact
from crm_link.linking.match_keys import MAX_PER_AUTHOR, MAX_PER_KEY, author_keys, contact_match_keys
from crm_link.linking.places import RegionBook
from crm_link.linking.weights import Frequencies, Weights
from crm_link.policy import Verdict
from crm_link.types import ContactRecord


@dataclass(frozen=True, slots=True)
class _Row:
    record: ContactRecord
    candidate: Candidate


class LinkTable:
    """Contacts, found by keys and after the gate."""

    def __init__(
        self,
        records: Iterable[ContactRecord],
        *,
        book: RegionBook,
        country: str | None,
        weights: Weights,
    ) -> None:
        """Index the contacts.

        Args:
            records: The contacts.
            book: The regions of their country.
            country: Whose national phone numbers they have.
            weights: The model.

        """
        self.rows: list[_Row] = []
        self.region_share = 1.0
        self._strong: Mapping[tuple[str, str], list[int]] = defaultdict(list)
        self._names: Mapping[str, list[int]] = defaultdict(list)
        hosts: Counter[str] = Counter()
        family: Counter[str] = Counter()
        given: Counter[str] = Counter()
        region: Counter[str] = Counter()
        for at, record in enumerate(records):
            known = read_contact(
                record.name,
                family=record.family_name,
                region=record.fields.get("region", ""),
                city=record.fields.get("city", ""),
                links=record.links,
                book=book,
            )
            keys = contact_keys(record, country)[0]
            for key in keys:
                self._strong[key].append(at)
            for name in contact_match_keys(known):
                self._names[name].append(at)
            hosts.update(known.hosts)
            family[known.name.last] += 1
            given[known.name.first] += 1
            if known.region:
                region[known.region] += 1
            candidate = Candidate(
                contact_id=at,
                crm="file",
                name=record.name,
                owner=record.owner,
                keys=frozenset(keys),
                known=known,
            )
            self.rows.append(_Row(record, candidate))
        placed = sum(region.values())
        self.region_share = sum((n / placed) ** 2 for n in region.values()) if placed else 1.0
        self.scale = Scale(
            weights,
            Frequencies(len(self.rows), family, given, region),
            frozenset(host for host, count in hosts.items() if count > MAX_OF_OWN_HOST),
        )

    def candidates(
        self, author: AuthorFacts, gate: Callable[[ContactRecord], Verdict]
    ) -> list[Candidate]:
        """Return the contacts that the author may be, and that the gate lets through."""
        assert author.shown is not None
        found: dict[int, None] = {}
        for fact in author.facts:
            self._add(found, self._strong.get((fact.kind.value, fact.value), ()))
        for key in author_keys(author.shown, author.name or "", author.handle or ""):
            if len(found) >= MAX_PER_AUTHOR:
                break
            self._add(found, self._names.get(key, ()))
        result = []
        for at in found:
            verdict = gate(self.rows[at].record)
            if verdict.is_allowed:
                candidate = self.rows[at].candidate
                result.append(_with_basis(candidate, is_public=verdict.is_public))
        return result

    @staticmethod
    def _add(found: dict[int, None], rows: Iterable[int]) -> None:
        listed = list(rows)
        if len(listed) <= MAX_PER_KEY:
            found.update(dict.fromkeys(listed))


def _with_basis(candidate: Candidate, *, is_public: bool) -> Candidate:
    return Candidate(
        candidate.contact_id,
        candidate.crm,
        candidate.name,
        candidate.owner,
        candidate.keys,
        candidate.known,
        is_public,
    )
