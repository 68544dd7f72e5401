"""What speaks for and against an author being a contact: values that agree, weighed profiles.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from config.phrases import joined
from crm_link.linking.doubts import doubt_of
from crm_link.linking.facts import AuthorFacts, Candidate, Claim
from crm_link.linking.keys import KeyKind
from crm_link.linking.levels import Levels, NameLevel, PlaceLevel, WebLevel, compare
from crm_link.linking.names import name_tokens
from crm_link.linking.weights import Bits, Frequencies, Weights, prior_bits, shipped_weights, weigh
from crm_link.types import Evidence, EvidenceKind, LinkState

#: What evidence that stands alone adds, log2 odds: how seldom two people share the value
#: (a mailbox about 2^-27), set by hand, because labelled pairs with it are too few to count.
STANDING_BITS = {
    EvidenceKind.CRM_HANDLE: 27.0,
    EvidenceKind.EMAIL: 27.0,
    EvidenceKind.PHONE: 24.0,
    EvidenceKind.VERIFIED_LINK: 23.0,
}

_EVIDENCE = {
    KeyKind.HANDLE: EvidenceKind.CRM_HANDLE,
    KeyKind.EMAIL: EvidenceKind.EMAIL,
    KeyKind.PHONE: EvidenceKind.PHONE,
}

#: Probability from which a family name alone and the place confirm: the name is rare then.
FAMILY_CONFIRM = 0.95

#: Names that agree in both parts: what a confirmation by public evidence needs.
_BOTH_PARTS = frozenset(
    {
        NameLevel.FULL,
        NameLevel.NICK,
        NameLevel.FUZZY,
        NameLevel.INITIAL,
        NameLevel.HANDLE_FULL,
        NameLevel.HANDLE_NICK,
    }
)
_NEAR = frozenset({PlaceLevel.AGREES, PlaceLevel.AMONG})
_OWN_SITE = frozenset({WebLevel.PAGE, WebLevel.HOST})
_LINKED = frozenset({*_OWN_SITE, WebLevel.SHARED_HOST})


@dataclass(frozen=True, slots=True)
class Scale:
    """What pairs are weighed by.

    Args:
        weights: The trained model.
        frequencies: Of the contacts' names and regions.
        shared_hosts: Hosts that many contacts have.

    """

    weights: Weights = field(default_factory=shipped_weights)
    frequencies: Frequencies = field(default_factory=lambda: Frequencies(1))
    shared_hosts: Collection[str] = ()


@dataclass(slots=True)
class Finding:
    """What was found about one candidate; what is decided of it is `crm_link.matching`'s."""

    candidate: Candidate
    levels: Levels | None
    bits: float
    evidence: list[Evidence] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    is_standing: bool = False  # something stands alone
    has_strong: bool = False  # a value of the CRM agrees
    probability: float = 0.0

    def claim(self, state: LinkState) -> Claim:
        """Return the claim that this is the author's contact."""
        return Claim(
            self.candidate.contact_id,
            state,
            tuple(self.evidence),
            self.bits,
            self.probability,
            joined("; ", list(dict.fromkeys(self.doubts))),
        )

    def is_near_or_linked(self) -> bool:
        """Say whether something beside the name agrees."""
        levels = self.levels
        return levels is not None and (levels.place in _NEAR or levels.web in _LINKED)

    def is_full(self) -> bool:
        """Say whether name and something else agree enough for a confirmation."""
        levels = self.levels
        if levels is None:
            return False
        if levels.name in _BOTH_PARTS:
            return levels.place in _NEAR or levels.web in _OWN_SITE
        if levels.name is not NameLevel.FAMILY:
            return False
        is_likely = levels.place in _NEAR and self.probability >= FAMILY_CONFIRM
        return is_likely or levels.web in _OWN_SITE

    def is_worth_a_look(self) -> bool:
        """Say whether a person may be asked: for a customer, a name alone is nothing."""
        if self.has_strong:
            return True
        if self.levels is None or self.levels.name is NameLevel.NONE:
            return False
        return self.candidate.is_public or self.is_near_or_linked()


def find_evidence(
    author: AuthorFacts,
    candidate: Candidate,
    hash_value: Callable[[str, str], str],
    brand_names: Collection[str],
    scale: Scale,
) -> Finding:
    """Return what speaks for and against the author being the candidate."""
    levels = None
    if author.shown is not None:
        levels = compare(author.shown, candidate.known, scale.shared_hosts)
    contacts = scale.frequencies.contacts
    finding = Finding(candidate, levels, prior_bits(scale.weights, contacts))
    verified = _add_standing(finding, author, hash_value, brand_names)
    if levels is not None:
        weighed = weigh(levels, candidate.known.region, scale.weights, scale.frequencies)
        _add_profile(finding, author, levels, weighed, hash_value, has_verified=verified)
    finding.bits += sum(item.weight_bits for item in finding.evidence)
    return finding


def _add_standing(
    finding: Finding,
    author: AuthorFacts,
    hash_value: Callable[[str, str], str],
    brand_names: Collection[str],
) -> bool:
    """Add the values of the CRM that the author shows; say whether a verified link is one."""
    verified = False
    for fact in author.facts:
        if (fact.kind.value, fact.value) not in finding.candidate.keys:
            continue
        kind = _EVIDENCE.get(fact.kind)
        if fact.kind is KeyKind.LINK and fact.is_verified:
            kind = EvidenceKind.VERIFIED_LINK
            verified = True
        if kind is None:
            continue
        finding.evidence.append(
            Evidence(kind, fact.source, hash_value(fact.kind, fact.value), STANDING_BITS[kind])
        )
        finding.has_strong = True
        if doubt := doubt_of(author, finding.candidate, fact, brand_names):
            finding.doubts.append(doubt)
        else:
            finding.is_standing = True
    return verified


def _add_profile(
    finding: Finding,
    author: AuthorFacts,
    levels: Levels,
    weighed: Bits,
    hash_value: Callable[[str, str], str],
    *,
    has_verified: bool,
) -> None:
    """Add what name, place and sites say; a verified link has said what the site says."""
    shown = author.shown
    assert shown is not None
    name = author.name or author.handle or ""
    finding.evidence.append(
        Evidence(
            EvidenceKind.NAME,
            "profile",
            hash_value(EvidenceKind.NAME, " ".join(name_tokens(name))),
            weighed.name,
            levels.name,
        )
    )
    if levels.place is not PlaceLevel.MISSING:
        place = finding.candidate.known.region if levels.place in _NEAR else shown.named.text
        finding.evidence.append(
            Evidence(
                EvidenceKind.LOCATION,
                "profile",
                hash_value(EvidenceKind.LOCATION, place),
                weighed.place,
                levels.place,
            )
        )
    if levels.web is not WebLevel.MISSING and not has_verified:
        links = " ".join(sorted(shown.links & finding.candidate.known.links or shown.hosts))
        finding.evidence.append(
            Evidence(
                EvidenceKind.PROFILE_LINK,
                "profile link",
                hash_value(EvidenceKind.PROFILE_LINK, links),
                weighed.web,
                levels.web,
            )
        )
