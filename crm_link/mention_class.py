"""A mention by the brand's protocol: its class, which a person may correct, and an answer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from config.bulk import upsert
from config.clock import Clock
from config.errors import ConflictError, NotFoundError
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.playbook.faq import SuggestedAnswer, suggest_answer
from crm_link.escalation.playbook.playbook_models import MentionClass
from crm_link.negative_class import NegativeClass
from crm_link.triage_rules import TriageInput, rules_of
from listener.models import Mention
from sentiment.types import Label


@dataclass(frozen=True, slots=True)
class ByProtocol:
    """What the brand's protocol says to a mention.

    Args:
        kind: The class of a negative one; None: it is not negative.
        decided_by: Who gave it the class, None where the rules did.
        route: What is done with it.
        answer: The answer of the protocol that fits its question, if one does.

    """

    kind: NegativeClass | None
    decided_by: str | None
    route: str
    answer: SuggestedAnswer | None


def by_protocol(session: Session, mention: Mention) -> ByProtocol:
    """Return what the brand's protocol says to a mention."""
    protocol = protocol_in_force(session, mention.brand_id)
    given = session.get(MentionClass, mention.id)
    rules = rules_of(protocol)
    kind = None if given is None else NegativeClass(given.kind)
    verdict = rules.judge(
        TriageInput(mention.text, mention.label, mention.confidence, mention.lang, None, kind)
    )
    gone = mention.deleted_at is not None
    return ByProtocol(
        kind=verdict.negative_class,
        decided_by=given.by if given is not None and verdict.negative_class else None,
        route=verdict.route,
        answer=None if gone else suggest_answer(protocol, mention.text, mention.lang),
    )


def correct_class(
    session: Session, mention_id: int, kind: NegativeClass, *, by: str, clock: Clock
) -> None:
    """Say what kind of negative mention one is; it goes where that class goes from now on.

    Raises:
        NotFoundError: There is no such mention.
        ConflictError: It is not negative: only negative mentions have classes.

    """
    mention = session.get(Mention, mention_id, with_for_update=True)
    if mention is None:
        raise NotFoundError("there is no mention %(mention_id)s", mention_id=mention_id)
    if mention.label != Label.NEGATIVE:
        raise ConflictError(
            "mention %(mention_id)s is not negative, and only negative ones have a class",
            mention_id=mention_id,
        )
    row = {"mention_id": mention_id, "kind": kind.value, "by": by, "at": clock()}
    upsert(session, MentionClass, [row], key=("mention_id",), update_columns=("kind", "by", "at"))
    protocol = protocol_in_force(session, mention.brand_id)
    mention.route = rules_of(protocol).route(mention.label, kind)
    session.flush()
