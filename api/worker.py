"""The embedded worker: APScheduler calls the steps of an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor as ThreadPool
from apscheduler.schedulers.background import BackgroundScheduler

from api.engine import COLLECTING_THREADS, Engine
from api.jobs import Job, guarded
from config.db import read_session
from config.settings import read_settings
from crm_link.escalation.delivery.heartbeat import Heartbeat, HeartbeatSettings
from crm_link.escalation.delivery.presence import Presence
from listener.sources import due_sources
from sentiment.topic_windows import REMEMBER_EVERY_S

#: Jobs that run side by side; the others wait for one of these to end.
JOBS_AT_ONCE = 10

#: Rounds of deliveries that may run side by side.
DELIVERIES_AT_ONCE = 3

#: Rounds of replies that may be posted side by side: a platform that hangs holds up one.
REPLIES_AT_ONCE = 2

#: A late job is better than a skipped one, however late, in seconds.
MISFIRE_GRACE_S = 86_400

#: Seconds between two looks at the CRM's contacts, rounds of write-backs, of rescoring, and of
#: cleaning up.
CONTACTS_EVERY_S = 60
WRITE_BACK_EVERY_S = 5
RESCORE_EVERY_S = 5
MAINTENANCE_EVERY_S = 3600
SUM_EVERY_S = 5
BOARD_TOPICS_EVERY_S = 30
FIGURES_EVERY_S = 10

#: Seconds between two looks for requests to erase a person.
ERASE_EVERY_S = 10

#: Seconds between two looks at reports that are due by mail.
REPORTS_EVERY_S = 30

#: Seconds between two looks for files that somebody waits for.
FILES_EVERY_S = 1

#: Seconds between two looks at drills and reviews that are overdue.
REMIND_EVERY_S = 3600

#: Seconds between two looks at sources without data, at escalations that stopped, and at
#: on-call calendars that are due.
WATCH_EVERY_S = 30
AUDIT_EVERY_S = 20
CALENDARS_EVERY_S = 60

#: Seconds after the start in which what is overdue is the chain's own work to catch up with.
AUDIT_AFTER_S = 60


class Worker:
    """Calls the steps of an engine for as long as the process lives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._collectors = ThreadPoolExecutor(COLLECTING_THREADS, thread_name_prefix="collect")
        self._waiting: set[int] = set()
        self._lock = threading.Lock()
        self._heart = Heartbeat(
            read_settings(HeartbeatSettings),
            ("bursts", "detect", "chains", "deliver"),
            clock=engine.clock,
        )
        # A store of jobs in the database would be shared by two processes and double every
        # job, and delete what it cannot unpickle: the schedule is rebuilt at each start.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            # A file takes up to half a minute: it holds no thread that another job could need.
            executors={"default": ThreadPool(JOBS_AT_ONCE), "files": ThreadPool(1)},
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_GRACE_S,
            },
        )

    def start(self) -> None:
        """Begin to work."""
        tick_s = self._engine.settings.tick_s
        self._engine.presence = Presence(self._engine.sessions)
        watched = self._heart.watched
        jobs = (
            Job("collect", self._collect, tick_s),
            Job("pipeline", self._pipeline, tick_s),
            Job("judge", self._judge, tick_s),
            # Each by itself: an alert waits neither for a backlog nor for what failed before it.
            Job("bursts", watched("bursts", self._engine.find_bursts), tick_s),
            Job("drills", self._drill, tick_s),
            Job("detect", watched("detect", self._detect), tick_s),
            Job("chains", watched("chains", self._move_chains), tick_s),
            # Rows are claimed, so that a slow channel holds up only the messages it carries.
            Job(
                "deliver",
                watched("deliver", self._engine.deliver),
                tick_s,
                at_once=DELIVERIES_AT_ONCE,
            ),
            Job("replies", self._engine.post_replies, tick_s, at_once=REPLIES_AT_ONCE),
            Job("watch", self._hurrying(self._engine.watch, "deliver"), WATCH_EVERY_S),
            Job(
                "audit",
                self._hurrying(self._engine.audit, "deliver"),
                AUDIT_EVERY_S,
                first_after_s=AUDIT_AFTER_S,
            ),
            Job("calendars", self._engine.refresh_calendars, CALENDARS_EVERY_S),
            Job("heartbeat", self._heart.beat, self._heart.every_s),
            Job("contacts", self._engine.sync_contacts, CONTACTS_EVERY_S),
            Job("write_back", self._engine.write_back, max(tick_s, WRITE_BACK_EVERY_S)),
            Job("erase", self._engine.erase, ERASE_EVERY_S),
            Job("rescore", self._rescore, max(tick_s, RESCORE_EVERY_S)),
            Job("signals", self._engine.find_signals, tick_s),
            Job("topics", self._engine.remember_topics, REMEMBER_EVERY_S),
            Job("sums", self._engine.sum_for_the_board, SUM_EVERY_S),
            Job("board topics", self._engine.find_board_topics, BOARD_TOPICS_EVERY_S),
            Job("figures", self._engine.count_figures, FIGURES_EVERY_S),
            Job("maintain", self._engine.maintain, MAINTENANCE_EVERY_S),
            Job("remind", self._remind, REMIND_EVERY_S),
            Job("reports", self._engine.send_reports, REPORTS_EVERY_S),
            Job("files", self._engine.make_files, FILES_EVERY_S, executor="files"),
        )
        now = datetime.now(self._scheduler.timezone)
        for number, job in enumerate(jobs):
            self._scheduler.add_job(
                guarded(job.name, job.work),
                "interval",
                seconds=job.every_s,
                id=job.name,
                executor=job.executor,
                max_instances=job.at_once,
                next_run_time=now + timedelta(milliseconds=50 * number, seconds=job.first_after_s),
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Finish the batches that are being done, and start none."""
        self._engine.stopping.set()
        self._scheduler.shutdown(wait=True)
        self._collectors.shutdown(wait=True, cancel_futures=True)
        self._engine.scorer.close()
        if self._engine.presence is not None:
            self._engine.presence.close()

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

    def _judge(self) -> None:
        if self._engine.judge_backlog(on_batch=lambda *_: self._hurry("pipeline")):
            self._hurry("rescore")

    def _rescore(self) -> None:
        if self._engine.rescore():
            self._hurry("judge")

    def _remind(self) -> None:
        if self._engine.remind_to_prepare():
            self._hurry("deliver")

    def _drill(self) -> None:
        if self._engine.run_drills():
            self._hurry("pipeline")

    def _detect(self) -> None:
        if self._engine.detect():
            self._hurry("deliver")

    def _move_chains(self) -> None:
        if self._engine.move_chains():
            self._hurry("deliver")

    def _hurrying(self, work: Callable[[], int], job: str) -> Callable[[], None]:
        """Return `work` so that `job` follows at once where it changed something."""

        def run() -> None:
            if work():
                self._hurry(job)

        return run

    def _hurry(self, job: str) -> None:
        if self._scheduler.running:
            self._scheduler.modify_job(job, next_run_time=datetime.now(self._scheduler.timezone))
