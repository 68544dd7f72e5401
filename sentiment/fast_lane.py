"""The fast lane: a lexicon's label right after a page is stored, 0.1 ms a text.

The burst detector reads the roll-ups; in a crisis the model may be an hour behind, and the
detector must not wait for it. A provisional label is counted like any other, leaves the
mention in the queue, and is replaced when the model comes to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import update_rows
from config.clock import Clock, utc_now
from config.db import read_session
from listener.models import Mention, Step
from sentiment.rollups import VolumeChanges
from sentiment.scorer import Scorer
from sentiment.types import ScorableText

#: What a provisional judgement's scorer begins with.
PROVISIONAL = "provisional:"


def is_provisional(scorer: str | None) -> bool:
    """Say whether a judgement only holds until the model comes to it."""
    return scorer is not None and scorer.startswith(PROVISIONAL)


def unlabelled_ids(session: Session, limit: int) -> list[int]:
    """Return the newest mentions that nothing has judged yet, from their own index."""
    query = select(Mention.id).where(Mention.label.is_(None), Mention.pending.is_not(None))
    return list(session.scalars(query.order_by(Mention.id.desc()).limit(limit)))


def label_provisionally(
    sessions: sessionmaker[Session],
    lexicon: Scorer,
    mention_ids: Sequence[int],
    *,
    clock: Clock = utc_now,
) -> int:
    """Give mentions without a label the lexicon's; return how many got one."""
    with read_session(sessions) as session:
        rows = session.execute(_waiting(mention_ids)).all()
    texts = [ScorableText(row.text, (), row.platform_lang) for row in rows]
    judged = {
        (row.id, row.versions): found for row, found in zip(rows, lexicon.score(texts), strict=True)
    }
    if not judged:
        return 0
    changes: list[dict[str, object]] = []
    volume = VolumeChanges()
    with sessions.begin() as session:
        for row in session.execute(_waiting(mention_ids).with_for_update()):
            found = judged.get((row.id, row.versions))
            if found is None:
                continue  # Edited meanwhile: its new text is for the next round.
            changes.append(
                {
                    "id": row.id,
                    "label": found.label.value,
                    "score": found.score,
                    "p_negative": found.p_negative,
                    "p_neutral": found.p_neutral,
                    "p_positive": found.p_positive,
                    "confidence": found.confidence,
                    "lang": found.lang,
                    "scorer": f"{PROVISIONAL}{found.scorer}",
                    "scored_at": clock(),
                }
            )
            volume.move(
                row.brand_id,
                row.platform,
                row.published_at,
                before=(None, None),
                after=(found.label.value, found.score),
            )
        update_rows(session, Mention, changes)
        volume.store(session)
    return len(changes)


def _waiting(mention_ids: Sequence[int]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return (
        select(
            Mention.id,
            Mention.versions,
            Mention.brand_id,
            Mention.platform,
            Mention.published_at,
            Mention.text,
            Mention.platform_lang,
        )
        .where(Mention.id.in_(mention_ids), Mention.label.is_(None), Mention.pending == Step.SCORE)
        .order_by(Mention.id)
    )
