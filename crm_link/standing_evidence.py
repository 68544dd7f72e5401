"""Deciding which contacts an author is. Pure: facts in, claims out.

Evidence that stands alone confirms: the CRM holds the author's handle or account id, the
same e-mail address or phone number, a link that the platform verified. Everything else
suggests at most, and a name alone is nothing at all. What weakens evidence that stands
alone (somebody else shows the same value, a department's address, two contacts at once)
makes it a suggestion too: a wrong link costs more than a look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from crm_link.keys import SHARED_HOSTS, KeyKind, is_role_address
from crm_link.names import is_full_name, name_tokens, names_agree, shares_a_word, squeeze
from crm_link.types import Evidence, EvidenceKind, LinkState

#: Name and version of these rules, kept with every link.
RULE_VERSION = "evidence-1"

#: What each kind of evidence adds, log2 odds: set by hand from how often the value is
#: shared by two people (about 2^-20 for a mailbox), until weights are trained.
WEIGHT_BITS = {
    EvidenceKind.CRM_HANDLE: 20.0,
    EvidenceKind.EMAIL: 20.0,
    EvidenceKind.PHONE: 17.0,
    EvidenceKind.VERIFIED_LINK: 16.0,
    EvidenceKind.PROFILE_LINK: 7.0,
    EvidenceKind.NAME: 6.0,
    EvidenceKind.LOCATION: 4.0,
}

#: Suggestions per author at most: more candidates than that are namesakes.
MAX_SUGGESTIONS = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that an author shows.

    Args:
        kind: What it is.
        value: Its key.
        source: Where it stands, for example `bio` or `mention 17`.
        mention_id: The mention whose text shows it; None for the profile.
        is_verified: The platform verified it (a link).
        is_shared: Another author shows the same value.
        is_third_party: It stands in a text that does not call it the writer's own.

    """

    kind: KeyKind
    value: str
    source: str
    mention_id: int | None = None
    is_verified: bool = False
    is_shared: bool = False
    is_third_party: bool = False


