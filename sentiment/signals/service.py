"""The step that fills in signals: found by `due_at`, done in batches, as often as one likes.

Scoring writes a mention's row with what the model's heads say and marks it as due, in its own
transaction (`mark_due`). This step adds what the rules find, from the text, the author's
profile and the stored mentions. A mention that is judged again meanwhile stays due.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import upsert
from config.clock import utc_now
from config.db import read_session
from listener.models import Author, Mention
from sentiment.due_hours import HOUR_S, mark_hours
from sentiment.heads import HeadScores
from sentiment.rollups import bucket_of
from sentiment.signals.facts import SignalFacts
from sentiment.signals.models import MentionSignal
from sentiment.signals.rules import RULES_VERSION, Signals, clear_emotion, find_signals

#: What scoring writes, and what this step does.
_JUDGED = (
    "brand_id",
    "published_at",
    "due_at",
    "scorer",
    "p_emotion",
    "irony",
    "offensive",
    "emotion",
)
_RULED = (
    "due_at",
    "rules",
    "intents",
    "complaint_reason",
    "spam",
    "bot",
    "spam_reasons",
    "bot_reasons",
)

_EMPTY: Mapping[str, object] = {
    "rules": None,
    "intents": "",
    "complaint_reason": None,
    "spam": None,
    "bot": None,
    "spam_reasons": [],
    "bot_reasons": [],
}


@dataclass(frozen=True, slots=True)
class JudgedMention:
    """A mention that has just been judged, with what the model's heads say of it."""

    mention_id: int
    brand_id: int
    published_at: datetime
    label: str
    scorer: str
    heads: HeadScores


def mark_due(session: Session, judged: Sequence[JudgedMention], now: datetime) -> None:
    """Keep what the heads say, and let the mentions wait for the rest."""
    rows = [
        {
            "mention_id": one.mention_id,
            "brand_id": one.brand_id,
            "published_at": one.published_at,
            "due_at": now,
            "scorer": one.scorer if one.heads.p_emotion or one.heads.irony is not None else None,
            "p_emotion": dict(one.heads.p_emotion),
            "irony": one.heads.irony,
            "offensive": one.heads.offensive,
            "emotion": clear_emotion(one.heads, one.label),
            **_EMPTY,
        }
        for one in judged
    ]
    upsert(session, MentionSignal, rows, key=("mention_id",), update_columns=_JUDGED)


def mark_again(session: Session, mention_ids: Collection[int], now: datetime) -> None:
    """Let the rules be asked about mentions again: a person has said what their labels are."""
    session.execute(
        update(MentionSignal)
        .where(any_of(session, MentionSignal.mention_id, mention_ids))
        .values(due_at=now)
    )


def due_ids(session: Session, limit: int) -> list[int]:
    """Return the newest mentions that wait for their signals, from their own index."""
    query = select(MentionSignal.mention_id).where(MentionSignal.due_at.is_not(None))
    return list(session.scalars(query.order_by(MentionSignal.mention_id.desc()).limit(limit)))


def mark_outdated(session: Session, now: datetime, limit: int) -> int:
    """Let mentions wait again that older rules were asked about; return how many."""
    ids = session.scalars(
        select(MentionSignal.mention_id)
        .where(or_(MentionSignal.rules < RULES_VERSION, MentionSignal.rules > RULES_VERSION))
        .where(MentionSignal.due_at.is_(None))
        .limit(limit)
    ).all()
    session.execute(
        update(MentionSignal)
        .where(any_of(session, MentionSignal.mention_id, ids))
        .values(due_at=now)
    )
    return len(ids)


