"""What people change in the review queue, through the console or the API alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from api.deps import Actor
from api.models import User
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.flags import queue_presence, queue_views
from crm_link.flags.acts import MAX_AT_ONCE, Act, Change, Changed
from crm_link.flags.changes import change_flags
from crm_link.flags.links import OF_LINKS, decided_links
from crm_link.flags.models import QueuePresence, QueueView
from crm_link.flags.queue import QueueFilter, ids_of
from crm_link.flags.undo import undo_changes
from crm_link.mention_priority import give_priority
from crm_link.mention_view import get_mention
from crm_link.models import Flag
from crm_link.types import Priority


def change(
    actor: Actor,
    change: Change,
    mention_ids: Sequence[int],
    *,
    seen: Mapping[int, int] | None = None,
) -> Changed:
    """Do the same to these mentions' flags.

    Raises:
        NotFoundError: The only one is not flagged.
        ConflictError: None of them could be changed; the message says why of the first.

    """
    if not mention_ids:
        raise InputError("choose a mention first")
    if change.assignee is not None:
        _check_assignee(actor, change.assignee)
    done = change_flags(
        actor.session, mention_ids, change, by=actor.name, clock=actor.clock, seen=seen
    )
    if not done.events:
        flags = select(Flag.id).where(Flag.mention_id == mention_ids[0])
        is_known = actor.session.scalar(flags) is not None
        raise (ConflictError if is_known else NotFoundError)(next(iter(done.left.values())))
    actor.record(f"flag {change.act}", _subject(done))
    if change.act in OF_LINKS:
        what = "link confirmed" if change.act is Act.LINK else "link rejected"
        for link_id in decided_links(list(done.events.values())):
            actor.record(what, f"link {link_id}")
    for incident_id in sorted(incidents_of(done)):
        actor.record("mentions escalated", f"incident {incident_id}")
    return done


def incidents_of(done: Changed) -> set[int]:
    """Return the incidents that a change opened or joined."""
    found = (event.after.get("incident_id") for event in done.events.values())
    return {incident_id for incident_id in found if incident_id is not None}


def change_all(actor: Actor, change_: Change, wanted: QueueFilter) -> Changed:
    """Do the same to all that a filter finds, what is due first, up to `MAX_AT_ONCE`."""
    ids = ids_of(actor.session, wanted, now=actor.clock(), limit=MAX_AT_ONCE)
    if not ids:
        raise NotFoundError("nothing in the queue matches any more")
    return change(actor, change_, ids)


def undo(actor: Actor, batch: str) -> Changed:
    """Take an action back."""
    done = undo_changes(actor.session, batch, by=actor.name, clock=actor.clock)
    actor.record("flag action undone", _subject(done))
    for link_id in decided_links(list(done.events.values())):
        actor.record("link decision undone", f"link {link_id}")
    return done


def correct_priority(actor: Actor, mention_id: int, priority: Priority) -> None:
    """Say what a mention that is not in the queue asks for."""
    mention = get_mention(actor.session, mention_id)
    if mention.deleted_at is not None:
        raise ConflictError(
            "mention %(mention_id)s was deleted by its author: nothing to correct",
            mention_id=mention_id,
        )
    give_priority(actor.session, mention, priority, by=actor.name, clock=actor.clock)
    actor.record(f"priority set to {priority}", f"mention {mention_id}")


def save_view(
    actor: Actor, name: str, filters: Mapping[str, str], *, is_shared: bool, is_default: bool
) -> QueueView:
    """Keep filters under a name."""
    view = queue_views.save_view(
        actor.session,
        actor.name,
        name,
        filters,
        clock=actor.clock,
        is_shared=is_shared,
        is_default=is_default,
    )
    actor.record("queue view saved", f"view {view.id}")
    return view


def remove_view(actor: Actor, view_id: int) -> QueueView:
    """Remove one of the actor's views."""
    view = queue_views.remove_view(actor.session, actor.name, view_id)
    actor.record("queue view removed", f"view {view_id}")
    return view


def be_present(
    actor: Actor, mention_id: int | None, *, is_working: bool = False
) -> list[QueuePresence]:
    """Say with which mention the actor is, None with none; return who else is with it."""
    if mention_id is None:
        queue_presence.leave(actor.session, actor.name, clock=actor.clock)
        return []
    get_mention(actor.session, mention_id)
    return queue_presence.be_present(
        actor.session,
        mention_id,
        who=actor.name,
        name=actor.user.name,
        is_working=is_working,
        clock=actor.clock,
    )


def _check_assignee(actor: Actor, email: str) -> None:
    found = actor.session.scalar(select(User.id).where(User.email == email, User.is_active))
    if found is None:
        raise InputError(
            "there is no active user %(email)s; mentions are assigned to people who can sign in",
            email=email,
        )


def _subject(done: Changed) -> str:
    """Name what was changed for the audit log; the events of a batch name each mention."""
    ids = list(done.events)
    return f"mention {ids[0]}" if len(ids) == 1 else f"queue {done.batch}"
