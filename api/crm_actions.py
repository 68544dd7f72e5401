"""What people do about dead letters, through the console or the API alike."""

from __future__ import annotations

from collections.abc import Sequence

from api.deps import Actor
from crm_link.outbox.dead_letters import drop_letter, retry_letter, retry_letters


def retry_one(actor: Actor, letter_id: int) -> None:
    """Let a dead letter be tried again."""
    retry_letter(actor.session, letter_id, now=actor.clock())
    actor.record("write-back retried", f"write-back {letter_id}")


def retry_all(actor: Actor, crms: Sequence[str]) -> int:
    """Let all dead letters of some CRMs be tried again; return how many."""
    count = retry_letters(actor.session, crms, now=actor.clock())
    actor.record("write-backs retried", f"{count} of {', '.join(crms)}")
    return count


def drop_one(actor: Actor, letter_id: int) -> None:
    """Give a dead letter up."""
    drop_letter(actor.session, letter_id)
    actor.record("write-back dropped", f"write-back {letter_id}")
