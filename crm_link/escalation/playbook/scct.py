"""Which playbook an assessment leads to, and which statements would contradict it. Pure.

Situational Crisis Communication Theory: the more responsible people hold the brand, the more the
answer must make good; a history of similar crises counts one cluster higher; denial is never
mixed with diminishing or rebuilding. Source: W. T. Coombs, Corporate Reputation Review 10
(2007), 163.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.phrases import phrase
from crm_link.escalation.protocol_parts.playbook import CLUSTERS, ClaimWord, Cluster, Strategy

#: Strategies that say something about whose fault it is; the others go with everything.
DENY: frozenset[str] = frozenset({"deny"})
OWN_UP: frozenset[str] = frozenset({"diminish", "rebuild"})

_VERDICT_WORDS = {
    "untrue": phrase("untrue"),
    "true_claim": phrase("true"),
    "partly": phrase("partly true"),
    "unknown": phrase("not verified yet"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What people found: about the crisis as a whole, or about one claim.

    Args:
        claim: What is known about what is said.
        cluster: How responsible people hold the brand, None where that is not assessed.
        crisis_history: Whether there was a similar crisis before.

    """

    claim: ClaimWord = "unknown"
    cluster: Cluster | None = None
    crisis_history: bool = False

    @property
    def effective_cluster(self) -> Cluster | None:
        """The cluster, one higher where there is a history."""
        if self.cluster is None or not self.crisis_history:
            return self.cluster
        return CLUSTERS[min(CLUSTERS.index(self.cluster) + 1, len(CLUSTERS) - 1)]


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that is out, or on its way out: its strategy, and the claim it is about."""

    key: str
    strategy: str
    claim_id: int | None


def playbook_names(found: Found) -> Sequence[str]:
    """Return the names under which the playbook may stand, the most exact first."""
    if found.claim in {"unknown", "untrue"}:
        return (found.claim,)
    cluster = found.effective_cluster or "accidental"
    named = f"true_{cluster}"
    # Where the exact one is missing, the next that owns up to more is the safe one.
    higher = tuple(f"true_{one}" for one in CLUSTERS[CLUSTERS.index(cluster) + 1 :])
    if found.claim == "partly":
        return (f"partly_{cluster}", "partly", named, *higher)
    return (named, *higher)


def choose_playbook(found: Found, playbooks: Iterable[str]) -> str | None:
    """Return the name of the playbook for what was found; None where the file has none."""
    there = set(playbooks)
    return next((name for name in playbook_names(found) if name in there), None)


def contradiction(
    strategy: str,
    claim_id: int | None,
    found: Found,
    verdicts: Mapping[int, ClaimWord],
    said: Iterable[Said],
) -> str | None:
    """Return in words why a statement may not be said; None: it contradicts nothing.

    Args:
        strategy: What the statement does.
        claim_id: The claim that it is about; None: about the crisis as a whole.
        found: The assessment of the crisis.
        verdicts: What was found about each claim, by its id; claims without a verdict are left
            out.
        said: Statements that are out or on their way out.

    """
    if strategy not in DENY | OWN_UP:
        return None
    about = verdicts.get(claim_id, "unknown") if claim_id is not None else found.claim
    return (
        _against_verdict(strategy, about)
        or _against_cluster(strategy, about, found)
        or _against_claims(strategy, claim_id, verdicts)
        or _against_said(strategy, claim_id, said)
    )


def _against_verdict(strategy: str, about: ClaimWord) -> str | None:
    words = _VERDICT_WORDS[about]
    if about == "unknown":
        return phrase(
            "'%(strategy)s' says what nobody has verified: the claim is %(verdict)s. "
            "Say the holding statement, and give the verdict first",
            strategy=strategy,
            verdict=words,
        )
    if strategy in DENY and about != "untrue":
        return phrase(
            "'%(strategy)s' contradicts the verdict: the claim is %(verdict)s",
            strategy=strategy,
            verdict=words,
        )
    if strategy in OWN_UP and about == "untrue":
        return phrase(
            "'%(strategy)s' contradicts the verdict: the claim is %(verdict)s, "
            "and who apologises for it confirms it",
            strategy=strategy,
            verdict=words,
        )
    return None


def _against_cluster(strategy: str, about: ClaimWord, found: Found) -> str | None:
    is_blamed = about != "untrue" and found.effective_cluster == "preventable"
    if strategy == "diminish" and is_blamed:
        if found.cluster != "preventable":
            return phrase(
                "'diminish' contradicts the assessment: the crisis, with its history, counts as "
                "preventable"
            )
        return phrase("'diminish' contradicts the assessment: the crisis counts as preventable")
    return None


def _against_claims(
    strategy: str, claim_id: int | None, verdicts: Mapping[int, ClaimWord]
) -> str | None:
    """Refuse a statement about everything where the claims were found to differ."""
    if claim_id is not None:
        return None
    against = (
        {one for one in verdicts.values() if one in {"true_claim", "partly"}}
        if strategy in DENY
        else {one for one in verdicts.values() if one == "untrue"}
    )
    if not against:
        return None
    words = sorted(_VERDICT_WORDS[one] for one in against)
    return phrase(
        "'%(strategy)s' about the crisis as a whole contradicts its claims: one is %(verdict)s. "
        "Say which claim the statement is about",
        strategy=strategy,
        verdict=words[0]
        if len(words) == 1
        else phrase("%(one)s and %(other)s", one=words[0], other=words[1]),
    )


def _against_said(strategy: str, claim_id: int | None, said: Iterable[Said]) -> str | None:
    other = OWN_UP if strategy in DENY else DENY
    for one in said:
        apart = None not in {claim_id, one.claim_id} and claim_id != one.claim_id
        if one.strategy in other and not apart:
            return phrase(
                "'%(strategy)s' contradicts the statement '%(statement)s' ('%(other)s'): "
                "withdraw that one, or say which claim each is about",
                strategy=strategy,
                statement=one.key,
                other=one.strategy,
            )
    return None


def is_opposed(one: Strategy, other: Strategy) -> bool:
    """Say whether two strategies must never stand for the same thing."""
    return (one in DENY and other in OWN_UP) or (one in OWN_UP and other in DENY)
