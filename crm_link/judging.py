"""Which mentions the model judges first, once they went their way with a provisional label.

What may be wrong and matter: negative or in a language that the lexicon does not read, put
before a person, or about an incident that is open.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from crm_link.escalation.models import Incident
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.triage_rules import Verdict
from listener.models import Mention, Step
from sentiment.fast_lane import is_provisional
from sentiment.types import Label

#: Labels of the lexicon that matter if they are wrong.
_RISKY = {Label.NEGATIVE, Label.UNKNOWN}


def open_topics(session: Session, brand_ids: Collection[int]) -> set[tuple[int, str]]:
    """Return brand and topic of the brands' open incidents."""
    rows = session.execute(
        select(Incident.brand_id, Incident.topic).where(
            Incident.open_key.is_not(None), Incident.brand_id.in_(brand_ids)
        )
    )
    return {(brand_id, topic) for brand_id, topic in rows}


def step_after_triage(
    row: ResultRow[Any], verdict: Verdict, topics: Collection[tuple[int, str]]
) -> Step | None:
    """Return what a triaged mention waits for: nothing, where the model has judged it.

    Args:
        row: The mention's `brand_id`, `scorer`, `label` and `deleted_at`.
        verdict: What triage found.
        topics: What `open_topics` returned; an incident of `general` is one of all topics.

    """
    if row.deleted_at is not None or not is_provisional(row.scorer):
        return None
    is_risky = (
        row.label in _RISKY
        or verdict.flag_reason is not None
        or (row.brand_id, verdict.topic) in topics
        or (row.brand_id, GENERAL) in topics
    )
    return Step.JUDGE_FIRST if is_risky else Step.JUDGE


def judge_incidents_first(session: Session, incident_ids: Collection[int]) -> None:
    """Let what waits for the model, and is about these incidents, come first."""
    rows = session.execute(
        select(Incident.brand_id, Incident.topic).where(Incident.id.in_(incident_ids))
    ).all()
    whole = {brand_id for brand_id, topic in rows if topic == GENERAL}
    topics = [(brand_id, topic) for brand_id, topic in rows if brand_id not in whole]
    for condition, found in (
        (Mention.brand_id.in_(whole), whole),
        (tuple_(Mention.brand_id, Mention.topic).in_(topics), topics),
    ):
        if found:
            session.execute(
                update(Mention)
                .where(Mention.pending == Step.JUDGE, condition)
                .values(pending=Step.JUDGE_FIRST)
            )
