"""Step 4 of a mention's way: what it asks for, who has to look, and what repeats what.

Each batch is one read, the rules without any transaction, and one short write, with the same
number of queries however many mentions. A mention that runs through twice, or again after it
was edited, ends as if it had run once with its newest text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased, sessionmaker

from config.bulk import update_rows
from config.clock import Clock
from config.db import read_session
from config.phrases import phrase
from crm_link.enrich import queue_people
from crm_link.escalation.playbook.playbook_models import MentionClass
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.fingerprints import Fingerprint, fingerprint
from crm_link.flags.flagging import Wish, store_flags
from crm_link.flags.models import MentionPriority
from crm_link.folding import Folded, FoldItem, fold
from crm_link.judging import open_topics, step_after_triage
from crm_link.negative_class import NegativeClass
from crm_link.replying.own import own_mentions
from crm_link.triage_rules import TriageInput, Verdict, rules_of
from crm_link.types import Priority
from listener.models import JUDGING, Author, Brand, Mention, Step

#: What a brand without a protocol gets: nobody has to look, and nothing waits for ever.
_NO_RULES = Verdict(
    priority=Priority.OTHER, topic=GENERAL, route="review", flag_reason=None, urgency=0
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A mention with what the rules say, as it was when it was read."""

    row: ResultRow[Any]
    verdict: Verdict
    fingerprint: Fingerprint
    protocol: EscalationProtocol | None


def triage_mentions(
    sessions: sessionmaker[Session],
    mention_ids: Sequence[int],
    protocols: Mapping[int, EscalationProtocol],
    *,
    clock: Clock,
) -> int:
    """Triage those of the mentions that wait for it; return how many were done.

    Args:
        sessions: Factory of sessions.
        mention_ids: The batch.
        protocols: The crisis protocol of each brand, by the brand's id. A brand that is not
            there gets priority "other" and no flags.
        clock: The present.

    """
    with read_session(sessions) as session:
        rows = session.execute(
            _waiting(mention_ids)
            .add_columns(Mention.text, Mention.confidence, Mention.lang, Author.followers)
            .add_columns(MentionClass.kind.label("person_class"))
            .add_columns(MentionPriority.priority.label("person_priority"), Author.handle)
            .outerjoin(Author, Author.id == Mention.author_id)
            .outerjoin(MentionClass, MentionClass.mention_id == Mention.id)
            .outerjoin(MentionPriority, MentionPriority.mention_id == Mention.id)
        ).all()
        own = own_mentions(session, rows)
    judged = {row.id: _judge(row, protocols.get(row.brand_id)) for row in rows}
    if not judged:
        return 0
    with sessions.begin() as session:
        _lock_brands(session, {one.row.brand_id for one in judged.values()})
        current = session.execute(
            _waiting(list(judged)).with_for_update(of=Mention).order_by(Mention.id)
        ).all()
        # What changed since it was read waits for the next batch.
        batch = {
            row.id: judged[row.id] for row in current if _state(row) == _state(judged[row.id].row)
        }
        if batch:
            _store(session, batch, {row.id: row for row in current}, own, clock())
    return len(batch)


def _waiting(mention_ids: Sequence[int]) -> Any:  # noqa: ANN401 - a select of many columns
    return select(
        Mention.id,
        Mention.brand_id,
        Mention.platform,
        Mention.external_id,
        Mention.author_id,
        Mention.repost_of_id,
        Mention.published_at,
        Mention.versions,
        Mention.edited_at,
        Mention.deleted_at,
        Mention.scored_at,
        Mention.scorer,
        Mention.label,
        Mention.folded_into_id,
        Mention.fold_count,
    ).where(Mention.id.in_(mention_ids), Mention.pending == Step.TRIAGE)


def _state(row: ResultRow[Any]) -> tuple[Any, ...]:
    """Return what of a mention changes when its text or its judgement does."""
    return (row.versions, row.edited_at, row.deleted_at, row.scored_at, row.label)


def _lock_brands(session: Session, brand_ids: set[int]) -> None:
    """Let one worker at a time fold a brand's mentions; new mentions need not wait."""
    session.execute(
        select(Brand.id)
        .where(Brand.id.in_(brand_ids))
        .order_by(Brand.id)
        .with_for_update(key_share=True)
    )


