"""What a post says besides its polarity: intents, reason, spam, bot, emotion. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sentiment.heads import HeadScores
from sentiment.signals.intents import RULES_VERSION, Intent, find_intents
from sentiment.signals.reasons import Reason, find_reason
from sentiment.signals.spam import Account, Likelihood, Repeats, bot_likelihood, spam_likelihood
from sentiment.types import Label

__all__ = ["RULES_VERSION", "Signals", "clear_emotion", "find_signals", "signals_record"]

#: Emotions that go with a label. The heads know no "none of them", so that a neutral post has
#: one too; it is shown only where the polarity agrees.
_GO_WITH: Mapping[str, frozenset[str]] = {
    Label.NEGATIVE: frozenset({"anger", "sadness"}),
    Label.POSITIVE: frozenset({"joy", "optimism"}),
}

#: From which probability on an emotion is shown.
CLEAR_EMOTION = 0.5

#: A head's yes, from which probability on.
CLEAR_HEAD = 0.5


@dataclass(frozen=True, slots=True)
class Signals:
    """What the rules find in one post.

    Args:
        intents: What it is after; empty for nothing of these.
        reason: What the complaint is about; None where it is none, or does not say.
        spam: How much speaks for spam.
        bot: How much speaks for the account being a machine; None where no account is known.

    """

    intents: tuple[Intent, ...]
    reason: Reason | None
    spam: Likelihood
    bot: Likelihood | None


def find_signals(
    text: str,
    lang: str | None,
    label: Label | str | None,
    *,
    repeats: Repeats | None = None,
    account: Account | None = None,
    posted_at: datetime | None = None,
) -> Signals:
    """Return what the rules find in a post.

    Args:
        text: As the platform shows it.
        lang: ISO 639-1 code, or None.
        label: How it is meant toward the brand, or None.
        repeats: How often the same words are among the stored mentions.
        account: Who posted it, as far as known; needs `posted_at`.
        posted_at: When.

    """
    intents = find_intents(text, lang, label)
    own = repeats.own if repeats else 0
    return Signals(
        intents=intents,
        reason=find_reason(text, lang) if Intent.COMPLAINT in intents else None,
        spam=spam_likelihood(text, repeats),
        bot=bot_likelihood(account, posted_at, own) if account and posted_at else None,
    )


def clear_emotion(heads: HeadScores, label: Label | str | None) -> str | None:
    """Return the emotion that is clear and goes with the label; None where there is none."""
    emotion = heads.emotion
    if emotion is None or heads.p_emotion.get(emotion, 1.0) < CLEAR_EMOTION:
        return None
    return emotion if emotion in _GO_WITH.get(str(label), frozenset()) else None


def signals_record(
    text: str, lang: str | None, label: Label | str | None, heads: HeadScores | None = None
) -> dict[str, Any]:
    """Return the signals of a text without an author, as `groundswell score` writes them.

    `emotion` is the most probable one even where it is not clear; `irony` and `offensive` are
    probabilities. All four are None where the scorer has no heads or does not read the
    language. `bot` is always None: a file of texts has no accounts.
    """
    heads = heads or HeadScores()
    found = find_signals(text, lang, label)
    return {
        "emotion": heads.emotion,
        "emotions": dict(heads.p_emotion) or None,
        "irony": heads.irony,
        "offensive": heads.offensive,
        "intents": [str(intent) for intent in found.intents],
        "complaint_reason": None if found.reason is None else str(found.reason),
        "spam": found.spam.value,
        "spam_reasons": list(found.spam.reasons),
        "bot": None,
    }
