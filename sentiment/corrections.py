"""A person's word on a mention's sentiment: it wins, survives rescoring, and can be undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from listener.models import JUDGING, Mention, Step
from sentiment.fast_lane import is_provisional
from sentiment.models import Correction
from sentiment.rollups import VolumeChanges
from sentiment.signals.service import mark_again
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
    return correct_labels(session, {mention_id: label}, by=by, clock=clock)[mention_id]


def correct_labels(
    session: Session, labels: Mapping[int, Label], *, by: str, clock: Clock
) -> dict[int, Correction]:
    """Say what the labels of some mentions are, as `correct_label` does for one; return by mention.

    So many statements as for one.
    """
    for label in labels.values():
        if label not in _SCORES:
            raise InputError(
                "a mention is negative, neutral or positive; '%(label)s' is no correction",
                label=label,
            )
    mentions = _locked(session, labels)
    for mention in mentions.values():
        if mention.deleted_at is not None:
            raise ConflictError(
                "mention %(id)s was deleted by its author: nothing to correct", id=mention.id
            )
    now, held = clock(), open_corrections(session, labels)
    found = {
        one: each
        for one, each in held.items()
        if each.mention_version == mentions[one].versions and each.label == labels[one]
    }
    changed = {one: mentions[one] for one in labels if one not in found}
    new = {one: _correction(mentions[one], labels[one], held.get(one), by, now) for one in changed}
    for one in changed:
        if one in held:
            held[one].ended_at, held[one].ended_by = now, by
    # The index allows one that holds: the old one must end before the new one begins.
    session.flush()
    session.add_all(new.values())
    values = {one: _judgement(labels[one], now) for one in changed}
    _change(session, [(changed[one], values[one]) for one in changed])
    mark_again(session, changed, now)
    session.flush()
    return found | new


def undo_correction(session: Session, mention_id: int, *, by: str, clock: Clock) -> Correction:
    """Give a mention back the label that the model gave it; without one it is scored anew.

    Raises:
        NotFoundError: There is no such mention, or nothing was corrected.

    """
    return undo_corrections(session, [mention_id], by=by, clock=clock)[mention_id]


def undo_corrections(
    session: Session, mention_ids: Collection[int], *, by: str, clock: Clock
) -> dict[int, Correction]:
    """Give some mentions back their labels, as `undo_correction` does for one."""
    mentions = _locked(session, mention_ids)
    held = open_corrections(session, mention_ids)
    for mention_id in mention_ids:
        if mention_id not in held:
            raise NotFoundError("mention %(mention_id)s has no correction", mention_id=mention_id)
    now = clock()
    for correction in held.values():
        correction.ended_at, correction.ended_by = now, by
    _change(
        session,
        [
            (mentions[one], {name: getattr(each, f"model_{name}") for name in _JUDGEMENT})
            for one, each in held.items()
        ],
    )
    mark_again(session, held, now)
    for one in held:
        if mentions[one].label is None:
            mentions[one].pending = Step.SCORE
    session.flush()
    return held


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


def _correction(
    mention: Mention, label: Label, before: Correction | None, by: str, now: datetime
) -> Correction:
    """Return a correction that remembers what the model said."""
    if before is not None and before.mention_version == mention.versions:
        said = {f"model_{name}": getattr(before, f"model_{name}") for name in _JUDGEMENT}
    elif is_provisional(mention.scorer) or before is not None:
        said = {}
    else:
        said = {f"model_{name}": getattr(mention, name) for name in _JUDGEMENT}
    return Correction(
        mention_id=mention.id,
        mention_version=mention.versions,
        label=label.value,
        by=by,
        at=now,
        **said,
    )


def _judgement(label: Label, now: datetime) -> dict[str, object]:
    return {f"p_{one.value}": float(one is label) for one in _SCORES} | {
        "label": label.value,
        "score": _SCORES[label],
        "confidence": 1.0,
        "scorer": PERSON,
        "scored_at": now,
    }


def _locked(session: Session, mention_ids: Collection[int]) -> dict[int, Mention]:
    mentions = session.scalars(
        select(Mention)
        .where(any_of(session, Mention.id, mention_ids))
        .order_by(Mention.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {mention.id: mention for mention in mentions}
    for mention_id in mention_ids:
        if mention_id not in found:
            raise NotFoundError("there is no mention %(mention_id)s", mention_id=mention_id)
    return found


def _change(session: Session, changes: Sequence[tuple[Mention, Mapping[str, object]]]) -> None:
    """Give mentions another judgement; they go through triage again, by way of what waits."""
    volume = VolumeChanges()
    for mention, values in changes:
        before = (mention.label, mention.score)
        for name, value in values.items():
            setattr(mention, name, value)
        if mention.pending is None or mention.pending in JUDGING:
            mention.pending = Step.TRIAGE
        volume.move(
            mention.brand_id,
            mention.platform,
            mention.published_at,
            before=before,
            after=(mention.label, mention.score),
        )
    session.flush()
    volume.store(session)
