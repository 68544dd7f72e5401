"""The embedded engine: APScheduler calls the steps, unfinished rows are the backlog.

Each step finds its own work in the database, so that a step that crashed or is late is
behind, never wrong. Nothing here holds state that a restart would lose.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.orm import Session, sessionmaker

from api.batches import do_batch
from api.jobs import Job, guarded
from config.clock import Clock, utc_now
from config.db import read_session
from config.errors import AppError
from config.logs import get_logger
from config.settings import Settings
from crm_link import contacts, service, writeback
from crm_link.crm import Crm
from crm_link.escalation import chain, detect, notify
from crm_link.escalation.protocols import Protocols
from crm_link.triage import triage_mentions
from listener import retention
from listener.models import Step
from listener.service import collect, pending_counts, pending_ids
from listener.sources import due_sources
from sentiment.bursts import step_bursts
from sentiment.rescoring import rescore_outdated
from sentiment.scorer import Scorer
from sentiment.service import score_mentions

log = get_logger(__name__)

#: Mentions that one step takes at a time: per-item work costs 2 to 18 times more, and 256 costs
#: a sixth more than this (tests/benchmarks/bench_pipeline.py).
BATCH = 1_024

#: Sources that are collected at the same time; they wait for networks most of the time.
COLLECTING_THREADS = 8

#: Rounds of deliveries that may run side by side.
DELIVERIES_AT_ONCE = 3

#: A late job is better than a skipped one, however late, in seconds.
MISFIRE_GRACE_S = 86_400

#: Seconds between two looks at the CRM's contacts, rounds of write-backs, of rescoring, and of
#: cleaning up.
CONTACTS_EVERY_S = 60
WRITE_BACK_EVERY_S = 5
RESCORE_EVERY_S = 5
MAINTENANCE_EVERY_S = 3600


@dataclass(slots=True)
class Engine:
    """All steps of the pipeline over one database."""

    settings: Settings
    sessions: sessionmaker[Session]
    scorer: Scorer
    protocols: Protocols
    crm: Crm | None = None
    clock: Clock = utc_now
    #: One thread at a time works through the mentions and moves incidents on.
    _pipeline: threading.Lock = field(default_factory=threading.Lock)

    def collect_due(self) -> int:
        """Collect every source that is due; return how many new mentions came in."""
        with read_session(self.sessions) as session:
            due = due_sources(session, self.clock())
        if not due:
            return 0
        with ThreadPoolExecutor(COLLECTING_THREADS, thread_name_prefix="collect") as pool:
            return sum(pool.map(self.collect_one, due))

    def collect_one(self, source_id: int) -> int:
        """Collect one source; a platform's failure is on the source's record, not raised."""
        try:
            keep_raw = self.settings.raw_retention_days > 0
            return collect(self.sessions, source_id, clock=self.clock, keep_raw=keep_raw).new
        except AppError as error:
            log.warning("collection failed", source_id=source_id, kind=type(error).__name__)
            return 0

    def work_backlog(self, *, on_batch: Callable[[Step, int], None] | None = None) -> int:
        """Score, link and triage everything that waits; return how many steps were done."""
        steps = self._steps()
        done = 0
        with self._pipeline:
            while True:
                before = done
                for step, work in steps.items():
                    with read_session(self.sessions) as session:
                        ids = pending_ids(session, step, BATCH)
                    if not ids:
                        continue
                    count = do_batch(step, work, ids)
                    done += count
                    if on_batch is not None:
                        on_batch(step, count)
                if done == before:
                    return done

    def backlog_steps(self) -> int:
        """Return how many steps the waiting mentions have before them."""
        with read_session(self.sessions) as session:
            waiting = pending_counts(session)
        order = list(Step)
        return sum(count * (len(order) - order.index(step)) for step, count in waiting.items())

    def _steps(self) -> dict[Step, Callable[[list[int]], int]]:
        return {
            Step.SCORE: lambda ids: score_mentions(
                self.sessions, self.scorer, ids, clock=self.clock
            ),
            Step.LINK: lambda ids: service.link_mentions(self.sessions, ids, clock=self.clock),
            Step.TRIAGE: lambda ids: triage_mentions(
                self.sessions, ids, self.protocols.by_brand(), clock=self.clock
            ),
        }

    def find_bursts(self) -> int:
        """Bring the burst index up to now; return how many buckets of time were taken."""
        return step_bursts(self.sessions, clock=self.clock)

    def detect(self) -> int:
        """Open, join and let go of incidents; return how many changed."""
        return len(detect.detect(self.sessions, self.protocols.by_brand(), clock=self.clock))

    def move_chains(self) -> int:
        """Take the steps of escalation chains that are due; return how many moved on."""
        return chain.run_due_steps(self.sessions, clock=self.clock)

    def escalate(self) -> int:
        """Find bursts, raise incidents and move their chains on; return how many changed."""
        self.find_bursts()
        return self.detect() + self.move_chains()

    def deliver(self) -> int:
        """Send what is in the outbox of alerts; return how many left."""
        return notify.deliver_notifications(
            self.sessions, clock=self.clock, public_url=self.settings.resolved_public_url()
        )

    def write_back(self) -> int:
        """Link again whose contacts changed, and write enrichment to the CRM."""
        service.relink_due(self.sessions, limit=BATCH, clock=self.clock)
        if self.crm is None:
            return 0
        return writeback.deliver_write_backs(
            self.sessions, self.crm, name=self.settings.crm, clock=self.clock
        )

    def sync_contacts(self) -> int:
        """Bring what changed in the CRM into our mirror; return how many contacts did."""
        if self.crm is None or not self.crm.has_contacts:
            return 0
        found = contacts.sync_contacts(
            self.sessions, self.crm, name=self.settings.crm, clock=self.clock
        )
        changed = found.new + found.changed + found.deleted
        if changed or found.rejected:
            log.info("contacts synced", changed=changed, rejected=len(found.rejected))
        return changed

    def rescore(self) -> int:
        """Put what another scorer judged back into the queue, while nothing new waits."""
        with self.sessions.begin() as session:
            return rescore_outdated(session, self.scorer.versions, limit=BATCH)

    def maintain(self) -> None:
        """Delete what retention says."""
        retention.purge(
            self.sessions, self.clock(), raw_retention_days=self.settings.raw_retention_days
        )

    def run_once(self) -> dict[str, int]:
        """Do every step once, in order; return what each did."""
        return {
            "contacts": self.sync_contacts(),
            "collected": self.collect_due(),
            "processed": self.work_backlog(),
            "escalated": self.escalate(),
            "delivered": self.deliver(),
            "written_back": self.write_back(),
        }


class Worker:
    """Calls the steps of an engine for as long as the process lives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._collectors = ThreadPoolExecutor(COLLECTING_THREADS, thread_name_prefix="collect")
        self._waiting: set[int] = set()
        self._lock = threading.Lock()
        # A store of jobs in the database would be shared by two processes and double every
        # job, and delete what it cannot unpickle: the schedule is rebuilt at each start.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_GRACE_S,
            },
        )

    def start(self) -> None:
        """Begin to work."""
        tick_s = self._engine.settings.tick_s
        jobs = (
            Job("collect", self._collect, tick_s),
            Job("pipeline", self._pipeline, tick_s),
            # Each by itself: an alert waits neither for a backlog nor for what failed before it.
            Job("bursts", self._engine.find_bursts, tick_s),
            Job("detect", self._detect, tick_s),
            Job("chains", self._move_chains, tick_s),
            # Rows are claimed, so that a slow channel holds up only the messages it carries.
            Job("deliver", self._engine.deliver, tick_s, at_once=DELIVERIES_AT_ONCE),
            Job("contacts", self._engine.sync_contacts, CONTACTS_EVERY_S),
            Job("write_back", self._engine.write_back, max(tick_s, WRITE_BACK_EVERY_S)),
            Job("rescore", self._engine.rescore, max(tick_s, RESCORE_EVERY_S)),
            Job("maintain", self._engine.maintain, MAINTENANCE_EVERY_S),
        )
        now = datetime.now(self._scheduler.timezone)
        for number, job in enumerate(jobs):
            self._scheduler.add_job(
                guarded(job.name, job.work),
                "interval",
                seconds=job.every_s,
                id=job.name,
                max_instances=job.at_once,
                next_run_time=now + timedelta(milliseconds=50 * number),
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Finish the steps that are running, and start none."""
        self._scheduler.shutdown(wait=True)
        self._collectors.shutdown(wait=True, cancel_futures=True)

    def _collect(self) -> None:
        # A slow platform holds its own thread only: the next tick starts the others.
        with read_session(self._engine.sessions) as session:
            due = due_sources(session, self._engine.clock())
        with self._lock:
            # One that waits for a thread is still due: collected once, not once for each tick.
            new = [source_id for source_id in due if source_id not in self._waiting]
            self._waiting.update(new)
        for source_id in new:
            self._collectors.submit(self._collect_one, source_id)

    def _collect_one(self, source_id: int) -> None:
        def work() -> None:
            if self._engine.collect_one(source_id):
                self._hurry("pipeline")

        try:
            guarded("collect", work)()
        finally:
            with self._lock:
                self._waiting.discard(source_id)

    def _pipeline(self) -> None:
        if self._engine.work_backlog():
            self._hurry("detect")

    def _detect(self) -> None:
        if self._engine.detect():
            self._hurry("deliver")

    def _move_chains(self) -> None:
        if self._engine.move_chains():
            self._hurry("deliver")

    def _hurry(self, job: str) -> None:
        if self._scheduler.running:
            self._scheduler.modify_job(job, next_run_time=datetime.now(self._scheduler.timezone))
