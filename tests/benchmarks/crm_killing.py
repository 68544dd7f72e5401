"""Killing workers that write to a fake CRM, and checking what is left."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from config.db import make_engine, make_sessions
from config.migrate import upgrade
from tests.benchmarks.crm_kills import LATER_S, World, waiting, work
from tests.benchmarks.crm_sources import FAKES
from tests.crm_link.crms.server import served

#: Kinds of points, and the last one of each that a round may come to.
POINTS = {"before commit": 12, "after commit": 12, "before call": 4, "after call": 4}

#: The same for the undo, which is through after some batches: each round does a little of it.
UNDO_POINTS = {"before commit": 2, "after commit": 2, "before call": 2, "after call": 2}

#: People whose records are written, at most: those that a kill of the undo needs.
FEWEST_PEOPLE, PEOPLE_A_KILL = 40, 6


def run(url: str, name: str, folder: Path, *, kills: int, undo_kills: int, seed: int) -> None:
    """Kill so often while `name` is written to, and undone; check what is left, and print it."""
    began = time.monotonic()
    fake = FAKES[name]()
    engine = make_engine(url)
    upgrade(engine)
    with served(fake):
        people = max(FEWEST_PEOPLE, PEOPLE_A_KILL * undo_kills)
        world = World(fake, make_sessions(engine), random.Random(seed), people)
        killing = _Killing(url, world, folder)
        world.begin()
        rounds = killing.write(kills)
        written = world.assert_written()
        entries, lost = world.assert_journalled()
        undo_rounds = killing.undo(undo_kills)
        world.assert_undone()
        world.assert_journalled()
        again = len(fake.writes())
        killing.start("", 0, undo=True)
        assert len(fake.writes()) == again, "an undo of what is undone writes again"
    dialect = engine.dialect.name
    engine.dispose()
    print(
        f"{name}, {dialect}: killed {dict(sorted(killing.killed().items()))} in {rounds} rounds of "
        f"writing and {undo_rounds} of undoing ({undo_kills} kills); "
        f"{sum(world.said.values())} posts of {len(world.said)} people, "
        f"{len(fake.writes())} calls, {written} fields changed: 0 lost, 0 repeated; "
        f"{entries} entries, {lost} of writes that never arrived; "
        f"{len(world.by_hand)} fields of people kept; undo restored all others; "
        f"{time.monotonic() - began:.0f} s"
    )


class _Killing:
    def __init__(self, url: str, world: World, folder: Path) -> None:
        self._url, self._world = url, world
        self._log = folder / "killed.txt"
        self._chance = world.chance
        self._later_s = 0.0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["tests.benchmarks.crm_killing", *(f"crm_link.crms.{name}" for name in FAKES)]
        )

    def killed(self) -> Counter[str]:
        return Counter(self._log.read_text().split("\n")[:-1] if self._log.exists() else ())

    def write(self, kills: int) -> int:
        rounds = 0
        while self.killed().total() < kills:
            rounds += 1
            self._world.talk()
            kind, at = self._point()
            self.start(kind, at, beside=rounds % 3 == 0)
        while waiting(self._world.sessions):
            self.start("", 0)
        self.start("", 0)
        return rounds

    def undo(self, kills: int) -> int:
        rounds = 0
        wanted = self.killed().total() + kills
        while self.killed().total() < wanted:
            rounds += 1
            # All is undone after some rounds: then no point is reached any more.
            assert rounds <= 2 * kills, "the undo was through before it was killed so often"
            self.start(*self._point(UNDO_POINTS), undo=True)
        self.start("", 0, undo=True)
        return rounds

    def start(self, kind: str, at: int, *, undo: bool = False, beside: bool = False) -> None:
        """Let a process work up to its point, and another one to the end beside it."""
        self._later_s += LATER_S
        undo_s = 2 * self._later_s + 3600 if undo else None
        points = [(kind, at), ("", 0)] if beside else [(kind, at)]
        name = self._world.fake.name
        common = (self._log, self._later_s, undo_s, self._world.environment)
        processes = [
            self._context.Process(target=work, args=(self._url, name, *one, *common))
            for one in points
        ]
        for process in processes:
            process.start()
        for process, (wanted, _) in zip(processes, points, strict=True):
            process.join()
            assert wanted or process.exitcode == 0, "a worker that is not killed has failed"

    def _point(self, points: Mapping[str, int] = POINTS) -> tuple[str, int]:
        kind = self._chance.choice(list(points))
        return kind, self._chance.randint(1, points[kind])
