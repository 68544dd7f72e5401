"""Reminding people of what is overdue: a statement, an update, a task of the playbook."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.logs import get_logger, place_of
from config.phrases import Moment, phrase
from crm_link.escalation.delivery.outbox import pinned_protocol, tell
from crm_link.escalation.locking import lock_incident
from crm_link.escalation.playbook.clocks import (
    DueClock,
    add_reminder,
    clocks_due,
    mark_reminded,
    responsible,
)

log = get_logger(__name__)

#: Reminders of one call; the next call takes the rest.
MOST_AT_ONCE = 50


def remind_overdue(sessions: sessionmaker[Session], *, clock: Clock) -> int:
    """Remind people of everything that is overdue; return how many reminders there were.

    Each is one transaction: after a crash what was reminded of is not reminded of again.
    """
    now = clock()
    with read_session(sessions) as session:
        due = clocks_due(session, now, limit=MOST_AT_ONCE)
    done = 0
    for one in due:
        try:
            done += _remind(sessions, one, now)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken incident must not hold up the others
            kind, at = type(error).__name__, place_of(error)
            log.error("reminder broke", incident_id=one.incident_id, kind=kind, at=at)
    return done


def _remind(sessions: sessionmaker[Session], due: DueClock, now: datetime) -> bool:
    with sessions.begin() as session:
        incident = lock_incident(session, due.incident_id)
        still = clocks_due(session, now, incident_id=incident.id)
        current = next((one for one in still if (one.kind, one.id) == (due.kind, due.id)), None)
        if current is None:
            return False  # done or silenced meanwhile, or another worker was faster
        protocol = pinned_protocol(session, incident)
        people = responsible(session, protocol, incident, current.owner, now)
        tell(
            session,
            incident,
            protocol,
            people,
            reason="overdue",
            tag=f"{due.kind}{due.id}-{int(now.timestamp())}",
            about=phrase(
                "Overdue since %(since)s: %(what)s.", since=Moment(due.due_at), what=due.words
            ),
            now=now,
        )
        add_reminder(session, current, people, now)
        mark_reminded(session, [current], now)
    log.info("people reminded", incident_id=due.incident_id, of=due.kind)
    return True
