"""What a judgement of the fast lane is: a lexicon's, that holds until the model comes.

The lexicon judges right after a page is stored, 0.1 ms a text, so that linking, triage, counts
and alerts go on at once; in a crisis the model may be an hour behind. A provisional judgement
is counted like any other. The mention then waits for the model (`listener.models.JUDGING`).
"""

from __future__ import annotations

from dataclasses import replace

from sentiment.types import Sentiment

#: What a provisional judgement's scorer begins with.
PROVISIONAL = "provisional:"


def is_provisional(scorer: str | None) -> bool:
    """Say whether a judgement only holds until the model comes to it."""
    return scorer is not None and scorer.startswith(PROVISIONAL)


def as_provisional(found: Sentiment) -> Sentiment:
    """Return the judgement, marked to hold until the model comes to it."""
    return replace(found, scorer=f"{PROVISIONAL}{found.scorer}")