@dataclass(frozen=True, slots=True)
class AuthorFacts:
    """What is known of an author."""

    author_id: int
    platform: str
    handle: str | None
    name: str | None
    location: str | None
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that shares a key with an author, and that policy allows.

    Args:
        contact_id: Our row.
        crm: The CRM that holds it; contacts of two CRMs may be the same person.
        name: As the CRM has it.
        places: Normalised places (city, region) of the contact.
        owner: Who looks after it; an address of theirs is not the contact's.
        keys: The keys that it shares with somebody in this batch.

    """

    contact_id: int
    crm: str
    name: str
    places: frozenset[str] = frozenset()
    owner: str | None = None
    keys: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Claim:
    """An author is that contact, how sure that is, and what it rests on."""

    contact_id: int
    state: LinkState
    evidence: tuple[Evidence, ...]
    weight_bits: float
    note: str = ""


@dataclass(slots=True)
class _Finding:
    candidate: Candidate
    evidence: list[Evidence] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    is_standing: bool = False  # something stands alone

    def claim(self, state: LinkState) -> Claim:
        bits = sum(item.weight_bits for item in self.evidence)
        return Claim(
            self.candidate.contact_id,
            state,
            tuple(self.evidence),
            bits,
            "; ".join(dict.fromkeys(self.doubts)),
        )


def judge(
    author: AuthorFacts,
    candidates: Sequence[Candidate],
    *,
    hash_value: Callable[[str, str], str],
    brand_names: Collection[str] = (),
    taken: Mapping[str, Collection[int]] | None = None,
) -> list[Claim]:
    """Return what is claimed of the author, strongest first.

    Args:
        author: What the author shows.
        candidates: Contacts that share a key with the author.
        hash_value: Gives the keyed hash of (kind, value).
        brand_names: Squeezed names of the brands; an address at a domain of that name is
            the brand's own.
        taken: Contacts that a person confirmed for this author, by CRM: nobody else of
            that CRM is confirmed without a person.

    """
    findings = [
        finding
        for candidate in candidates
        if (finding := _compare(author, candidate, hash_value, brand_names)) is not None
    ]
    by_crm: dict[str, list[_Finding]] = defaultdict(list)
    for finding in findings:
        by_crm[finding.candidate.crm].append(finding)
    claims: list[Claim] = []
    for crm, group in by_crm.items():
        claims.extend(_decide(group, frozenset((taken or {}).get(crm, ()))))
    return sorted(claims, key=lambda claim: (-claim.weight_bits, claim.contact_id))


def _decide(group: list[_Finding], taken: frozenset[int]) -> list[Claim]:
    """Return the claims on contacts of one CRM, where an author can be one contact only."""
    standing = [finding for finding in group if finding.is_standing]
    others = [f for f in standing if f.candidate.contact_id not in taken]
    if len(standing) == 1 and not (taken and others):
        return [standing[0].claim(LinkState.CONFIRMED)]
    if standing:
        for finding in standing:
            finding.doubts.append("evidence for more than one contact")
        return [finding.claim(LinkState.SUGGESTED) for finding in standing]
    claims = [finding.claim(LinkState.SUGGESTED) for finding in group]
    claims.sort(key=lambda claim: (-claim.weight_bits, claim.contact_id))
    return claims[:MAX_SUGGESTIONS]


def _compare(
    author: AuthorFacts,
    candidate: Candidate,
    hash_value: Callable[[str, str], str],
    brand_names: Collection[str],
) -> _Finding | None:
    """Return what speaks for the author being the candidate; None if it is too little."""
    finding = _Finding(candidate)
    name = author.name or ""
    has_strong = False
    has_link = False
    for fact in author.facts:
        if fact.kind is KeyKind.NAME or (fact.kind.value, fact.value) not in candidate.keys:
            continue
        kind = _EVIDENCE[fact.kind]
        if kind is EvidenceKind.PROFILE_LINK and fact.is_verified:
            kind = EvidenceKind.VERIFIED_LINK
        finding.evidence.append(
            Evidence(kind, fact.source, hash_value(fact.kind, fact.value), WEIGHT_BITS[kind])
        )
        if kind is EvidenceKind.PROFILE_LINK:
            has_link = True
            continue
        has_strong = True
        doubt = _doubt(author, candidate, fact, brand_names)
        if doubt:
            finding.doubts.append(doubt)
        else:
            finding.is_standing = True
    agrees = names_agree(name, candidate.name)
    if agrees:
        finding.evidence.append(_evidence(EvidenceKind.NAME, name, hash_value))
    if author.location and candidate.places & places_of(author.location):
        finding.evidence.append(_evidence(EvidenceKind.LOCATION, author.location, hash_value))
        is_near = True
    else:
        is_near = False
    if has_strong or (has_link and shares_a_word(name, candidate.name)) or (agrees and is_near):
        return finding
    return None


_EVIDENCE = {
    KeyKind.HANDLE: EvidenceKind.CRM_HANDLE,
    KeyKind.EMAIL: EvidenceKind.EMAIL,
    KeyKind.PHONE: EvidenceKind.PHONE,
    KeyKind.LINK: EvidenceKind.PROFILE_LINK,
}


def _evidence(kind: EvidenceKind, value: str, hash_value: Callable[[str, str], str]) -> Evidence:
    normal = " ".join(name_tokens(value))
    return Evidence(kind, "profile", hash_value(kind, normal), WEIGHT_BITS[kind])


def _doubt(
    author: AuthorFacts, candidate: Candidate, fact: Fact, brand_names: Collection[str]
) -> str | None:
    """Return why a value that agrees does not stand alone; None if it does."""
    if fact.is_shared:
        return f"another author shows the same {fact.kind}"
    if fact.kind is KeyKind.LINK:
        return _link_doubt(author, candidate, fact)
    if fact.kind is KeyKind.EMAIL and (doubt := _email_doubt(candidate, fact, brand_names)):
        return doubt
    if fact.is_third_party and _is_somebody_else(author, candidate):
        return f"a text by somebody of another name shows the {fact.kind}"
    return None


def _email_doubt(candidate: Candidate, fact: Fact, brand_names: Collection[str]) -> str | None:
    if is_role_address(fact.value):
        return "a department's address"
    if _is_at_brand(fact.value, brand_names):
        return "an address of the brand"
    if candidate.owner and candidate.owner.casefold() == fact.value:
        return "the address of the contact's owner"
    return None


def _link_doubt(author: AuthorFacts, candidate: Candidate, fact: Fact) -> str | None:
    """Return why a verified link does not stand alone: a bare host may be an employer's.

    A company's account and its only contact share the company's site; so the name has to
    agree, or to be in the host (janedoe.com).
    """
    host, _, path = fact.value.partition("/")
    if path and host in SHARED_HOSTS:
        return None
    if shares_a_word(author.name or "", candidate.name):
        return None
    label = squeeze(host.partition(".")[0])
    words = [squeeze(word) for word in name_tokens(candidate.name)]
    if words and all(word in label for word in (words[0], words[-1])):
        return None
    return "the site may be an employer's: the names differ"


def _is_at_brand(email: str, brand_names: Collection[str]) -> bool:
    labels = email.partition("@")[2].split(".")[:-1]
    return any(squeeze(label) in brand_names for label in labels)


def _is_somebody_else(author: AuthorFacts, candidate: Candidate) -> bool:
    """Say whether the author goes by a full name that has nothing of the contact's."""
    name = author.name or ""
    return bool(candidate.name) and is_full_name(name) and not shares_a_word(name, candidate.name)


def places_of(location: str) -> frozenset[str]:
    """Return the places that a stated location names: its parts between commas."""
    parts = location.replace("/", ",").replace("|", ",").replace("•", ",").split(",")
    return frozenset(place for part in parts if (place := " ".join(name_tokens(part))))
