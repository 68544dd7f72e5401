"""The steps of the pipeline over one database: unfinished rows are the backlog.

Each step finds its own work in the database, so that a step that crashed or is late is
behind, never wrong. Nothing here holds state that a restart would lose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from api import report_mail
from api.account_wishes import account_wishes
from api.backlog import BATCH, Backlog
from api.batches import do_batch
from api.report_making import make_files
from config.db import read_session
from config.errors import AppError, ConflictError
from config.logs import get_logger
from crm_link import hook_notices, service, writeback
from crm_link.board.hours import SETTLES_S, sum_hours
from crm_link.board.topics import find_board_topics
from crm_link.board.week_topics import find_week_topics
from crm_link.calls.crm_health import CrmWork, noted
from crm_link.contacts import joining
from crm_link.contacts import mirror as contacts
from crm_link.enrich import queue_speakers
from crm_link.escalation import auditor, chain, detect, drill, notify, overdue
from crm_link.escalation.detection import crm_watch, watchdog
from crm_link.escalation.detection.in_force import store_in_force
from crm_link.escalation.duty import calendars, reminders
from crm_link.escalation.playbook import claims
from crm_link.figures.counts import count_figures
from crm_link.judging import judge_incidents_first
from crm_link.privacy.erasure import run_open_erasures
from crm_link.replying.delivery import deliver_replies
from listener import retention
from listener.service import collect
from listener.sources import due_sources
from sentiment.bursts.service import step_bursts
from sentiment.rescoring import rescore_outdated
from sentiment.signals.service import due_ids, mark_outdated, signal_mentions
from sentiment.topic_windows import remember_topics

log = get_logger(__name__)

#: Sources that are collected at the same time; they wait for networks most of the time.
COLLECTING_THREADS = 8


@dataclass(slots=True)
class Engine(Backlog):
    """All steps of the pipeline over one database."""

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
            result = collect(
                self.sessions,
                source_id,
                clock=self.clock,
                keep_raw=self.settings.keeps_raw,
            )
        except ConflictError:
            log.info("collected elsewhere", source=source_id)
            return 0
        except AppError:
            return 0  # `collect` has logged it
        return result.new

    def process(self) -> int:
        """Take everything that waits all its way; return how many mentions the model judged."""
        self.work_backlog()
        judged = self.judge_backlog()
        self.work_backlog()
        self.find_signals()
        return judged

    def find_signals(self) -> int:
        """Fill in the signals of what was judged; return how many mentions got theirs."""
        done = 0
        while not self.stopping.is_set():
            with read_session(self.sessions) as session:
                ids = due_ids(session, BATCH)
            count = do_batch("signals", self._find_signals_of, ids) if ids else 0
            if not count:
                break
            done += count
        if not done:
            with self.sessions.begin() as session:
                mark_outdated(session, self.clock(), BATCH)
        return done

    def _find_signals_of(self, mention_ids: list[int]) -> int:
        done = signal_mentions(self.sessions, mention_ids)
        queue_speakers(self.sessions, mention_ids, clock=self.clock)
        return done

    def remember_topics(self) -> int:
        """Keep what each brand's last day was about, so that later topics have its ids."""
        return remember_topics(self.sessions, clock=self.clock)

    def sum_for_the_board(self, *, settles_s: float = SETTLES_S) -> int:
        """Sum the hours whose mentions changed `settles_s` seconds ago; return how many."""
        return sum_hours(self.sessions, clock=self.clock, settles_s=settles_s)

    def find_board_topics(self) -> int:
        """Find what the board's periods and the last weeks are about; return how many."""
        found = find_board_topics(self.sessions, clock=self.clock)
        return found + find_week_topics(self.sessions, clock=self.clock)

    def count_figures(self) -> int:
        """Count the figures of people of large windows; return of how many."""
        return count_figures(self.sessions, clock=self.clock, is_stopping=self.stopping.is_set)

    def find_bursts(self) -> int:
        """Bring the burst index up to now; return how many buckets of time were taken."""
        return step_bursts(self.sessions, clock=self.clock)

    def run_drills(self) -> int:
        """Feed the drills that run, and end those that are over; return how many changed."""
        return drill.run_drills(self.sessions, clock=self.clock)

    def remind_to_prepare(self) -> int:
        """Remind of drills and reviews that are overdue; return how many reminders changed."""
        return reminders.remind(self.sessions, self.protocols.by_brand(), clock=self.clock)

    def detect(self) -> int:
        """Open, join and let go of incidents; return how many changed."""
        changed = detect.detect(self.sessions, self.protocols.by_brand(), clock=self.clock)
        if changed and self.lexicon is not None:
            with self.sessions.begin() as session:
                judge_incidents_first(session, changed)
        return len(changed)

    def move_chains(self) -> int:
        """Take the steps of escalation chains that are due; return how many moved on."""
        return chain.run_due_steps(self.sessions, clock=self.clock)

    def remind_overdue(self) -> int:
        """Remind people of statements, updates and tasks that are overdue; return how many."""
        return overdue.remind_overdue(self.sessions, clock=self.clock)

    def sort_claims(self) -> int:
        """Sort the mentions of open incidents into claims; return how many incidents."""
        return claims.gather_claims(self.sessions, clock=self.clock)

    def escalate(self) -> int:
        """Find bursts, raise incidents and move their chains on; return how many changed."""
        self.find_bursts()
        changed = self.detect() + self.move_chains() + self.remind_overdue()
        self.sort_claims()
        return changed

    def deliver(self) -> int:
        """Send what is in the outbox of alerts; return how many left."""
        return notify.deliver_notifications(
            self.sessions,
            clock=self.clock,
            public_url=self.settings.resolved_public_url(),
            key=self.settings.secret_key.get_secret_value(),
            presence=self.presence,
            wishes_of=account_wishes,
        )

    def send_reports(self) -> int:
        """Queue scheduled reports that are due, and mail them; return how many left."""
        return report_mail.send_reports(
            self.sessions, clock=self.clock, public_url=self.settings.resolved_public_url()
        )

    def make_files(self) -> int:
        """Make the PDF files that people wait for; return how many were made."""
        stops, url = self.stopping.is_set, self.settings.resolved_public_url()
        return make_files(self.sessions, clock=self.clock, public_url=url, is_stopping=stops)

    def post_replies(self) -> int:
        """Post approved replies and look for those in doubt; return how many are out now."""
        if not self.settings.posts_replies:
            return 0
        return deliver_replies(self.sessions, clock=self.clock)

    def watch(self) -> int:
        """Look for sources without data and CRMs that fail; return how many alerts changed."""
        protocols = self.protocols.by_brand()
        store_in_force(self.sessions, protocols, self.clock())
        changed = watchdog.watch_sources(self.sessions, protocols, clock=self.clock)
        changed += crm_watch.watch_crms(self.sessions, protocols, list(self.crms), clock=self.clock)
        return len(changed)

    def audit(self) -> int:
        """Mend escalations that have stopped; return how many."""
        return len(auditor.audit(self.sessions, self.protocols.by_brand(), clock=self.clock))

    def refresh_calendars(self) -> int:
        """Read the on-call calendars that are due; return how many were read."""
        in_force = self.protocols.by_brand().values()
        return calendars.refresh_calendars(self.sessions, in_force, clock=self.clock)

    def write_back(self) -> int:
        """Find who is one person, link again whose contacts changed, and write to the CRMs."""
        joining.join_due(self.sessions, clock=self.clock)
        service.relink_due(self.sessions, limit=BATCH, clock=self.clock)
        return self._in_each_crm(
            self.crms,
            lambda name: writeback.deliver_write_backs(
                self.sessions, self.crms[name], name=name, clock=self.clock
            ),
        )

    def sync_contacts(self) -> int:
        """Bring what changed in the CRMs into our mirror; return how many contacts did."""
        names = [name for name, crm in self.crms.items() if crm.has_contacts]
        return self._in_each_crm(names, self._sync_contacts_of)

    def _sync_contacts_of(self, name: str) -> int:
        crm = self.crms[name]
        with noted(self.sessions, name, CrmWork.CONTACTS, clock=self.clock):
            found = hook_notices.recheck_contacts(self.sessions, crm, name=name, clock=self.clock)
            found += contacts.sync_contacts(self.sessions, crm, name=name, clock=self.clock)
        changed = found.new + found.changed + found.deleted
        if changed or found.rejected:
            log.info("contacts synced", crm=name, changed=changed, rejected=len(found.rejected))
        return changed

    def _in_each_crm(self, names: Collection[str], work: Callable[[str], int]) -> int:
        """Do something in several CRMs side by side: one that is slow or fails holds up none.

        Raises:
            AppError: What the first one that failed said, when all others are done.

        """
        if len(names) < 2:  # noqa: PLR2004 - one needs no thread
            return sum(work(name) for name in names)
        with ThreadPoolExecutor(len(names), thread_name_prefix="crm") as pool:
            tasks = {name: pool.submit(work, name) for name in names}
        for name, task in tasks.items():
            if error := task.exception():
                log.warning("CRM failed", crm=name, kind=type(error).__name__)
        return sum(task.result() for task in tasks.values())

    def erase(self) -> int:
        """Take requests to erase a person on; return how many were done."""
        return run_open_erasures(self.sessions, clock=self.clock)

    def rescore(self) -> int:
        """Let what another scorer judged wait for this one, while nothing else does."""
        with self.sessions.begin() as session:
            return rescore_outdated(session, self.scorer.versions, limit=BATCH)

    def maintain(self) -> None:
        """Delete what retention says."""
        retention.purge(
            self.sessions, self.clock(), raw_retention_days=self.settings.raw_retention_days
        )

    def run_once(self) -> dict[str, int]:
        """Do every step once, in order; return what each did."""
        done = {
            "contacts": self.sync_contacts(),
            "collected": self.collect_due(),
            "drills": self.run_drills(),
            "calendars": self.refresh_calendars(),
            "processed": self.work_backlog(),
            # What the lexicon has seen is told at once; the model may take minutes.
            "escalated": self.escalate() + self.watch() + self.audit(),
            "reminders": self.remind_to_prepare(),
            "delivered": self.deliver(),
            "replies": self.post_replies(),
            "rescored": self.rescore(),
        }
        done["judged"] = self.judge_backlog()
        if done["judged"]:
            self.work_backlog()
            done["escalated"] += self.escalate()
            done["delivered"] += self.deliver()
        done |= {
            "signals": self.find_signals(),
            "topics": self.remember_topics(),
            # Nothing more comes within seconds of the last step: no hour needs to settle.
            "sums": self.sum_for_the_board(settles_s=0),
            "board_topics": self.find_board_topics(),
            "figures": self.count_figures(),
            "reports": self.send_reports(),
            "files": self.make_files(),
            "written_back": self.write_back(),
            "erased": self.erase(),
        }
        self.maintain()
        return done
