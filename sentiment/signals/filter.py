"""Choosing mentions by their signals."""

from __future__ import annotations

from sqlalchemy import ColumnElement, literal_column, or_, select
from sqlalchemy.orm import Session

from config.errors import InputError
from listener.models import Mention
from sentiment.heads import EMOTIONS
from sentiment.signals.intents import Intent
from sentiment.signals.models import MentionSignal

#: From which likelihood on a post counts as likely spam, and its account as a likely bot.
LIKELY = 0.5

#: Mentions with a signal, up to which they are named beforehand.
FEW = 4_000

#: What can be asked for: the intents and, for mentions that have none, `none`.
INTENTS = (*(intent.value for intent in Intent), "none")

#: Whether spam and bots are asked for, or everything else.
SPAM = ("likely", "unlikely")


def signal_conditions(
    *, intent: str = "", emotion: str = "", spam: str = ""
) -> list[ColumnElement[bool]]:
    """Return the conditions that mentions have these signals; empty asks for nothing.

    Mentions whose signals are not known yet are `unlikely` to be spam, and have no intent.

    Raises:
        InputError: There is no such intent, emotion or choice.

    """
    conditions: list[ColumnElement[bool]] = []
    if intent:
        _check("intent", intent, INTENTS)
        conditions.append(
            _has(MentionSignal.intents == "", MentionSignal.rules.is_not(None))
            if intent == "none"
            else _has(MentionSignal.intents.contains(f" {intent} "))
        )
    if emotion:
        _check("emotion", emotion, EMOTIONS)
        conditions.append(_has(MentionSignal.emotion == emotion))
    if spam:
        _check("spam", spam, SPAM)
        likely = _has(_is_likely_spam())
        conditions.append(likely if spam == "likely" else ~likely)
    return conditions


def few_with_signals(
    session: Session, brand_id: int, *, emotion: str = "", spam: str = ""
) -> list[int] | None:
    """Return a brand's mentions with an emotion or that are likely spam, where these are few.

    None where they are more than `FEW`, or nothing is asked for that few may have.

    Raises:
        InputError: There is no such emotion or choice.

    """
    signal_conditions(emotion=emotion, spam=spam)
    conditions: list[ColumnElement[bool]] = []
    if emotion:
        conditions.append(MentionSignal.emotion == emotion)
    if spam == "likely":
        conditions.append(_is_likely_spam())
    if not conditions:
        return None
    found = session.scalars(
        select(MentionSignal.mention_id)
        .where(MentionSignal.brand_id == brand_id, *conditions)
        .limit(FEW + 1)
    ).all()
    return list(found) if len(found) <= FEW else None


def _is_likely_spam() -> ColumnElement[bool]:
    """Return the condition as the partial index has it: the databases match constants only."""
    likely: ColumnElement[float] = literal_column(str(LIKELY))
    return or_(MentionSignal.spam >= likely, MentionSignal.bot >= likely)


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a mention's signals are so, looked up for each mention.

    A scalar, not EXISTS: PostgreSQL would make a join of that, and read all signals for it.
    """
    found = (
        select(MentionSignal.mention_id)
        .where(MentionSignal.mention_id == Mention.id, *conditions)
        .correlate(Mention)
    )
    return found.scalar_subquery().is_not(None)


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"there is no {name} '{value}'; known: {', '.join(known)}")
