"""What people do with replies that are posted, through the console or the API alike."""

from __future__ import annotations

from api.deps import Actor, State
from api.models import Role
from crm_link.replying import changes
from crm_link.replying.models import Reply


def write(actor: Actor, state: State, mention_id: int, text: str, *, closes: bool) -> Reply:
    """Write a reply to a mention and ask for its approval."""
    reply = changes.write_reply(
        actor.session,
        mention_id,
        text,
        by=actor.name,
        clock=actor.clock,
        closes=closes,
        posts=state.settings.posts_replies,
    )
    return _recorded(actor, "written", reply)


def edit(
    actor: Actor,
    state: State,
    reply_id: int,
    text: str,
    *,
    version: int,
    closes: bool | None = None,
) -> Reply:
    """Write a reply anew."""
    reply = changes.edit_reply(
        actor.session,
        reply_id,
        text,
        version=version,
        by=actor.name,
        clock=actor.clock,
        closes=closes,
        posts=state.settings.posts_replies,
    )
    return _recorded(actor, "edited", reply)


def approve(actor: Actor, state: State, reply_id: int, *, version: int) -> Reply:
    """Let a reply go out."""
    reply = changes.approve_reply(
        actor.session,
        reply_id,
        version=version,
        by=actor.name,
        clock=actor.clock,
        is_admin=actor.user.role is Role.ADMIN,
        posts=state.settings.posts_replies,
    )
    return _recorded(actor, "approved", reply)


def send_back(actor: Actor, reply_id: int, why: str, *, version: int) -> Reply:
    """Give a reply back to whoever wrote it."""
    reply = changes.send_back(
        actor.session, reply_id, why, version=version, by=actor.name, clock=actor.clock
    )
    return _recorded(actor, "sent back", reply)


def cancel(actor: Actor, reply_id: int, *, version: int) -> Reply:
    """Give a reply up before it went out."""
    reply = changes.cancel_reply(
        actor.session, reply_id, version=version, by=actor.name, clock=actor.clock
    )
    return _recorded(actor, "cancelled", reply)


def retry(actor: Actor, state: State, reply_id: int, *, version: int) -> Reply:
    """Post what did not go out again."""
    reply = changes.retry_reply(
        actor.session,
        reply_id,
        version=version,
        by=actor.name,
        clock=actor.clock,
        posts=state.settings.posts_replies,
    )
    return _recorded(actor, "tried again", reply)


def settle(actor: Actor, reply_id: int, *, is_there: bool, url: str, version: int) -> Reply:
    """Say of a reply in doubt whether it is there."""
    reply = changes.settle_reply(
        actor.session,
        reply_id,
        is_there=is_there,
        url=url.strip(),
        version=version,
        by=actor.name,
        clock=actor.clock,
    )
    return _recorded(actor, "found" if is_there else "found not to be there", reply)


def _recorded(actor: Actor, action: str, reply: Reply) -> Reply:
    actor.record(f"reply {reply.id} {action}", f"mention {reply.mention_id}")
    return reply
