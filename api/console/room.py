"""What the war room's page shows beyond what is stored: its chart, and findings in words."""

from __future__ import annotations

from typing import Any

from api.formats import iso
from api.language import gettext
from crm_link.escalation.war_room.room_size import Hour, Size
from sentiment.forecast import Range


def chart_of(size: Size) -> dict[str, Any]:
    """Return the hours of an attack for the page's script, with its words."""
    return {
        "words": {
            "negative": gettext("Negative"),
            "usual": gettext("Ordinary day"),
            "coming": gettext("To come"),
            "now": gettext("now"),
        },
        "hours": [_hour(one) for one in size.hours],
    }


def claim_words(claim: str) -> str:
    """Return what an assessment found, as a sentence."""
    return {
        "unknown": gettext("Not known yet whether it is true"),
        "untrue": gettext("It is untrue"),
        "partly": gettext("It is partly true"),
        "true_claim": gettext("It is true"),
    }[claim]


def verdict_words(verdict: str) -> str:
    """Return a claim's verdict."""
    return {
        "unknown": gettext("not known yet"),
        "untrue": gettext("untrue"),
        "partly": gettext("partly true"),
        "true_claim": gettext("true"),
    }[verdict]


def _hour(hour: Hour) -> dict[str, Any]:
    return {
        "at": iso(hour.at),
        "negatives": hour.negatives,
        "usual": _range(hour.usual),
        "coming": _range(hour.coming),
    }


def _range(found: Range | None) -> list[float] | None:
    if found is None:
        return None
    return [round(number, 1) for number in (found.low, found.middle, found.high)]
