"""The outbox of replies: claimed, posted outside any transaction, recorded. Nothing goes out twice.

No platform knows an idempotency key for posts. So a row is `sending` before a request leaves, in
a transaction of its own; one that is still so when its lease ran out, and one whose answer did
not come, is in doubt. The account's own posts are looked through then (`looking`), and only what
is surely not there is posted again; what cannot be told is left to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, sessionmaker

from config.clock import Clock, utc_now
from config.db import in_transaction
from config.errors import BudgetExhaustedError, InputError, TransientError
from config.logs import get_logger
from crm_link.flags.flagging import MACHINE
from crm_link.replying.changes import APPROVAL_LASTS
from crm_link.replying.events import add_event
from crm_link.replying.models import DUE, Reply, ReplyState
from crm_link.replying.outcomes import Outcome, looked_for, record, tried
from listener.models import Brand, Mention
from listener.replier import (
    OwnPost,
    Refusal,
    Replier,
    ReplyRefusedError,
    make_replier,
)

#: How long a claimed reply is nobody else's, and until when its request may begin, in seconds.
LEASE_S = 180.0
LAST_POST_S = 60.0

#: Replies of one round: few, so that the last of them still begins in time.
ROUND = 5

_log = get_logger(__name__)

MakeReplier = Callable[[str, str], Replier]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reply that this process works on until the lease ends."""

    id: int
    platform: str
    account: str
    reply_to: str
    text: str
    lease_until: datetime
    tried_at: datetime
    is_look: bool


def deliver_replies(
    sessions: sessionmaker[Session],
    *,
    clock: Clock = utc_now,
    make: MakeReplier = make_replier,
    limit: int = ROUND,
) -> int:
    """Post what is due and look for what is in doubt; return how many replies are out now.

    Platforms' failures are on the replies' records; nothing is raised for them.
    """
    began = clock()
    claimed = in_transaction(sessions, lambda session: _claim(session, limit, began))
    done = 0
    for (platform, account), group in groupby(claimed, key=lambda one: (one.platform, one.account)):
        with _open(make, platform, account) as replier:
            for one in group:
                is_late = clock() > began + timedelta(seconds=LAST_POST_S)
                outcome = _not_begun(one) if is_late else _ask(replier, one)
                work = partial(record, reply_id=one.id, outcome=outcome, clock=clock)
                state = in_transaction(sessions, work)
                done += state is ReplyState.POSTED
                _log.info("reply", reply=one.id, state=state.value if state else "erased")
    return done


def _not_begun(one: Claimed) -> Outcome:
    return (looked_for if one.is_look else tried)(one.lease_until, None)


def _ask(replier: Replier | InputError, one: Claimed) -> Outcome:
    return _look(replier, one) if one.is_look else _post(replier, one)


def _claim(session: Session, limit: int, now: datetime) -> Sequence[Claimed]:
    """Take due replies, with their state, into one transaction; drills' are never due."""
    rows = session.scalars(
        select(Reply)
        .join(Brand, Brand.id == Reply.brand_id)
        .options(joinedload(Reply.mention))
        .where(
            Reply.state.in_(DUE),
            Reply.next_attempt_at <= now,
            Brand.drill_of_id.is_(None),
        )
        .order_by(Reply.next_attempt_at, Reply.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Reply)
    ).all()
    until = now + timedelta(seconds=LEASE_S)
    claimed = []
    for row in rows:
        if row.state is ReplyState.APPROVED and _is_over(session, row, row.mention, now):
            continue
        is_look = row.state is not ReplyState.APPROVED
        if row.state is ReplyState.SENDING:
            row.state, row.version = ReplyState.IN_DOUBT, row.version + 1
            note = "whoever posted it did not say what became of it"
            add_event(session, row, "in doubt", by=MACHINE, now=now, note=note)
        elif row.state is ReplyState.APPROVED:
            row.state, row.attempts = ReplyState.SENDING, row.attempts + 1
            row.version += 1
            row.tried_at = row.tried_at or now
        row.lease_until = row.next_attempt_at = until
        row.updated_at = now
        claimed.append(
            Claimed(
                row.id,
                row.platform,
                row.account,
                row.mention.external_id,
                row.text,
                until,
                row.tried_at or now,
                is_look,
            )
        )
    return sorted(claimed, key=lambda one: (one.platform, one.account))


def _is_over(session: Session, row: Reply, mention: Mention, now: datetime) -> bool:
    """Say whether a reply is not to go out any more, and why."""
    if mention.deleted_at is not None:
        refusal, why = Refusal.GONE, "the post was deleted before the reply went out"
    elif row.approved_at is None or now - row.approved_at > APPROVAL_LASTS:
        hours = int(APPROVAL_LASTS.total_seconds() // 3600)
        refusal, why = None, f"it did not go out within {hours} hours of its approval"
    else:
        return False
    row.state, row.refusal, row.last_error = ReplyState.FAILED, refusal, why
    row.version += 1
    row.next_attempt_at, row.updated_at = None, now
    add_event(session, row, "failed", by=MACHINE, now=now, note=why)
    return True


@contextmanager
def _open(make: MakeReplier, platform: str, account: str) -> Iterator[Replier | InputError]:
    """Give the account's replier, or what its settings lack."""
    try:
        replier = make(platform, account)
    except InputError as error:
        yield error
        return
    try:
        yield replier
    finally:
        replier.close()


def _post(replier: Replier | InputError, one: Claimed) -> Outcome:
    if isinstance(replier, InputError):
        return tried(one.lease_until, ReplyRefusedError(str(replier), Refusal.TOKEN))
    try:
        return tried(one.lease_until, replier.post(one.reply_to, one.text))
    except ReplyRefusedError as error:
        if error.refusal is Refusal.DUPLICATE and (found := _found(replier, one)) is not None:
            return tried(one.lease_until, found)
        return tried(one.lease_until, error)
    except (TransientError, BudgetExhaustedError) as error:
        return tried(one.lease_until, error)


def _found(replier: Replier, one: Claimed) -> OwnPost | None:
    """Return the reply where the platform says that the account posted it before."""
    try:
        return replier.find_own(one.reply_to, one.text, one.tried_at).post
    except (TransientError, BudgetExhaustedError, ReplyRefusedError):
        return None


def _look(replier: Replier | InputError, one: Claimed) -> Outcome:
    if isinstance(replier, InputError):
        return looked_for(one.lease_until, replier)
    try:
        found = replier.find_own(one.reply_to, one.text, one.tried_at)
    except (TransientError, BudgetExhaustedError, ReplyRefusedError) as error:
        return looked_for(one.lease_until, error)
    return looked_for(one.lease_until, found)
