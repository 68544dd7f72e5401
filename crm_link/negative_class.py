"""What kind of negative mention one is: the class decides what is done. Pure.

The classes are those of the web posting response assessment of the US Air Force (2008), in the
order that costs least where it is unsure: a crisis and an unhappy customer come before the
classes that are not answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from crm_link.types import Priority


class NegativeClass(StrEnum):
    """What a negative mention is."""

    CRISIS = "crisis"  # may hurt people or the brand as a whole
    COMPLAINT = "complaint"  # of an unhappy customer: make good
    MISGUIDED = "misguided"  # says what is not so: fix the facts
    TROLL = "troll"  # lives from provoking: no answer
    RAGER = "rager"  # rants or ridicules: no answer
    OTHER = "other"


#: What the class is taken from where the protocol's words do not say it.
_BY_PRIORITY: Mapping[Priority, NegativeClass] = {
    Priority.RISK: NegativeClass.CRISIS,
    Priority.SERVICE: NegativeClass.COMPLAINT,
    Priority.CANCEL: NegativeClass.COMPLAINT,
}

#: Classes that words of the protocol tell, in the order in which they are looked for.
BY_WORDS = (NegativeClass.MISGUIDED, NegativeClass.TROLL, NegativeClass.RAGER)

#: From how many letters on, and which share of capitals, a text is shouted.
LEAST_SHOUTED_LETTERS = 20
LEAST_CAPITALS = 0.7

#: So many exclamation marks are shouting too.
MANY_MARKS = 5


def class_of(priority: Priority, found_words: str | None, text: str) -> NegativeClass:
    """Return the class of a negative mention.

    Args:
        priority: What it asks for, by the protocol's words.
        found_words: The class whose words of the protocol it has, if any.
        text: What it says: a text that is shouted is a rant.

    """
    known = _BY_PRIORITY.get(priority)
    if known is not None:
        return known
    if found_words is not None:
        return NegativeClass(found_words)
    return NegativeClass.RAGER if is_shouted(text) else NegativeClass.OTHER


def is_shouted(text: str) -> bool:
    """Say whether a text is in capitals or full of exclamation marks."""
    if text.count("!") >= MANY_MARKS:
        return True
    words = re.sub(r"https?://\S+|[@#$]\w+", "", text)
    cased = [letter for letter in words if letter.isupper() or letter.islower()]
    capitals = sum(letter.isupper() for letter in cased)
    return len(cased) >= LEAST_SHOUTED_LETTERS and capitals / len(cased) >= LEAST_CAPITALS
