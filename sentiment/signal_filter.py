"""Choosing mentions by their signals."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from config.errors import InputError
from listener.models import Mention
from sentiment.heads import EMOTIONS
from sentiment.intents import Intent
from sentiment.signal_models import MentionSignal

#: From which likelihood on a post counts as likely spam, and its account as a likely bot.
LIKELY = 0.5

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
        likely = _has(or_(MentionSignal.spam >= LIKELY, MentionSignal.bot >= LIKELY))
        conditions.append(likely if spam == "likely" else ~likely)
    return conditions


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    found = select(MentionSignal.mention_id).where(
        MentionSignal.mention_id == Mention.id, *conditions
    )
    return found.correlate(Mention).exists()


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"there is no {name} '{value}'; known: {', '.join(known)}")
