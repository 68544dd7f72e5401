"""Links and unlinks from the queue: of the authors of some mentions, undone with their action."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError
from config.phrases import phrase
from crm_link.flags.acts import Act, Change, Pair
from crm_link.flags.models import FlagEvent
from crm_link.linking import link_decisions, link_undo
from crm_link.linking.hand_links import link_by_hand, links_of, went_on
from crm_link.models import Flag
from crm_link.types import LinkState

#: What changes the links of authors; its events keep link -> event of the link.
OF_LINKS = frozenset({Act.LINK, Act.UNLINK})


def change_links(
    session: Session,
    flags: Mapping[int, Flag],
    change: Change,
    by: str,
    clock: Clock,
    left: dict[int, str],
) -> dict[int, Pair]:
    """Link the authors of these mentions to a contact, or unlink them from theirs.

    Those that cannot be are added to `left` with why. An author who wrote several of the
    mentions is decided about once.

    Raises:
        NotFoundError: There is no such contact.
        InputError: The platform's terms ask whether it would surprise the person.

    """
    by_author: dict[int, list[int]] = {}
    for mention_id, flag in flags.items():
        author_id = flag.mention.author_id
        if author_id is None:
            left[mention_id] = phrase(
                "the platform does not say who wrote mention %(mention_id)s", mention_id=mention_id
            )
        else:
            by_author.setdefault(author_id, []).append(mention_id)
    decide = _link if change.act is Act.LINK else _unlink
    pairs: dict[int, Pair] = {}
    # In one order, as others hold links too.
    for author_id in sorted(by_author):
        try:
            decided = decide(session, author_id, change, by, clock)
        except ConflictError as error:
            left |= dict.fromkeys(by_author[author_id], error.said)
            continue
        after: dict[str, Any] = {"links": {str(link): event for link, event in decided.items()}}
        if change.contact_id is not None:
            after["contact_id"] = change.contact_id
        pairs |= dict.fromkeys(by_author[author_id], ({}, after))
    return pairs


def links_that_went_on(session: Session, events: Sequence[FlagEvent]) -> dict[int, str]:
    """Return the mentions about whose links somebody decided since, with what to say."""
    moved = went_on(session, {link: own for event in events for link, own in _decided(event)})
    return {
        event.mention_id: phrase(
            "somebody decided about link %(link)s since; it stays so", link=link
        )
        for event in events
        for link, _ in _decided(event)
        if link in moved
    }


def undo_links(session: Session, events: Sequence[FlagEvent], by: str, clock: Clock) -> None:
    """Take the decisions of an action back, each once."""
    for link_id in sorted({link for event in events for link, _ in _decided(event)}):
        link_undo.undo(session, link_id, by=by, clock=clock)


def decided_links(events: Sequence[FlagEvent]) -> list[int]:
    """Return the links that an action decided about."""
    return sorted({link for event in events for link, _ in _decided(event)})


def _decided(event: FlagEvent) -> list[tuple[int, int]]:
    return [(int(link), int(own)) for link, own in event.after.get("links", {}).items()]


_Decide = Callable[[Session, int, Change, str, Clock], dict[int, int]]


def _link(
    session: Session, author_id: int, change: Change, by: str, clock: Clock
) -> dict[int, int]:
    assert change.contact_id is not None
    event = link_by_hand(
        session,
        author_id,
        change.contact_id,
        by=by,
        clock=clock,
        is_expected=change.is_expected,
    )
    return {event.link_id: event.id}


def _unlink(
    session: Session, author_id: int, change: Change, by: str, clock: Clock
) -> dict[int, int]:
    links = links_of(session, [author_id], LinkState.CONFIRMED).get(author_id, [])
    if change.contact_id is not None:
        links = [link for link in links if link.contact_id == change.contact_id]
    if not links:
        raise ConflictError("they are linked to nobody in the CRM")
    decided: dict[int, int] = {}
    for link in links:
        held = link_decisions.hold_link(session, link.id)
        if held.state is not LinkState.CONFIRMED:
            raise ConflictError("link %(id)s is %(state)s already", id=link.id, state=held.state)
        event = link_decisions.decide(session, held, LinkState.REJECTED, by, clock(), "")
        decided[link.id] = event.id
    return decided
