"""Judging the same text once: reposts and copies cost nothing.

A crisis is mostly copies. Texts count as the same where only their links and white space
differ (every copy on X gets links of its own); no scorer reads links.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock
from weakref import WeakKeyDictionary

from sentiment.heads import HeadScores
from sentiment.scorer import Scorer
from sentiment.types import ScorableText, Sentiment

#: Judgements that are kept for each scorer, the most recently used; about 10 MB.
MOST_KEPT = 20_000

_LINK = re.compile(r"(?:https?://|www\.)\S+")


#: A judgement, with what the scorer's heads say besides.
Judged = tuple[Sentiment, HeadScores]


class Judgements:
    """The most recent judgements of each scorer object; may be shared between threads."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._lock = Lock()
        # By object, not by version: two scorers that share a version by mistake stay apart,
        # and what a scorer said goes with it.
        self._kept: WeakKeyDictionary[Scorer, OrderedDict[bytes, Judged]] = WeakKeyDictionary()

    def judge(self, scorer: Scorer, texts: Sequence[ScorableText]) -> dict[ScorableText, Judged]:
        """Return the judgement of each text; only texts not met lately are scored."""
        keys = {text: duplicate_key(text) for text in texts}
        found: dict[bytes, Judged] = {}
        with self._lock:
            kept = self._kept.setdefault(scorer, OrderedDict())
            for key in keys.values():
                if key in kept:
                    kept.move_to_end(key)
                    found[key] = kept[key]
        new = {key: text for text, key in reversed(keys.items()) if key not in found}
        # Outside the lock: scoring is slow, and two threads that score the same do no harm.
        if new:
            found |= zip(new, scorer.score_with_heads(list(new.values())), strict=True)
        with self._lock:
            for key in new:
                kept[key] = found[key]
            while len(kept) > self._most_kept:
                kept.popitem(last=False)
        return {text: found[key] for text, key in keys.items()}


def duplicate_key(text: ScorableText) -> bytes:
    """Return what is equal for two texts that every scorer judges alike."""
    words = " ".join(_LINK.sub("http", text.text).split())
    digest = blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16)
    for part in (text.lang or "", *text.targets):
        digest.update(b"\0" + part.encode("utf-8", "surrogatepass"))
    return digest.digest()
