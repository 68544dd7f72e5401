"""A person's word on a mention's sentiment: it wins, survives rescoring, and can be undone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from listener.models import JUDGING, Mention, Step
from sentiment.fast_lane import is_provisional
from sentiment.models import Correction
from sentiment.rollups import VolumeChanges
from sentiment.signals import mark_again
from sentiment.types import Label, Sentiment

#: What a corrected mention names as its scorer.
PERSON = "person"

#: Who ended a correction of a text that was edited afterwards.
EDITED = "edited"

_SCORES = {Label.NEGATIVE: -1.0, Label.NEUTRAL: 0.0, Label.POSITIVE: 1.0}

#: Columns of a judgement that a mention has, and a correction with `model_` before them.
_JUDGEMENT = (
    "label",
    "score",
    "p_negative",
    "p_neutral",
    "p_positive",
    "confidence",
    "scorer",
    "scored_at",
)


def correct_label(
    session: Session, mention_id: int, label: Label, *, by: str, clock: Clock
) -> Correction:
    """Say what a mention's label is; to say what the model said confirms it.

    The roll-ups move with it, and the mention goes through triage again.

    Raises:
        NotFoundError: There is no such mention.
        ConflictError: Its author deleted it.
        InputError: The label is "unknown".

    """
    if label not in _SCORES:
        raise InputError(f"a mention is negative, neutral or positive; '{label}' is no correction")
    mention = _locked(session, mention_id)
    if mention.deleted_at is not None:
        raise ConflictError(f"mention {mention_id} was deleted by its author: nothing to correct")
    before = open_corrections(session, [mention_id]).get(mention_id)
    if before is not None and before.mention_version == mention.versions:
        if before.label == label:
            return before
        said = {f"model_{name}": getattr(before, f"model_{name}") for name in _JUDGEMENT}
    elif is_provisional(mention.scorer) or before is not None:
        said = {}
    else:
        said = {f"model_{name}": getattr(mention, name) for name in _JUDGEMENT}
    if before is not None:
        before.ended_at, before.ended_by = clock(), by
        # The index allows one that holds: the old one must end before the new one begins.
        session.flush()
    correction = Correction(
        mention_id=mention_id,
        mention_version=mention.versions,
        label=label.value,
        by=by,
        at=clock(),
        **said,
    )
    session.add(correction)
    chances = {f"p_{one.value}": float(one is label) for one in _SCORES}
    _change(
        session,
        mention,
        chances
        | {
            "label": label.value,
            "score": _SCORES[label],
            "confidence": 1.0,
            "scorer": PERSON,
            "scored_at": clock(),
        },
    )
    mark_again(session, mention_id, clock())
    session.flush()
    return correction


def undo_correction(session: Session, mention_id: int, *, by: str, clock: Clock) -> Correction:
    """Give a mention back the label that the model gave it; without one it is scored anew.

    Raises:
        NotFoundError: There is no such mention, or nothing was corrected.

    """
    mention = _locked(session, mention_id)
    correction = open_corrections(session, [mention_id]).get(mention_id)
    if correction is None:
        raise NotFoundError(f"mention {mention_id} has no correction")
    correction.ended_at, correction.ended_by = clock(), by
    _change(session, mention, {name: getattr(correction, f"model_{name}") for name in _JUDGEMENT})
    mark_again(session, mention_id, clock())
    if mention.label is None:
        mention.pending = Step.SCORE
    session.flush()
    return correction


def open_corrections(session: Session, mention_ids: Collection[int]) -> dict[int, Correction]:
    """Return the corrections that hold, by mention."""
    rows = session.scalars(
        select(Correction)
        .where(Correction.mention_id.in_(mention_ids), Correction.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )
    return {row.mention_id: row for row in rows}


def apply_correction(correction: Correction, said: Sentiment) -> Sentiment:
    """Return a judgement with the person's label instead of the model's."""
    label = Label(correction.label)
    return replace(
        said,
        label=label,
        score=_SCORES[label],
        p_negative=float(label is Label.NEGATIVE),
        p_neutral=float(label is Label.NEUTRAL),
        p_positive=float(label is Label.POSITIVE),
        confidence=1.0,
        scorer=PERSON,
    )


def _locked(session: Session, mention_id: int) -> Mention:
    mention = session.scalar(
        select(Mention)
        .where(Mention.id == mention_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if mention is None:
        raise NotFoundError(f"there is no mention {mention_id}")
    return mention


def _change(session: Session, mention: Mention, values: dict[str, object]) -> None:
    """Give a mention another judgement; it goes through triage again, by way of what waits."""
    before = (mention.label, mention.score)
    for name, value in values.items():
        setattr(mention, name, value)
    if mention.pending is None or mention.pending in JUDGING:
        mention.pending = Step.TRIAGE
    session.flush()
    volume = VolumeChanges()
    volume.move(
        mention.brand_id,
        mention.platform,
        mention.published_at,
        before=before,
        after=(mention.label, mention.score),
    )
    volume.store(session)
