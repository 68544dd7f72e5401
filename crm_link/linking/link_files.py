"""Linking two files: who of these authors is which of those contacts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from config.errors import InputError
from config.outputs import whole_file
from crm_link.contacts.file_rows import AuthorRow, read_authors, read_contacts
from crm_link.context import LinkContext
from crm_link.linking.facts import Claim
from crm_link.linking.link_table import LinkTable
from crm_link.linking.places import home_country, region_book
from crm_link.linking.profile_facts import read_facts
from crm_link.linking.weights import Weights, shipped_weights
from crm_link.matching import judge
from crm_link.policy import PolicyRule, PolicyTable, Verdict, may_link, rule_of
from crm_link.types import ContactRecord, LinkState

#: The state of an author for whom no contact is likely.
NONE = "none"
_HEADER = ("author_id", "contact_id", "state", "weight_bits", "probability", "evidence")


@dataclass(frozen=True, slots=True)
class LinkedRow:
    """The answer for one author.

    Args:
        author_id: As the file has it.
        contact_id: The best contact's id in its file; empty if none is likely.
        state: `confirmed`, `suggested` or `none`.
        weight_bits: The match weight, log2 odds; 0 for none.
        probability: Of this contact among all candidates and nobody.
        evidence: What speaks for and against it, and why it is only suggested.
        others: (contact id, probability) of further suggestions, best first.

    """

    author_id: str
    contact_id: str
    state: str
    weight_bits: float
    probability: float
    evidence: tuple[dict[str, Any], ...]
    others: tuple[tuple[str, float], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What linking two files did."""

    contacts: int
    authors: int
    confirmed: int
    suggested: int
    none: int
    refused: int  # authors of platforms whose terms forbid linking
    country: str | None
    rejected: tuple[str, ...]  # with file and line


@dataclass(frozen=True, slots=True)
class Gate:
    """What policy says of the contacts of one file."""

    origin: str | None
    table: PolicyTable | None

    def verdict(self, platform: str, record: ContactRecord) -> Verdict:
        """Say whether an author of a platform may be linked to a contact."""
        return may_link(platform, self.origin or record.relationship_source, table=self.table)

    def refusal(self, platform: str) -> str:
        """Return why no author of a platform is linked at all; empty if some may be."""
        is_denied = rule_of(platform, self.table) is PolicyRule.DENY
        return f"{platform}: deny" if is_denied else ""


def link_files(
    contacts: Path,
    authors: Path,
    out: Path,
    *,
    context: LinkContext,
    origin: str | None = None,
    platform: str = "",
    weights: Weights | None = None,
    table: PolicyTable | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> LinkReport:
    """Link the authors of one file to the contacts of another, and write the answers.

    Args:
        contacts: CSV, TSV or JSON lines; columns as for an import of contacts.
        authors: The same; `author_id`, `platform`, `handle`, `display_name`, `bio`,
            `bio_links`, `location`, `profile_link`.
        out: Written whole: CSV if its name ends so, else JSON lines.
        context: The hash key and the home country; without a country it is found from the
            contacts' regions.
        origin: Where all the contacts come from, a relationship source; None takes each
            row's own, and a row that says nothing is a customer.
        platform: Where the accounts are, if the file has no such column.
        weights: The model; None takes the shipped one.
        table: The platforms' rules; None takes the shipped ones.
        on_progress: Called with the number of authors done.

    Raises:
        InputError: A file cannot be read or written, or has not the columns it needs.

    """
    _refuse_overwriting(out, contacts, authors)
    rejected: list[str] = []
    rejected_authors: list[str] = []
    records = list(read_contacts(contacts, rejected))
    if not records:
        raise InputError(f"{contacts}: has no contacts that can be read")
    country = context.country or home_country(r.fields.get("region", "") for r in records)
    found = LinkTable(
        records,
        book=region_book(country),
        country=country,
        weights=weights or shipped_weights(),
    )
    context = LinkContext(context.secret_key, country)

    rows = _answers(
        read_authors(authors, rejected_authors, platform=platform),
        found,
        context,
        Gate(origin, table),
        on_progress,
    )
    counts: dict[str, int] = {LinkState.CONFIRMED: 0, LinkState.SUGGESTED: 0, NONE: 0, "refused": 0}
    with whole_file(out) as file:
        is_csv = out.suffix.lower() == ".csv"
        if is_csv:
            file.write(_csv_line(_HEADER))
        for row in rows:
            counts[row.state] += 1
            counts["refused"] += row.note.endswith(": deny")
            file.write(_csv_line(_cells(row)) if is_csv else orjson.dumps(_plain(row)) + b"\n")
    done = counts[LinkState.CONFIRMED] + counts[LinkState.SUGGESTED] + counts[NONE]
    return LinkReport(
        contacts=len(records),
        authors=done,
        confirmed=counts[LinkState.CONFIRMED],
        suggested=counts[LinkState.SUGGESTED],
        none=counts[NONE],
        refused=counts["refused"],
        country=country,
        rejected=(
            *(f"{contacts.name}, {why}" for why in rejected),
            *(f"{authors.name}, {why}" for why in rejected_authors),
        ),
    )


def _refuse_overwriting(out: Path, *read: Path) -> None:
    for path in read:
        if out.exists() and path.exists() and out.samefile(path):
            raise InputError(f"{out} is a file that is read here; write the answers to another one")


def _answers(
    authors: Iterable[AuthorRow],
    found: LinkTable,
    context: LinkContext,
    gate: Gate,
    on_progress: Callable[[int], None] | None,
) -> Iterator[LinkedRow]:
    book = region_book(context.country)
    for done, row in enumerate(authors, 1):
        platform = row.profile.platform
        facts = read_facts(row.profile, (), context, book)
        candidates = found.candidates(facts, partial(gate.verdict, platform))
        claims = judge(facts, candidates, hash_value=context.hash_value, scale=found.scale)
        yield _row(row.author_id, claims, found, gate.refusal(platform))
        if on_progress is not None:
            on_progress(done)


def _row(author_id: str, claims: Sequence[Claim], found: LinkTable, note: str) -> LinkedRow:
    if not claims:
        return LinkedRow(author_id, "", NONE, 0.0, 0.0, (), note=note)
    best, *rest = claims

    def id_of(claim: Claim) -> str:
        return found.rows[claim.contact_id].record.external_id

    return LinkedRow(
        author_id,
        id_of(best),
        best.state,
        round(best.weight_bits, 2),
        round(best.probability, 6),
        tuple(
            {
                "kind": item.kind.value,
                "level": item.level,
                "source": item.source,
                "bits": round(item.weight_bits, 2),
            }
            for item in best.evidence
        ),
        tuple((id_of(claim), round(claim.probability, 6)) for claim in rest),
        best.note or note,
    )


def _plain(row: LinkedRow) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "author_id": row.author_id,
        "contact_id": row.contact_id or None,
        "state": row.state,
        "weight_bits": row.weight_bits,
        "probability": row.probability,
        "evidence": list(row.evidence),
    }
    if row.others:
        plain["others"] = [{"contact_id": one, "probability": p} for one, p in row.others]
    if row.note:
        plain["note"] = row.note
    return plain


def _cells(row: LinkedRow) -> tuple[str, ...]:
    evidence = "; ".join(
        " ".join(filter(None, (item["kind"], item["level"], f"{item['bits']:+.1f}")))
        for item in row.evidence
    )
    if row.note:
        evidence = f"{evidence} ({row.note})" if evidence else row.note
    bits, chance = f"{row.weight_bits:.2f}", f"{row.probability:.6f}"
    return (row.author_id, row.contact_id, row.state, bits, chance, evidence)


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
