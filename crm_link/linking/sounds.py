"""How names sound, as a key. Pure."""

from __future__ import annotations

from functools import lru_cache

import jellyfish


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """Return how a word sounds in English (Metaphone); the word where it has no code."""
    return jellyfish.metaphone(word) or word
