"""Deciding which contacts an author is. Pure: facts in, claims out.

Evidence that stands alone confirms: the CRM holds the author's handle or account id, the
same e-mail address or phone number, a link that the platform verified. What weakens it
(somebody else shows the same value, a department's address, two contacts at once) makes
it a suggestion: a wrong link costs more than a look.

Names, places and sites are weighed (`crm_link.linking.weights`). They confirm only where policy
lets public evidence confirm, a name of both parts agrees, something beside the name agrees
too, and the probability is high. A name alone never confirms, at any weight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from config.phrases import phrase
from crm_link.linking.facts import AuthorFacts, Candidate, Claim
from crm_link.linking.findings import Finding, Scale, find_evidence
from crm_link.linking.weights import Weights, probabilities
from crm_link.types import LinkState

#: Suggestions per author at most: more candidates than that are namesakes.
MAX_SUGGESTIONS = 5
#: Probability below which a candidate is not worth a look beside a better one.
MIN_PROBABILITY = 0.05
#: Probability of the best one below which all are namesakes: more than four alike.
MIN_BEST = 0.2


def judge(
    author: AuthorFacts,
    candidates: Sequence[Candidate],
    *,
    hash_value: Callable[[str, str], str],
    brand_names: Collection[str] = (),
    taken: Mapping[str, Collection[int]] | None = None,
    scale: Scale | None = None,
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
        scale: What pairs are weighed by; None takes the shipped weights.

    """
    scale = scale or Scale()
    by_crm: dict[str, list[Finding]] = defaultdict(list)
    for candidate in candidates:
        finding = find_evidence(author, candidate, hash_value, brand_names, scale)
        by_crm[candidate.crm].append(finding)
    claims: list[Claim] = []
    for crm, group in by_crm.items():
        for finding, chance in zip(group, probabilities([f.bits for f in group]), strict=True):
            finding.probability = chance
        claims.extend(_decide(group, frozenset((taken or {}).get(crm, ())), scale.weights))
    return sorted(claims, key=lambda claim: (-claim.weight_bits, claim.contact_id))


def _decide(group: list[Finding], taken: frozenset[int], weights: Weights) -> list[Claim]:
    """Return the claims on contacts of one CRM, where an author can be one contact only."""
    standing = [finding for finding in group if finding.is_standing]
    others = [f for f in standing if f.candidate.contact_id not in taken]
    if len(standing) == 1 and not (taken and others):
        return [standing[0].claim(LinkState.CONFIRMED)]
    if standing:
        for finding in standing:
            finding.doubts.append(phrase("evidence for more than one contact"))
        return [finding.claim(LinkState.SUGGESTED) for finding in standing]
    group.sort(key=lambda finding: (-finding.bits, finding.candidate.contact_id))
    best = group[0]
    is_free = not taken or best.candidate.contact_id in taken
    if best.probability >= weights.confirm and is_free and not best.doubts:
        if best.candidate.is_public and best.is_full():
            return [best.claim(LinkState.CONFIRMED)]
        best.doubts.append(
            phrase("too little beside the name")
            if best.candidate.is_public
            else phrase(
                "public evidence only suggests for a contact that no public directory lists"
            )
        )
    is_likely = sum(finding.probability for finding in group) >= weights.suggest
    if not any(finding.has_strong for finding in group) and not (
        is_likely and best.probability >= MIN_BEST
    ):
        return []
    looks = [
        finding
        for finding in group
        if finding.has_strong
        or (finding.probability >= MIN_PROBABILITY and finding.is_worth_a_look())
    ]
    return [finding.claim(LinkState.SUGGESTED) for finding in looks[:MAX_SUGGESTIONS]]
