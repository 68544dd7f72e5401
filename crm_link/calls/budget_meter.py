"""Counting the calls to a CRM's account in the database, so that all processes share one budget.

Every call takes its tokens in a short transaction before it leaves. A short wait is waited for
here; a long one is `BudgetExhaustedError`, and the work is found again when it is over.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.clock import Clock, utc_now
from config.errors import BudgetExhaustedError
from config.phrases import Number, nphrase, phrase
from crm_link.calls.budget_models import CrmBudget
from crm_link.calls.budgets import Heard, Limit
from crm_link.crm import Crm

#: The longest that a call waits for its tokens here, in seconds.
LONGEST_WAIT_S = 15.0

#: Seconds between two looks for a free place where calls at one moment are limited, and after
#: which the place of a process that was killed is free.
PLACE_WAIT_S = 0.2
PLACE_LEASE_S = 120.0

#: The share of a limit that is left to the account's other programs, once the CRM has said how
#: much is left, and the seconds until it is asked again.
RESERVE = 0.05
ASK_AGAIN_S = 900.0

#: Seconds between two notes of what the CRM said, unless little is left.
NOTE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class _Wait:
    seconds: float
    reason: str


class BudgetMeter:
    """Counts the calls of one account.

    Args:
        sessions: The database.
        crm: The CRM's name with its account.
        limits: Its limits.
        clock: The present.
        sleep: Waits for so many seconds.

    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        crm: str,
        limits: Sequence[Limit],
        *,
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sessions = sessions
        self._crm = crm
        self._limits = {limit.name: limit for limit in limits}
        self._clock = clock
        self._sleep = sleep
        self._noted_at: datetime | None = None

    def take(self, costs: Mapping[str, int]) -> str:
        """Wait until a call of these costs may be made, and count it; return its ticket.

        Raises:
            BudgetExhaustedError: That would take longer than `LONGEST_WAIT_S`.

        """
        ticket = uuid.uuid4().hex[:12]
        waited_s = 0.0
        while costs and (wait := self._try(costs, ticket)) is not None:
            if waited_s + wait.seconds > LONGEST_WAIT_S:
                raise BudgetExhaustedError(
                    phrase("%(crm)s: %(reason)s", crm=self._crm, reason=wait.reason),
                    resume_after_s=wait.seconds,
                )
            self._sleep(wait.seconds)
            waited_s += wait.seconds
        return ticket

    def give_back(self, ticket: str) -> None:
        """Free the call's place, where calls at one moment are limited."""
        names = [limit.name for limit in self._limits.values() if not limit.window_s]
        if not names:
            return
        with self._sessions.begin() as session:
            for row in self._rows(session, names):
                row.running = [one for one in row.running if not one.endswith(ticket)]

    def hear(self, said: Mapping[str, Heard]) -> None:
        """Remember what the CRM said of its limits, now and then, and when little is left."""
        now = self._clock()
        is_little = any(one.left < 2 * RESERVE * one.of for one in said.values())
        is_noted = self._noted_at and now - self._noted_at < timedelta(seconds=NOTE_EVERY_S)
        if not said or (is_noted and not is_little):
            return
        self._noted_at = now
        with self._sessions.begin() as session:
            for row in self._rows(session, said):
                row.said_left, row.said_of = said[row.name].left, said[row.name].of
                row.said_at = now

    def pause(self, limit: str | None, wait_s: float, reason: str) -> None:
        """Let no process call for a time."""
        until = self._clock() + timedelta(seconds=wait_s)
        with self._sessions.begin() as session:
            for row in self._rows(session, [limit] if limit in self._limits else self._limits):
                if row.paused_until is None or row.paused_until < until:
                    row.paused_until, row.reason = until, reason

    def _try(self, costs: Mapping[str, int], ticket: str) -> _Wait | None:
        """Take the tokens of all limits, or none of them and say how long to wait."""
        now = self._clock()
        with self._sessions.begin() as session:
            rows = self._rows(session, costs)
            waits = [wait for row in rows if (wait := self._wait(row, costs[row.name], now))]
            if waits:
                return max(waits, key=lambda wait: wait.seconds)
            for row in rows:
                if self._limits[row.name].window_s:
                    row.tokens -= costs[row.name]
                else:
                    end = now + timedelta(seconds=PLACE_LEASE_S)
                    row.running = [*row.running, f"{end.isoformat()} {ticket}"]
        return None

    def _wait(self, row: CrmBudget, cost: int, now: datetime) -> _Wait | None:
        limit = self._limits[row.name]
        if row.paused_until is not None and row.paused_until > now:
            return _Wait((row.paused_until - now).total_seconds(), row.reason or phrase("paused"))
        if row.said_left is not None and row.said_of and row.said_at is not None:
            again = row.said_at + timedelta(seconds=ASK_AGAIN_S)
            if row.said_left <= RESERVE * row.said_of and again > now:
                kept = phrase(
                    "%(left)s of %(all)s calls (%(limit)s) are left, kept for the account's other "
                    "programs",
                    left=Number(row.said_left),
                    all=Number(row.said_of),
                    limit=row.name,
                )
                return _Wait((again - now).total_seconds(), kept)
        if not limit.window_s:
            row.running = [one for one in row.running if datetime.fromisoformat(one[:-13]) > now]
            is_full = len(row.running) >= limit.size
            return (
                _Wait(
                    PLACE_WAIT_S,
                    nphrase("%(num)s call at once", "%(num)s calls at once", limit.size),
                )
                if is_full
                else None
            )
        since_s = max((now - row.filled_at).total_seconds(), 0.0)
        row.tokens = min(limit.at_once, row.tokens + since_s * limit.per_s)
        row.filled_at = max(now, row.filled_at)
        # A call that costs more than there can ever be is made when all is there.
        missing = min(float(cost), limit.at_once) - row.tokens
        if missing <= 0:
            return None
        reason = f"the budget of {limit.size} ({row.name}) is used up for the moment"
        return _Wait(missing / limit.per_s + 0.001, reason)

    def _rows(self, session: Session, names: Iterable[str]) -> list[CrmBudget]:
        """Return the rows of these limits, made if they are not there, held and in order."""
        wanted = sorted(name for name in names if name in self._limits)
        query = (
            select(CrmBudget)
            .where(CrmBudget.crm == self._crm, CrmBudget.name.in_(wanted))
            .order_by(CrmBudget.name)
            .with_for_update()
        )
        rows = list(session.scalars(query))
        if len(rows) < len(wanted):
            new = [self._new_row(self._limits[name]) for name in wanted]
            insert_new(session, CrmBudget, new, key=["crm", "name"])
            rows = list(session.scalars(query))
        for row in rows:
            limit = self._limits[row.name]
            row.size, row.window_s = limit.size, limit.window_s
        return rows

    def _new_row(self, limit: Limit) -> dict[str, object]:
        return {
            "crm": self._crm,
            "name": limit.name,
            "size": limit.size,
            "window_s": limit.window_s,
            "tokens": limit.at_once,
            "filled_at": self._clock(),
            "running": [],
        }


def use_meters(
    crms: Mapping[str, Crm], sessions: sessionmaker[Session], *, clock: Clock = utc_now
) -> None:
    """Let the calls of these CRMs, by name, be counted in the database."""
    for name, crm in crms.items():
        if crm.limits:
            crm.use_meter(BudgetMeter(sessions, name, crm.limits, clock=clock))
