"""What was ever said about a mention's sentiment: by models, by the lexicon, by people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFoundError
from listener.models import Mention
from sentiment.corrections import PERSON
from sentiment.fast_lane import PROVISIONAL, is_provisional
from sentiment.models import Correction, OldScore
from sentiment.types import Label


class Judge(StrEnum):
    """Who judged."""

    MODEL = "model"
    LEXICON = "lexicon"  # provisional: the model is still to come
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody said about a mention.

    Args:
        who: Who judged.
        scorer: Name and version of the scorer, or the person's name.
        label: Polarity.
        score: From -1 to +1; None where an old row has none.
        confidence: The probability that the label is right; None where a person judged.
        at: When.
        is_current: Whether this is what counts now.

    """

    who: Judge
    scorer: str
    label: Label
    score: float | None
    confidence: float | None
    at: datetime | None
    is_current: bool


def judgements_of(session: Session, mention_id: int) -> list[Judgement]:
    """Return what was said about a mention, newest first; what counts now comes before the rest.

    A correction that was undone or outdated by an edit is among them. Of each version of a
    scorer only its last judgement is kept.

    Raises:
        NotFoundError: There is no such mention.

    """
    mention = session.get(Mention, mention_id)
    if mention is None:
        raise NotFoundError(f"there is no mention {mention_id}")
    corrections = session.scalars(
        select(Correction).where(Correction.mention_id == mention_id)
    ).all()
    found = [_of_person(one) for one in corrections]
    found += [_of_model(one) for one in corrections if one.ended_at is None and one.model_scorer]
    old = select(OldScore).where(OldScore.mention_id == mention_id)
    found += [
        _of_scorer(one.scorer, one.label, one.score, one.confidence, one.scored_at)
        for one in session.scalars(old)
    ]
    if mention.label is not None and mention.scorer is not None and mention.scorer != PERSON:
        found.append(
            _of_scorer(
                mention.scorer,
                mention.label,
                mention.score,
                mention.confidence,
                mention.scored_at,
                is_current=True,
            )
        )
    return sorted(found, key=_newest_first, reverse=True)


def _newest_first(one: Judgement) -> tuple[bool, float]:
    return one.is_current, one.at.timestamp() if one.at else 0.0


def _of_person(one: Correction) -> Judgement:
    return Judgement(
        who=Judge.PERSON,
        scorer=one.by,
        label=Label(one.label),
        score={Label.NEGATIVE: -1.0, Label.POSITIVE: 1.0}.get(Label(one.label), 0.0),
        confidence=None,
        at=one.at,
        is_current=one.ended_at is None,
    )


def _of_model(one: Correction) -> Judgement:
    """Return what the model says beside a person's word."""
    return _of_scorer(
        one.model_scorer or "",
        one.model_label or Label.UNKNOWN,
        one.model_score,
        one.model_confidence,
        one.model_scored_at,
    )


def _of_scorer(
    scorer: str,
    label: str,
    score: float | None,
    confidence: float | None,
    at: datetime | None,
    *,
    is_current: bool = False,
) -> Judgement:
    return Judgement(
        who=Judge.LEXICON if is_provisional(scorer) else Judge.MODEL,
        scorer=scorer.removeprefix(PROVISIONAL),
        label=Label(label),
        score=score,
        confidence=confidence,
        at=at,
        is_current=is_current,
    )
