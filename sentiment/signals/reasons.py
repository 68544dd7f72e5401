"""What a complaint is about, in the terms of customer care. Pure.

By the word lists of `words.yaml`: a phrase of several words weighs two, a single word
one, each phrase once; the reason with the most weight is given, and of equal ones the first in
the order of `Reason`, which puts harm first.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from functools import lru_cache

from sentiment.signals.words import MAX_CHARS, SAYING, cut_words, finder, language_of


class Reason(StrEnum):
    """What a complaint is about."""

    SAFETY = "safety"
    PRIVACY = "privacy"
    BILLING = "billing"  # charges, invoices, refunds
    DELIVERY = "delivery"  # orders, parcels, luggage
    WAITING = "waiting"  # queues, delays, no answer
    STAFF = "staff"  # staff and customer service
    APP = "app"  # app, website, log-in
    OUTAGE = "outage"  # network or service down
    AVAILABILITY = "availability"  # out of stock, fully booked
    QUALITY = "quality"  # defects, damage, poor quality
    PRICE = "price"


@lru_cache(maxsize=16)
def find_reason(text: str, lang: str | None) -> Reason | None:
    """Return what `text`, a complaint, is about; None where no word says it.

    Args:
        text: As the platform shows it.
        lang: ISO 639-1 code, or None.

    """
    text = text[:MAX_CHARS]
    weights: dict[str, dict[str, int]] = defaultdict(dict)
    for found in finder("reasons", language_of(text, lang)).find(cut_words(text)):
        if found.group == SAYING:
            continue
        weights[found.group][found.phrase] = 2 if found.words > 1 else 1
    totals = {group: sum(phrases.values()) for group, phrases in weights.items()}
    most = max(totals.values(), default=0)
    return next((reason for reason in Reason if most and totals.get(reason) == most), None)
