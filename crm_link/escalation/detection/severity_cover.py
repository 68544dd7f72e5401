"""Severities that are never reached, because a worse one takes everything before. Pure."""

from __future__ import annotations

from crm_link.escalation.protocol import Condition, EscalationProtocol

#: Keys of a condition that are thresholds: less of them is met sooner.
_THRESHOLDS = (
    "index_gte",
    "negatives_gte",
    "negatives_per_hour_gte",
    "negative_share_gte",
    "mentions_gte",
    "reach_gte",
    "negative_trend_days_gte",
)


def covered_severities(protocol: EscalationProtocol) -> dict[str, str]:
    """Return each severity whose every condition a worse one meets too, with that one."""
    found: dict[str, str] = {}
    for position, severity in enumerate(protocol.severity):
        if severity.all:
            continue  # needs more than each of its conditions: not judged
        for worse in protocol.severity[:position]:
            if worse.all or not worse.any:
                continue
            if all(any(_covers(one, each) for one in worse.any) for each in severity.any):
                found[severity.level] = worse.level
                break
    return found


def _covers(easy: Condition, hard: Condition) -> bool:
    """Say whether `easy` holds wherever `hard` does."""
    same = easy.source == hard.source and easy.window == hard.window
    if not same or not _counts_as_much(easy, hard):
        return False
    for name in _THRESHOLDS:
        wanted, given = getattr(easy, name), getattr(hard, name)
        if wanted is not None and (given is None or given < wanted):
            return False
    return True


def _counts_as_much(easy: Condition, hard: Condition) -> bool:
    if not easy.only_topics:
        # An index of more mentions, or a share of them, need not be higher.
        return not hard.only_topics or (easy.index_gte is None and easy.negative_share_gte is None)
    return bool(hard.only_topics) and hard.only_topics <= easy.only_topics
