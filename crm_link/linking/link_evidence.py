"""A link's evidence as it is stored, and what of it counts when it is looked at again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from crm_link.linking.facts import Claim
from crm_link.types import EvidenceKind

_WEAK = frozenset({EvidenceKind.NAME.value, EvidenceKind.LOCATION.value})


def plain_evidence(claim: Claim) -> list[dict[str, Any]]:
    """Return a claim's evidence as it is stored."""
    return [
        asdict(item) | {"kind": item.kind.value, "weight_bits": round(item.weight_bits, 2)}
        for item in claim.evidence
    ]


def observed_evidence(claim: Claim, now: datetime) -> list[dict[str, Any]]:
    """Return a claim's evidence as it is stored, with when it was seen."""
    return [item | {"observed_at": now.isoformat()} for item in plain_evidence(claim)]


def reasons_of(evidence: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what the evidence says; how much it weighs moves with every contact that comes."""
    return [
        (item["kind"], item["source"], item["value_hash"], item.get("level", ""))
        for item in evidence
    ]


def values_of(evidence: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return what the evidence rests on; name and place are no new reason by themselves."""
    return {
        (item["kind"], item["value_hash"])
        for item in evidence
        if item["kind"] not in _WEAK and item["weight_bits"] > 0
    }
