"""Step 2: judging mentions, and keeping the roll-ups exactly what the mentions say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import update_rows, upsert
from config.clock import Clock, utc_now
from config.db import read_session
from listener.models import JUDGING, Brand, Mention, Step
from sentiment.corrections import EDITED, apply_correction, open_corrections
from sentiment.duplicates import Judged, Judgements
from sentiment.fast_lane import as_provisional, is_provisional
from sentiment.models import Correction, OldScore
from sentiment.recalibration import Calibrations
from sentiment.rollups import VolumeChanges
from sentiment.scorer import Scorer
from sentiment.signals.service import JudgedMention, mark_due
from sentiment.types import ScorableText, Sentiment

_JUDGEMENTS = Judgements()

#: Steps in which a mention waits to be judged.
_SCORING = (Step.SCORE, *JUDGING)

#: Columns of a judgement that a mention, a correction and an old score have alike.
_KEPT = (
    "label",
    "score",
    "p_negative",
    "p_neutral",
    "p_positive",
    "confidence",
    "scorer",
    "scored_at",
)


@dataclass(frozen=True, slots=True)
class _Work:
    mention_id: int
    brand_id: int
    version: int
    text: ScorableText


def score_mentions(
    sessions: sessionmaker[Session],
    scorer: Scorer,
    mention_ids: Sequence[int],
    *,
    clock: Clock = utc_now,
) -> int:
    """Judge those of the mentions that wait for it; return how many were judged.

    The model runs between two short transactions. A mention that was edited or judged by
    another worker meanwhile is left alone, so that doing this twice counts it once. Where a
    person has said what the label is, theirs stays, and the model's is kept beside it. What
    had a provisional label, or another model's, changes its label, its place in the roll-ups
    and its way through linking and triage in one transaction.
    """
    with read_session(sessions) as session:
        work = _load(session, mention_ids, _SCORING)
        calibrations = Calibrations(session, {item.brand_id for item in work})
    if not work:
        return 0
    judged = _JUDGEMENTS.judge(scorer, [item.text for item in work])
    found: dict[int, Judged] = {}
    for item in work:
        sentiment, heads = judged[item.text]
        calibration = calibrations.find(item.brand_id, sentiment.scorer)
        found[item.mention_id] = (calibration.apply(sentiment) if calibration else sentiment, heads)
    return _store(sessions, work, found, clock())


def score_provisionally(
    sessions: sessionmaker[Session],
    lexicon: Scorer,
    mention_ids: Sequence[int],
    *,
    clock: Clock = utc_now,
) -> int:
    """Give new and edited mentions the lexicon's judgement; return how many got one.

    They go on at once, and triage lets them wait for the model afterwards. A person's word
    stays; what waits for the model already has a label, and is left to it.
    """
    with read_session(sessions) as session:
        work = _load(session, mention_ids, (Step.SCORE,))
    if not work:
        return 0
    judged = _JUDGEMENTS.judge(lexicon, [item.text for item in work])
    marked = {text: (as_provisional(found), heads) for text, (found, heads) in judged.items()}
    return _store(sessions, work, {item.mention_id: marked[item.text] for item in work}, clock())


def _load(session: Session, mention_ids: Sequence[int], steps: Sequence[Step]) -> list[_Work]:
    rows = session.execute(
        select(
            Mention.id,
            Mention.brand_id,
            Mention.versions,
            Mention.text,
            Mention.platform_lang,
        ).where(any_of(session, Mention.id, mention_ids), Mention.pending.in_(steps))
    ).all()
    brand_ids = {row.brand_id for row in rows}
    brands = session.execute(select(Brand.id, Brand.names).where(Brand.id.in_(brand_ids)))
    names = {brand_id: tuple(found) for brand_id, found in brands}
    return [
        _Work(
            row.id,
            row.brand_id,
            row.versions,
            ScorableText(row.text, names[row.brand_id], row.platform_lang),
        )
        for row in rows
    ]


def _store(
    sessions: sessionmaker[Session],
    work: Sequence[_Work],
    judged: Mapping[int, Judged],
    now: datetime,
) -> int:
    """Write the judgements of those mentions that are still as they were read."""
    versions = {item.mention_id: item.version for item in work}
    with sessions.begin() as session:
        waiting = session.execute(
            select(
                Mention.id,
                Mention.versions,
                Mention.pending,
                Mention.brand_id,
                Mention.platform,
                Mention.published_at,
                *(getattr(Mention, name) for name in _KEPT),
            )
            .where(any_of(session, Mention.id, versions), Mention.pending.in_(_SCORING))
            .order_by(Mention.id)
            .with_for_update(key_share=True)
        ).all()
        waiting = [
            row
            for row in waiting
            if row.versions == versions[row.id]
            # The lexicon came late: another worker's did its part already.
            and not (row.pending in JUDGING and is_provisional(judged[row.id][0].scorer))
        ]
        _write(session, waiting, judged, now)
    return len(waiting)


def _write(
    session: Session,
    waiting: Sequence[ResultRow[Any]],
    judged: Mapping[int, Judged],
    now: datetime,
) -> None:
    corrections = open_corrections(session, [row.id for row in waiting])
    changes: list[dict[str, object]] = []
    old: list[dict[str, object]] = []
    signals: list[JudgedMention] = []
    volume = VolumeChanges()
    for row in waiting:
        said, heads = judged[row.id]
        correction = corrections.get(row.id)
        is_final = not is_provisional(said.scorer)
        if is_final:
            old += _old_score(row, correction, said)
        final = said
        if correction is not None and correction.mention_version != row.versions:
            correction.ended_at, correction.ended_by = now, EDITED
        elif correction is not None:
            if is_final:
                _refresh(correction, said, now)
            final = apply_correction(correction, said)
        changes.append(_columns(final, now) | {"id": row.id, "pending": Step.LINK})
        place = (row.brand_id, row.published_at)
        signals.append(JudgedMention(row.id, *place, final.label.value, said.scorer, heads))
        volume.move(
            row.brand_id,
            row.platform,
            row.published_at,
            before=(row.label, row.score),
            after=(final.label.value, final.score),
        )
    update_rows(session, Mention, changes)
    key = ("mention_id", "scorer")
    upsert(session, OldScore, old, key=key, update_columns=[n for n in _KEPT if n != "scorer"])
    mark_due(session, signals, now)
    volume.store(session)


def _columns(found: Sentiment, now: datetime) -> dict[str, object]:
    return {
        "label": found.label.value,
        "score": found.score,
        "p_negative": found.p_negative,
        "p_neutral": found.p_neutral,
        "p_positive": found.p_positive,
        "confidence": found.confidence,
        "lang": found.lang,
        "scorer": found.scorer,
        "scored_at": now,
    }


def _refresh(correction: Correction, said: Sentiment, now: datetime) -> None:
    """Keep what the model says beside the person's word."""
    for name, value in _columns(said, now).items():
        if name in _KEPT:
            setattr(correction, f"model_{name}", value)


def _old_score(
    row: ResultRow[Any], correction: Correction | None, said: Sentiment
) -> list[dict[str, object]]:
    """Return what another version of the model said before, if one did."""
    before = {
        name: getattr(row, name) if correction is None else getattr(correction, f"model_{name}")
        for name in _KEPT
    }
    scorer = before["scorer"]
    if scorer is None or scorer == said.scorer or is_provisional(scorer):
        return []
    return [before | {"mention_id": row.id}]
