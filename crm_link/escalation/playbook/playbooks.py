"""The playbook of an incident: its tasks, with owners and due times, as a checklist."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, NotFoundError
from crm_link.escalation.delivery.outbox import add_event, pinned_protocol
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.playbook.playbook_models import IncidentTask
from crm_link.escalation.protocol import EscalationProtocol, Severity
from crm_link.escalation.protocol_parts.playbook import PlaybookTask
from crm_link.escalation.signs_of_work import show_work

#: Tasks that are done by publishing a statement.
PUBLISHING_TASKS = frozenset({"publish_holding", "next_update"})


def list_tasks(
    session: Session, incident_id: int, *, with_dropped: bool = False
) -> Sequence[IncidentTask]:
    """Return the tasks of an incident's playbook in their order."""
    query = select(IncidentTask).where(IncidentTask.incident_id == incident_id)
    if not with_dropped:
        query = query.where(IncidentTask.dropped_at.is_(None) | IncidentTask.done_at.is_not(None))
    return session.scalars(query.order_by(IncidentTask.position, IncidentTask.id)).all()


def start_playbook(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    name: str | None,
    *,
    now: datetime,
) -> None:
    """Make the playbook `name` the incident's: its tasks begin, those of the one before end.

    Tasks that both have go on as they are, done ones stay done.
    """
    playbook = protocol.playbooks.get(name or "")
    incident.playbook = None if playbook is None else name
    if playbook is None or name is None:
        return
    severity = protocol.find_severity(incident.severity)
    there = {task.key: task for task in list_tasks(session, incident.id, with_dropped=True)}
    wanted = {task.id for task in playbook.tasks}
    for row in there.values():
        if row.key not in wanted and row.done_at is None and row.dropped_at is None:
            row.dropped_at = now
    for position, task in enumerate(playbook.tasks):
        due = _due_in(task, severity)
        old = there.get(task.id)
        row = old or IncidentTask(
            incident_id=incident.id, key=task.id, done_at=None, done_by=None, reminded_at=None
        )
        if old is None or (old.dropped_at is not None and old.done_at is None):
            row.due_at = None if due is None else now + due
        session.add(row)
        row.playbook, row.position, row.dropped_at = name, position, None
        row.title = task.words
        row.owner = task.owner or playbook.owner or incident.acknowledged_by or ""
    session.flush()


def _due_in(task: PlaybookTask, severity: Severity | None) -> timedelta | None:
    """Return how long a task may take: its own time, else what the severity says of it."""
    if task.due is not None or severity is None:
        return task.due
    if task.id == "publish_holding":
        return severity.holding_statement
    return severity.updates if task.id == "next_update" else None


def do_task(
    session: Session, incident_id: int, key: str, *, by: str, clock: Clock, is_done: bool = True
) -> IncidentTask:
    """Tick a task off, or take that back; it shows that the incident is worked on.

    Raises:
        NotFoundError: There is no such incident, or it has no such task.
        ConflictError: It is done already, or not done, or the incident is resolved.

    """
    incident = lock_unresolved(session, incident_id)
    task = session.scalar(
        select(IncidentTask).where(IncidentTask.incident_id == incident_id, IncidentTask.key == key)
    )
    if task is None:
        raise NotFoundError(
            "incident %(incident_id)s has no task '%(key)s'", incident_id=incident_id, key=key
        )
    if is_done == (task.done_at is not None):
        if is_done:
            raise ConflictError(
                "'%(task)s' is done already, by %(who)s", task=task.title, who=task.done_by
            )
        raise ConflictError("'%(task)s' is not done yet", task=task.title)
    now = clock()
    task.done_at, task.done_by = (now, by) if is_done else (None, None)
    detail = {"task": key, "title": task.title}
    add_event(session, incident_id, "task_done" if is_done else "task_undone", by, now, detail)
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        show_work(incident, pinned_protocol(session, incident), now)
    session.flush()
    return task


def finish_publishing_tasks(session: Session, incident_id: int, *, by: str, now: datetime) -> None:
    """Tick off what a published statement does by itself."""
    for task in list_tasks(session, incident_id):
        if task.key in PUBLISHING_TASKS and task.done_at is None and task.dropped_at is None:
            task.done_at, task.done_by = now, by