def signal_mentions(sessions: sessionmaker[Session], mention_ids: Sequence[int]) -> int:
    """Fill in the signals of those of the mentions that wait for them; return how many.

    The rules run between two short transactions. What was judged again meanwhile waits on.
    """
    with read_session(sessions) as session:
        rows = session.execute(_waiting(session, mention_ids)).all()
        facts = SignalFacts(session, rows)
    found = {row.mention_id: (row.due_at, _columns(row, facts)) for row in rows}
    if not found:
        return 0
    with sessions.begin() as session:
        current = session.execute(
            select(MentionSignal.mention_id, MentionSignal.brand_id, MentionSignal.published_at)
            .add_columns(MentionSignal.due_at)
            .where(any_of(session, MentionSignal.mention_id, list(found)))
            .order_by(MentionSignal.mention_id)
            .with_for_update()
        ).all()
        changes = [
            {
                "mention_id": row.mention_id,
                "brand_id": row.brand_id,
                "published_at": row.published_at,
                "p_emotion": {},
                **found[row.mention_id][1],
            }
            for row in current
            if row.due_at is not None and row.due_at == found[row.mention_id][0]
        ]
        upsert(session, MentionSignal, changes, key=("mention_id",), update_columns=_RULED)
        hours = {(row.brand_id, bucket_of(row.published_at, HOUR_S)) for row in current}
        mark_hours(session, hours, utc_now())
    return len(changes)


def signals_of(session: Session, mention_ids: Sequence[int]) -> dict[int, MentionSignal]:
    """Return the signals of mentions, by mention; one that was never judged has none."""
    found = session.scalars(
        select(MentionSignal).where(any_of(session, MentionSignal.mention_id, mention_ids))
    )
    return {one.mention_id: one for one in found}


def signal_values(session: Session, mention_ids: Sequence[int]) -> dict[int, dict[str, object]]:
    """Return the signals of mentions as plain values, as exports and lists give them.

    Every mention is there, with None for what is not known of it.
    """
    found = signals_of(session, mention_ids)
    return {mention_id: _values(found.get(mention_id)) for mention_id in mention_ids}


def _values(one: MentionSignal | None) -> dict[str, object]:
    known = one is not None and one.rules is not None
    return {
        "emotion": one.emotion if one else None,
        "irony": one.irony if one else None,
        "offensive": one.offensive if one else None,
        "intents": one.intents.split() if one is not None and known else None,
        "complaint_reason": one.complaint_reason if one else None,
        "spam": one.spam if one else None,
        "bot": one.bot if one else None,
    }


def _waiting(session: Session, mention_ids: Sequence[int]) -> Any:  # noqa: ANN401 - many columns
    return (
        select(
            MentionSignal.mention_id,
            MentionSignal.due_at,
            Mention.text,
            Mention.lang,
            Mention.label,
            Mention.kind,
            Mention.deleted_at,
            Mention.published_at,
            Mention.author_id,
            Mention.folded_into_id,
            Mention.fold_count,
            Author.handle,
            Author.name,
            Author.bio,
            Author.location,
            Author.links,
            Author.followers,
            Author.is_verified,
            Author.created_at,
        )
        .join(Mention, Mention.id == MentionSignal.mention_id)
        .outerjoin(Author, Author.id == Mention.author_id)
        .where(
            any_of(session, MentionSignal.mention_id, mention_ids),
            MentionSignal.due_at.is_not(None),
        )
    )


def _columns(row: ResultRow[Any], facts: SignalFacts) -> dict[str, object]:
    if row.deleted_at is not None:
        return {**_EMPTY, "due_at": None, "rules": RULES_VERSION}
    found: Signals = find_signals(
        row.text,
        row.lang,
        row.label,
        repeats=facts.repeats(row),
        account=facts.account(row),
        posted_at=row.published_at,
    )
    return {
        "due_at": None,
        "rules": RULES_VERSION,
        "intents": f" {' '.join(found.intents)} " if found.intents else "",
        "complaint_reason": None if found.reason is None else found.reason.value,
        "spam": found.spam.value,
        "bot": None if found.bot is None else found.bot.value,
        "spam_reasons": list(found.spam.reasons),
        "bot_reasons": [] if found.bot is None else list(found.bot.reasons),
    }
