"""Triage in tests: a batch, and what became of a mention."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.models import Flag
from crm_link.triage import triage_mentions
from listener.models import Mention, Step
from tests.crm_link.making import (
    MovableClock,
    make_protocol,
)


def triage(sessions: sessionmaker[Session], brand_id: int, ids: list[int]) -> int:
    return triage_mentions(sessions, ids, {brand_id: make_protocol()}, clock=MovableClock())


def get_mention(sessions: sessionmaker[Session], mention_id: int) -> Mention:
    with sessions() as session:
        return session.get_one(Mention, mention_id)


def find_flag(sessions: sessionmaker[Session], mention_id: int) -> Flag | None:
    with sessions() as session:
        return session.scalar(select(Flag).where(Flag.mention_id == mention_id))


def edit(sessions: sessionmaker[Session], mention_id: int, text: str, **fields: Any) -> None:
    """Change a mention as an edit on the platform does, once it has been scored again."""
    with sessions.begin() as session:
        session.execute(
            update(Mention)
            .where(Mention.id == mention_id)
            .values(text=text, versions=Mention.versions + 1, pending=Step.TRIAGE, **fields)
        )
