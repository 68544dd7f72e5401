"""What each platform's terms allow of linking: a table, and pure questions to it.

The gate comes before candidates are judged, not after. Sources: X Developer Policy,
"Off-X matching"; Reddit Responsible Builder Policy ("must never attempt to re-identify
... including by matching data with off-platform identifiers"); Discord Developer Policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PolicyRule(StrEnum):
    """What a platform allows."""

    DENY = "deny"  # no author is ever linked, by a person neither
    RESTRICTED = "restricted"  # only to contacts whose relationship allows it
    ALLOWED = "allowed"


#: Platforms with a rule of their own; all others are ALLOWED.
LINK_POLICY = {
    "reddit": PolicyRule.DENY,
    "discord": PolicyRule.DENY,
    "x": PolicyRule.RESTRICTED,
}

#: Where a contact record may come from to be matched on a RESTRICTED platform. A record
#: without the word (None) is the company's own customer, which is a prior relationship;
#: `bought`, `enriched` and every word that is not here are no candidates.
RESTRICTED_SOURCES = frozenset(
    {"consent", "provided_by_person", "prior_relationship", "public_directory"}
)

#: Platforms on which a person's sentiment is written to the CRM with consent only: an
#: affect profile of a person is what X's restricted use cases call individual profiling.
SENTIMENT_NEEDS_CONSENT = frozenset({"x"})

#: Words that exports use for a relationship source, and ours.
_SOURCE_WORDS = {
    "purchased": "bought",
    "purchased_list": "bought",
    "bought_list": "bought",
    "enrichment": "enriched",
    "opt_in": "consent",
    "customer": "prior_relationship",
    "public": "public_directory",
    "directory": "public_directory",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an author may be linked to a contact, and by which rule."""

    is_allowed: bool
    rule: str


def rule_of(platform: str) -> PolicyRule:
    """Return the rule of `platform`."""
    return LINK_POLICY.get(platform, PolicyRule.ALLOWED)


def may_link(platform: str, relationship_source: str | None) -> Verdict:
    """Say whether an author of `platform` may be linked to a contact of that source."""
    rule = rule_of(platform)
    if rule is PolicyRule.DENY:
        return Verdict(is_allowed=False, rule=f"{platform}: deny")
    if rule is PolicyRule.RESTRICTED:
        is_allowed = relationship_source is None or relationship_source in RESTRICTED_SOURCES
        basis = relationship_source or "prior_relationship (not said)"
        return Verdict(is_allowed=is_allowed, rule=f"{platform}: restricted, {basis}")
    return Verdict(is_allowed=True, rule=f"{platform}: allowed")


def may_write_sentiment(platform: str, relationship_source: str | None) -> bool:
    """Say whether sentiment found on `platform` may stand in the contact's CRM record."""
    return platform not in SENTIMENT_NEEDS_CONSENT or relationship_source == "consent"


def normalise_source(text: str) -> str | None:
    """Return a relationship source as the rules here know it; an unknown word stays."""
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    return _SOURCE_WORDS.get(word, word) or None
