"""What each platform's terms allow of linking: a table, and pure questions to it.

The gate comes before candidates are judged, not after. Sources: X Developer Policy,
"Off-X matching"; Reddit Responsible Builder Policy ("must never attempt to re-identify
... including by matching data with off-platform identifiers"); Discord Developer Policy.
The table is `config/defaults/link_policy.yaml`, or the company's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.errors import InputError
from config.phrases import phrase


class PolicyRule(StrEnum):
    """What a platform allows."""

    DENY = "deny"  # no author is ever linked, by a person neither
    RESTRICTED = "restricted"  # only to contacts whose relationship allows it
    ALLOWED = "allowed"


class PlatformPolicy(BaseModel):
    """The rule of one platform.

    Args:
        rule: What its terms allow.
        agreement: The written agreement that turns `deny` into `restricted`.
        sentiment_needs_consent: A person's sentiment is written to the CRM with consent
            only: an affect profile is what X's restricted use cases call individual profiling.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: PolicyRule
    agreement: str | None = None
    sentiment_needs_consent: bool = False


class PolicyTable(BaseModel):
    """All rules; see the file for what each says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    platforms: Mapping[str, PlatformPolicy]
    default: PolicyRule
    restricted_sources: frozenset[str]
    public_evidence_sources: frozenset[str]


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

#: What a record that does not say where it comes from counts as: the company's customer.
NOT_SAID = "prior_relationship"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an author may be linked to a contact, and by which rule.

    Args:
        is_allowed: A link may be made at all.
        rule: Which rule says so.
        is_public: What is public about both sides may confirm it.

    """

    is_allowed: bool
    rule: str
    is_public: bool = False


def rule_of(platform: str, table: PolicyTable | None = None) -> PolicyRule:
    """Return the rule of `platform`; an agreement turns `deny` into `restricted`."""
    table = table or shipped_table()
    own = table.platforms.get(platform)
    if own is None:
        return table.default
    if own.rule is PolicyRule.DENY and own.agreement:
        return PolicyRule.RESTRICTED
    return own.rule


def may_link(
    platform: str,
    relationship_source: str | None,
    *,
    consents: Collection[str] = (),
    table: PolicyTable | None = None,
) -> Verdict:
    """Say whether an author of `platform` may be linked to a contact.

    Args:
        platform: The author's.
        relationship_source: Where the contact's record comes from; None if it does not say.
        consents: What the contact agreed to and did not take back: platforms, or `any`. A
            platform's own name says that the person connected that account.
        table: The rules; None takes the shipped ones.

    """
    table = table or shipped_table()
    rule = rule_of(platform, table)
    has_consent = platform in consents
    source = "consent" if has_consent or "any" in consents else relationship_source
    basis = source or f"{NOT_SAID} (not said)"
    source = source or NOT_SAID
    is_public = source in table.public_evidence_sources
    if rule is PolicyRule.DENY:
        if has_consent:
            rule_said = phrase("%(name)s: deny, account connected by the person", name=platform)
            return Verdict(True, rule_said, is_public)  # noqa: FBT003 - is allowed
        return Verdict(is_allowed=False, rule=phrase("%(name)s: deny", name=platform))
    if rule is PolicyRule.RESTRICTED:
        is_allowed = source in table.restricted_sources
        rule_said = phrase("%(name)s: restricted, %(basis)s", name=platform, basis=basis)
        return Verdict(is_allowed, rule_said, is_allowed and is_public)
    return Verdict(True, phrase("%(name)s: allowed", name=platform), is_public)  # noqa: FBT003 - is allowed


def may_write_sentiment(
    platform: str,
    relationship_source: str | None,
    *,
    consents: Collection[str] = (),
    table: PolicyTable | None = None,
) -> bool:
    """Say whether sentiment found on `platform` may stand in the contact's CRM record."""
    own = (table or shipped_table()).platforms.get(platform)
    if own is None or not own.sentiment_needs_consent:
        return True
    return relationship_source == "consent" or platform in consents or "any" in consents


def normalise_source(text: str) -> str | None:
    """Return a relationship source as the rules here know it; an unknown word stays."""
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    return _SOURCE_WORDS.get(word, word) or None


def read_table(path: Path) -> PolicyTable:
    """Return the rules of a file.

    Raises:
        InputError: It cannot be read, or is no table of rules; the message says where.

    """
    try:
        return _parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


@cache
def shipped_table() -> PolicyTable:
    """Return the rules that come with the package."""
    source = files("config").joinpath("defaults", "link_policy.yaml")
    return _parse(source.read_text("utf-8"), "link_policy.yaml")


def _parse(text: str, name: str) -> PolicyTable:
    try:
        return PolicyTable.model_validate(YAML(typ="safe").load(text))
    except YAMLError as error:
        raise InputError(f"{name}: is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{name}: {where}: {first['msg']}") from error
