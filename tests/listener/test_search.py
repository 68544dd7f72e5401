from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from listener import search
from listener.models import Mention
from listener.search import text_contains
from tests.make import make_brand, make_mention


@pytest.mark.parametrize("few", [0, 20_000])
def test_words_find_mentions_however_many_there_are(
    session: Session, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    brand = make_brand(session)
    both = make_mention(session, brand, text="Glass in my COFFEE, said Zoë")
    make_mention(session, brand, text="coffee without anything in it")
    gone = make_mention(session, brand, text="glass coffee")
    gone.text = ""
    session.flush()

    def found(words: str) -> list[int]:
        return list(session.scalars(select(Mention.id).where(text_contains(session, words))))

    assert found("coffee glass") == [both.id]
    assert found("glas") == []
    assert len(found("coffee")) == 2
    assert found("glass NOT coffee") == []
    assert len(found(" ")) == 3
