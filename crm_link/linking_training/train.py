"""Training the weights of linking from two files and what people decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from config.errors import InputError, PermanentError
from config.outputs import whole_file
from crm_link.contacts.file_rows import AuthorRow, read_authors, read_contacts, read_decisions
from crm_link.context import LinkContext
from crm_link.linking.link_table import LinkTable
from crm_link.linking.places import home_country, region_book
from crm_link.linking.weights import Weights, shipped_weights
from crm_link.linking_training.estimate import estimate
from crm_link.linking_training.pairs import Sample, sample_pairs
from crm_link.types import ContactRecord

#: Authors that training needs at least: fewer say more about chance than about people.
MIN_AUTHORS = 50


class Method(StrEnum):
    """How the unknown pairs are taken."""

    SPLINK = "splink"  # their probability is learned by expectation maximisation
    COUNTS = "counts"  # they are left out: only what people decided counts


def train_files(
    contacts: Path,
    authors: Path,
    decisions: Path | None,
    out: Path,
    *,
    context: LinkContext,
    method: Method = Method.SPLINK,
    platform: str = "",
) -> Weights:
    """Train on two files, write the weights, and return them.

    Raises:
        InputError: A file cannot be read, or has too little to learn from.
        PermanentError: Splink is not installed.

    """
    rejected: list[str] = []
    records = list(read_contacts(contacts, rejected))
    trained = train(
        records,
        read_authors(authors, rejected, platform=platform),
        read_decisions(decisions) if decisions else {},
        context=context,
        method=method,
    )
    with whole_file(out) as file:
        file.write(trained.model_dump_json(indent=1).encode() + b"\n")
    return trained


def train(
    records: list[ContactRecord],
    authors: Iterable[AuthorRow],
    decisions: Mapping[str, str],
    *,
    context: LinkContext,
    method: Method = Method.SPLINK,
) -> Weights:
    """Return weights learned from authors, contacts and decisions.

    Raises:
        InputError: There is too little to learn from.
        PermanentError: Splink is not installed.

    """
    country = context.country or home_country(r.fields.get("region", "") for r in records)
    start = shipped_weights()
    table = LinkTable(records, book=region_book(country), country=country, weights=start)
    sample = sample_pairs(table, authors, decisions, LinkContext(context.secret_key, country))
    if sample.authors < MIN_AUTHORS or not sample.pairs:
        msg = (
            f"{sample.authors} authors with {len(sample.pairs)} candidates are too few to learn "
            f"from; at least {MIN_AUTHORS} are needed"
        )
        raise InputError(msg)
    sample = _with_chances(sample, method, start)
    trained = (
        f"{method}: {sample.authors} authors, {table.scale.frequencies.contacts} contacts, "
        f"{len(sample.pairs)} pairs, {sample.decided} authors decided by people"
    )
    version = f"profiles-{method}-{sample.authors}"
    return estimate(sample, sample.pairs, version=version, trained=trained)


def _with_chances(sample: Sample, method: Method, start: Weights) -> Sample:
    """Return the sample with a probability for every pair that is used."""
    if method is Method.COUNTS:
        pairs = [pair for pair in sample.pairs if pair.is_right is not None]
        if not any(pair.is_right for pair in pairs):
            raise InputError("counting needs decisions: give --decisions with right contacts")
        return replace(sample, pairs=pairs, authors=sample.decided)
    try:
        from crm_link.linking_training.em import chances  # noqa: PLC0415 - an extra, large
    except ImportError as error:
        msg = f"{error.name} is missing: pip install 'groundswell[link-training]'"
        raise PermanentError(msg) from error
    learned = chances(sample.pairs, start)
    pairs = [
        replace(pair, chance=chance if pair.is_right is None else float(pair.is_right))
        for pair, chance in zip(sample.pairs, learned, strict=True)
    ]
    return replace(sample, pairs=pairs)
