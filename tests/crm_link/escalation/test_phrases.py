from __future__ import annotations

import pytest

from crm_link import phrases
from crm_link.phrases import PhraseFinder, fold_text, split_words


def test_a_finder_finds_the_same_whatever_it_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "MAX_REMEMBERED", 2)
    finder = PhraseFinder([("risk", ["caught fire", "explod*"]), ("cancel", ["cancel* my"])])
    texts = {
        "It EXPLODED and caught fire": ("risk", "explod*"),
        "please cancel my order, it caught cold": ("cancel", "cancel* my"),
        "nothing of the kind": None,
    }

    for _ in range(3):
        for text, expected in texts.items():
            folded = fold_text(text)
            assert finder.find(folded, split_words(folded)) == expected
