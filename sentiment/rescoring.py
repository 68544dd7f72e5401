"""Rescoring in the background when the scorer, or a brand's calibration of it, has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.any_of import any_of
from listener.models import JUDGING, Brand, Mention, Step
from sentiment.corrections import PERSON
from sentiment.models import Correction
from sentiment.recalibration import Calibrations


def rescore_outdated(session: Session, versions: Collection[str], *, limit: int) -> int:
    """Let mentions that another scorer judged wait for the model again; return how many.

    Does nothing while others wait for it: they come first. Newest first within a brand. What
    the earlier scorer said is kept by the scoring (`OldScore`), and nothing is uncounted
    meanwhile. Mentions that are on their way are left to it. Found by an index on (brand,
    scorer, time), so that it costs next to nothing where all is up to date.

    Args:
        session: The transaction.
        versions: What judgements of the scorer in use name as their scorer
            (`Scorer.versions`).
        limit: Most mentions that are put back at once.

    """
    busy = select(Mention.id).where(Mention.pending.in_((Step.SCORE, *JUDGING))).limit(1)
    if session.scalar(busy) is not None:
        return 0
    brand_ids = session.scalars(select(Brand.id).order_by(Brand.id)).all()
    calibrations = Calibrations(session, brand_ids)
    found: list[int] = []
    for brand_id in brand_ids:
        current = calibrations.current(brand_id, versions)
        found += _outdated(session, brand_id, current, limit - len(found))
        if len(found) >= limit:
            break
    if not found:
        return 0
    # What began its way meanwhile comes to the scorer by itself.
    queued = session.execute(
        update(Mention)
        .where(
            any_of(session, Mention.id, found),
            Mention.pending.is_(None),
            Mention.deleted_at.is_(None),
        )
        .values(pending=Step.JUDGE)
        .returning(Mention.id)
    )
    return len(queued.all())


def _outdated(session: Session, brand_id: int, current: set[str], limit: int) -> list[int]:
    found = list(
        session.scalars(
            select(Correction.mention_id)
            .join(Mention, Mention.id == Correction.mention_id)
            .where(
                Mention.brand_id == brand_id,
                Mention.deleted_at.is_(None),
                Correction.ended_at.is_(None),
                # None: a person was faster than the model.
                Correction.model_scorer.is_(None) | Correction.model_scorer.not_in(current),
                Mention.pending.is_(None),
            )
            .order_by(Correction.id.desc())
            .limit(limit)
        )
    )
    for scorer in _scorers(session, brand_id):
        if scorer in current or scorer == PERSON or len(found) >= limit:
            continue
        found += session.scalars(
            select(Mention.id)
            .where(
                Mention.brand_id == brand_id,
                Mention.scorer == scorer,
                Mention.pending.is_(None),
                Mention.deleted_at.is_(None),
            )
            .order_by(Mention.published_at.desc())
            .limit(limit - len(found))
        )
    return found


def _scorers(session: Session, brand_id: int) -> Iterator[str]:
    """Yield each scorer that a brand's mentions name, by one step in the index for each."""
    last = ""
    while True:
        following = session.scalar(
            select(Mention.scorer)
            .where(Mention.brand_id == brand_id, Mention.scorer > last)
            .order_by(Mention.scorer)
            .limit(1)
        )
        if following is None:
            return
        yield following
        last = following
