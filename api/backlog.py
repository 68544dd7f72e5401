"""A mention's way through scoring, linking and triage, and then through the model.

Each step finds its own work in the database: unfinished rows are the backlog.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.orm import Session, sessionmaker

from api.batches import do_batch
from config.clock import Clock, utc_now
from config.db import read_session
from config.settings import Settings
from crm_link import service
from crm_link.crm import Crm
from crm_link.escalation.delivery.presence import Presence
from crm_link.escalation.protocols import Protocols
from crm_link.triage import triage_mentions
from listener.models import JUDGING, Step
from listener.service import pending_counts, pending_ids
from sentiment.claims import LOOK, claimed
from sentiment.scorer import Scorer
from sentiment.service import score_mentions, score_provisionally

#: Mentions that one step takes at a time: per-item work costs 2 to 18 times more, and 256 costs
#: a sixth more than this (tests/benchmarks/bench_pipeline.py).
BATCH = 1_024

#: Mentions that the model judges between two looks at what has become more urgent.
JUDGE_BATCH = 256

#: What is told about each batch: its step, and how many mentions it did.
OnBatch = Callable[[Step, int], None]


@dataclass(slots=True)
class Backlog:
    """What mentions go through, over one database; the engine adds the other steps."""

    settings: Settings
    sessions: sessionmaker[Session]
    scorer: Scorer
    protocols: Protocols
    #: The CRMs by name, in their order.
    crms: Mapping[str, Crm] = field(default_factory=dict)
    clock: Clock = utc_now
    #: Judges new mentions at once, until the scorer comes to them; None: they wait for it.
    lexicon: Scorer | None = None
    #: This process's sign of life, while it works for long: what it claims is freed by its death.
    presence: Presence | None = None
    #: Set to end a long backlog after the batch that is being done.
    stopping: threading.Event = field(default_factory=threading.Event)
    #: One thread at a time takes mentions their way, and one lets the model judge them.
    _pipeline: threading.Lock = field(default_factory=threading.Lock)
    _judging: threading.Lock = field(default_factory=threading.Lock)

    def work_backlog(self, *, on_batch: OnBatch | None = None) -> int:
        """Score, link and triage everything that waits; return how many steps were done.

        With a lexicon, what it judged then waits for the model: see `judge_backlog`.
        """
        steps = self._steps()
        done = 0
        with self._pipeline, self._hands() as take:
            while not self.stopping.is_set():
                # The last step first: it takes longest, and what it ends leaves the queue.
                batches = list(self._next_on_the_way())[::-1]
                before = done
                counts = take(lambda one: do_batch(one[0], steps[one[0]], one[1]), batches)
                for (step, _), count in zip(batches, counts, strict=True):
                    done += count
                    if on_batch is not None:
                        on_batch(step, count)
                if done == before:
                    break
        return done

    def judge_backlog(self, *, on_batch: OnBatch | None = None) -> int:
        """Let the model judge everything that waits for it; return how many it judged.

        The risky ones come first, and the newest of them. What it judged waits for the other
        steps again.
        """
        judge = partial(score_mentions, self.sessions, self.scorer, clock=self.clock)
        size = JUDGE_BATCH * self.settings.scoring_processes
        done = 0
        with self._judging:
            while not self.stopping.is_set():
                with claimed(self.sessions, self._for_the_model(size * LOOK), limit=size) as ids:
                    count = do_batch(Step.JUDGE, judge, ids) if ids else 0
                if not count:
                    break
                done += count
                if on_batch is not None:
                    on_batch(Step.JUDGE, count)
        return done

    @contextmanager
    def _hands(self) -> Iterator[Callable[..., Iterable[int]]]:
        """Give what does a round's batches: on PostgreSQL two at once, else one after another.

        PostgreSQL works on one batch while we think about another (a third faster, measured);
        SQLite has one writer.
        """
        if self.sessions.kw["bind"].dialect.name != "postgresql":
            yield map
            return
        with ThreadPoolExecutor(2, thread_name_prefix="step") as pool:
            yield pool.map

    def _next_on_the_way(self) -> Iterator[tuple[Step, list[int]]]:
        for step in (Step.SCORE, Step.LINK, Step.TRIAGE):
            if ids := self._waiting(step, BATCH):
                yield step, ids

    def _for_the_model(self, limit: int) -> list[int]:
        ids = self._waiting(Step.JUDGE_FIRST, limit)
        return ids + self._waiting(Step.JUDGE, limit - len(ids)) if len(ids) < limit else ids

    def _waiting(self, step: Step, limit: int) -> list[int]:
        with read_session(self.sessions) as session:
            return pending_ids(session, step, limit)

    def backlog_steps(self) -> int:
        """Return how many steps the waiting mentions have before them, the model's left out."""
        with read_session(self.sessions) as session:
            waiting = pending_counts(session)
        order = [Step.SCORE, Step.LINK, Step.TRIAGE]
        return sum(waiting[step] * (len(order) - order.index(step)) for step in order)

    def backlog_judgements(self) -> int:
        """Return how many mentions wait for the model."""
        with read_session(self.sessions) as session:
            waiting = pending_counts(session)
        return sum(waiting[step] for step in JUDGING)

    def _steps(self) -> dict[Step, Callable[[list[int]], int]]:
        lexicon = self.lexicon
        return {
            Step.SCORE: partial(score_mentions, self.sessions, self.scorer, clock=self.clock)
            if lexicon is None
            else partial(score_provisionally, self.sessions, lexicon, clock=self.clock),
            Step.LINK: lambda ids: service.link_mentions(self.sessions, ids, clock=self.clock),
            Step.TRIAGE: lambda ids: triage_mentions(
                self.sessions, ids, self.protocols.by_brand(), clock=self.clock
            ),
        }