def _judge(row: ResultRow[Any], protocol: EscalationProtocol | None) -> _Judged:
    verdict = _NO_RULES
    if protocol is not None:
        verdict = rules_of(protocol).judge(
            TriageInput(
                text=row.text,
                label=row.label,
                confidence=row.confidence,
                lang=row.lang,
                reach=row.followers,
                person_class=None if row.person_class is None else NegativeClass(row.person_class),
                person_priority=row.person_priority,
            )
        )
    return _Judged(row, verdict, fingerprint(row.text), protocol)


def _store(
    session: Session,
    batch: Mapping[int, _Judged],
    current: Mapping[int, ResultRow[Any]],
    own: Collection[int],
    now: datetime,
) -> None:
    folded = fold(
        session,
        [
            FoldItem(
                id=one.row.id,
                brand_id=one.row.brand_id,
                platform=one.row.platform,
                external_id=one.row.external_id,
                repost_of_id=one.row.repost_of_id,
                published_at=one.row.published_at,
                fold_count=current[one.row.id].fold_count,
                fingerprint=one.fingerprint,
            )
            for one in batch.values()
        ],
    )
    topics = open_topics(session, {one.row.brand_id for one in batch.values()})
    update_rows(
        session,
        Mention,
        [
            {
                "id": mention_id,
                "priority": one.verdict.priority.value,
                "topic": one.verdict.topic,
                "route": one.verdict.route,
                "folded_into_id": folded.roots[mention_id],
                "pending": step_after_triage(one.row, one.verdict, topics),
            }
            for mention_id, one in sorted(batch.items())
        ],
    )
    _regroup(session, folded)
    _count_again(session, folded, current)
    store_flags(session, _to_flag(batch, folded, own), now)
    queue_people(session, {row.author_id for row in current.values()}, now=now)


def _regroup(session: Session, folded: Folded) -> None:
    """Move what folded into a repost to its original, and let changed texts go their own way."""
    for repost_id, original_id in folded.taken_over.items():
        session.execute(
            update(Mention)
            .where((Mention.folded_into_id == repost_id) | (Mention.id == repost_id))
            .where(Mention.id != original_id)
            .values(folded_into_id=original_id)
        )
    if folded.unfolded:
        session.execute(
            update(Mention)
            .where(
                Mention.folded_into_id.in_(folded.unfolded),
                Mention.repost_of_id.is_(None),
                Mention.pending.is_(None) | Mention.pending.in_(JUDGING),
            )
            .values(folded_into_id=None, pending=Step.TRIAGE)
        )


def _count_again(session: Session, folded: Folded, current: Mapping[int, ResultRow[Any]]) -> None:
    """Count what is folded into each mention that this batch touched; exact under the lock."""
    touched = {*folded.unfolded, *folded.taken_over, *folded.taken_over.values()}
    for mention_id, root in folded.roots.items():
        before = current[mention_id].folded_into_id
        if root != before:
            touched |= {one for one in (root, before) if one is not None}
    if not touched:
        return
    # In one order, as scoring locks those of them that wait for it again.
    session.execute(
        select(Mention.id)
        .where(Mention.id.in_(touched))
        .order_by(Mention.id)
        .with_for_update(key_share=True)
    )
    member = aliased(Mention)
    counts = (
        select(func.count())
        .where(member.folded_into_id == Mention.id)
        .correlate(Mention)
        .scalar_subquery()
    )
    session.execute(update(Mention).where(Mention.id.in_(touched)).values(fold_count=counts))


def _to_flag(
    batch: Mapping[int, _Judged], folded: Folded, own: Collection[int]
) -> dict[int, Wish | str]:
    """Return for each mention what flag it is to have, or why it needs none."""
    wishes: dict[int, Wish | str] = {}
    for mention_id in (*batch, *folded.taken_over):
        one = batch.get(mention_id)
        if one is None or folded.roots[mention_id] is not None:
            wishes[mention_id] = phrase("repeats another")
        elif mention_id in own:
            wishes[mention_id] = phrase("the brand's own post")
        elif one.verdict.flag_reason is None or one.protocol is None:
            wishes[mention_id] = phrase("edited or judged again")
        else:
            wishes[mention_id] = Wish(
                brand_id=one.row.brand_id,
                published_at=one.row.published_at,
                priority=one.verdict.priority,
                urgency=one.verdict.urgency,
                platform=one.row.platform,
                label=one.row.label,
                lang=one.row.lang,
                reason=one.verdict.flag_reason,
                opens_case=one.verdict.opens_case,
                protocol=one.protocol,
            )
    return wishes
