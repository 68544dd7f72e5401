"""What a post is after: a question, a complaint, praise, a purchase, leaving, a risk. Pure.

Rules and word lists (`words.yaml`) in en es fr de it pt, and few words in hi and ar;
no model and no labelled data. A negator takes back what follows it ("not a scam"). The label
decides between complaint and praise where there is one: a negative post is no praise, and a
positive one no complaint. What the crisis protocol calls priority is triage's, not this: it
orders the queue by the user's own words, an intent describes the post.

Limits: a word list sees neither irony nor what is said without its words; a report about
somebody else's lawsuit is a risk like one's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import regex

from sentiment.signals.reasons import find_reason
from sentiment.signals.words import (
    BREAK,
    MAX_CHARS,
    SAYING,
    Found,
    cut_words,
    finder,
    language_of,
)
from sentiment.types import Label

#: Raised when the same text may get other intents or reasons.
RULES_VERSION = "rules-1"


class Intent(StrEnum):
    """What a post is after; several may hold, or none."""

    QUESTION = "question"
    COMPLAINT = "complaint"
    PRAISE = "praise"
    PURCHASE = "purchase"
    CANCEL = "cancel"
    RISK = "risk"


#: Somebody is spoken to.
_HANDLE = regex.compile(r"^\W*@\w")
_LINK = regex.compile(r"(?:https?://|www\.)\S+")
#: A sentence that ends with a question mark, and what it says.
_ASKED = regex.compile(r"([^.!?\n\u061f\u0964]*)([?\u061f]+)(?!!)")

#: What is asked of nobody.
_RHETORICAL = regex.compile(
    r"kidding|serious(?:ly)?\b|really\b.{0,3}$|how hard (?:is|can)|what(?:'s| is) wrong with"
    r"|what the (?:hell|heck|f)|\bwtf\b|is this a joke|who (?:cares|knew)"
    r"|^\W*(?:right|ok|okay|no|huh|eh|what|why|lol)\W*$|is this what you call"
    r"|en serio|es broma|c'est une blague|s[ée]rieusement"
    r"|euer ernst|ihr ernst|soll das ein witz|ma davvero|scherz|[ée] s[ée]rio",
    regex.IGNORECASE,
)

#: How an English sentence begins that wants an answer. An angry one that does not is a rant
#: ("4 hours late, again?"); other languages are taken at their question mark.
_OPENING = regex.compile(
    r"(?:^|[,;:\u2013-])\W*(?:@\S+\s+|(?:so|and|but|hi|hey|hello|ok|please|pls)\W+)*(?:who|whom|whose|what|when|where|which"
    r"|why|how|is|are|am|was|were|do|does|did|has|have|had|can|could|will|would|should|shall|may|might"
    r"|any|anyone|anybody|isn|aren|don|doesn|didn|can't|cant|won|what's|whats|where's|who's|how's)\b"
    r"|\b(?:can|could|will|would|do|did|are|is|have) (?:you|u|i|we|it|there|someone|anyone)\b",
    regex.IGNORECASE,
)

#: Least words of a question.
_LEAST_WORDS = 3

#: Words before "cancel my ..." that make it somebody else's doing.
_OTHERS = frozenset(("you", "u", "they", "she", "he", "all", "yall"))


def find_intents(
    text: str, lang: str | None, label: Label | str | None = None
) -> tuple[Intent, ...]:
    """Return what `text` is after, in the order of `Intent`; empty for nothing of these.

    Args:
        text: As the platform shows it.
        lang: ISO 639-1 code; the words of all languages count where it is None, has no list,
            or the text is so short that the code is a guess.
        label: How the text is meant toward the brand, where that is known.

    """
    text = text[:MAX_CHARS]
    words = cut_words(text)
    spoken = language_of(text, lang)
    found = finder("intents", spoken).find(words)
    held = {Intent(one.group) for one in found if one.group != SAYING and not one.is_negated}
    if Intent.CANCEL in held and all(_is_by_others(one, words) for one in found):
        held.discard(Intent.CANCEL)
    if label == Label.NEGATIVE:
        held -= {Intent.PRAISE, Intent.PURCHASE}
        held |= _complaint(held, text, spoken, words)
    elif label == Label.POSITIVE:
        held -= {Intent.COMPLAINT, Intent.CANCEL}
        if any(not one.is_negated for one in _said("thanks", spoken, words)):
            held.add(Intent.PRAISE)
    elif held >= {Intent.COMPLAINT, Intent.PRAISE}:
        held.discard(_rarer(found, Intent.COMPLAINT, Intent.PRAISE))
    if is_question(text, is_angry=label == Label.NEGATIVE and spoken == "en"):
        held.add(Intent.QUESTION)
    return tuple(intent for intent in Intent if intent in held)


def is_question(text: str, *, is_angry: bool = False) -> bool:
    """Say whether `text` has a question mark after something that wants an answer.

    Args:
        text: As the platform shows it.
        is_angry: It is English and negative: then the sentence must begin like a question.

    """
    return any(
        len(cut_words(asked)) >= _LEAST_WORDS
        and not _RHETORICAL.search(asked)
        and (not is_angry or _OPENING.search(asked))
        for asked, _ in _ASKED.findall(_LINK.sub(" ", text[:MAX_CHARS]))
    )


def _complaint(
    held: set[Intent], text: str, spoken: str | None, words: Sequence[str]
) -> set[Intent]:
    """Return the complaint of a negative post that has a reason, or comes from a person.

    Who leaves or threatens says so; that alone makes it no complaint as well.
    """
    says_why = find_reason(text, spoken) is not None
    says_else = held & {Intent.CANCEL, Intent.RISK}
    is_person = _HANDLE.search(text) or _said("persons", spoken, words)
    return {Intent.COMPLAINT} if says_why or (is_person and not says_else) else set()


def _said(kind: str, spoken: str | None, words: Sequence[str]) -> list[Found]:
    return [one for one in finder(kind, spoken).find(words) if one.group != SAYING]


def _rarer(found: Sequence[Found], one: Intent, other: Intent) -> Intent:
    """Return which of two kinds of words a text has fewer of."""
    counts = Counter(item.group for item in found if not item.is_negated)
    return one if counts[one] < counts[other] else other


def _is_by_others(found: Found, words: Sequence[str]) -> bool:
    """Say whether it is no cancelling, or one that somebody else does ("you cancelled my ...")."""
    if found.group != Intent.CANCEL or found.is_negated:
        return True
    before = [word for word in words[max(0, found.start - 2) : found.start] if word != BREAK]
    return found.phrase.startswith(("cancel", "terminate")) and bool(_OTHERS & set(before))
