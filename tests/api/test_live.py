"""Live updates over real HTTP: what anybody changes is told to every page that is open."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, QueuePool
from sqlalchemy.orm import Session, sessionmaker

from api import queue_actions
from api.app import create_app
from api.deps import Actor
from api.live import POLL_S, LiveHub
from api.live_marks import Marks, changed_names, read_marks
from api.models import Role
from api.pages import FOLDER
from api.serving import Server
from api.users import create_api_key
from config.clock import Clock, utc_now
from config.settings import Settings
from crm_link.escalation import incidents
from crm_link.flags.acts import Act, Change
from crm_link.types import Priority
from listener.models import Brand
from tests.api.build import judged, make_flag
from tests.api.scene import Scene, get_user
from tests.make import make_author, make_mention

#: Seconds after which something hangs. How soon everybody is told is counted in looks at the
#: database instead, which a busy machine does not change.
HANGS_AFTER_S = 15.0

#: Looks until a change is told: one that had begun before it, and the one that sees it.
MOST_LOOKS = 2

#: Seconds until a change is on the screen.
WANTED_S = 2.0


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    server = Server(app, port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    # FastAPI finishes its routes at the first request, which two servers may not do at once.
    assert httpx.get(f"{address}/nowhere").status_code == 404
    try:
        yield address
    finally:
        began = time.monotonic()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        assert time.monotonic() - began < 3, "open streams held up the end of the server"


@pytest.fixture
def key(sessions: sessionmaker[Session], scene: Scene) -> dict[str, str]:
    with sessions.begin() as session:
        user = get_user(session, scene, Role.VIEWER)
        _, secret = create_api_key(session, user=user, name="live", now=utc_now())
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def make_app(
    settings: Settings, sessions: sessionmaker[Session], clock: Clock
) -> Callable[[], FastAPI]:
    return lambda: create_app(settings, sessions, clock=clock)


class Listener:
    """Reads events in a thread, as a browser does."""

    def __init__(self, address: str, key: dict[str, str], *, last_id: str = "") -> None:
        headers = key | ({"Last-Event-ID": last_id} if last_id else {})
        self._client = httpx.Client(base_url=address, headers=headers, timeout=20)
        self.told: list[str] = []
        self.last_id = ""
        self.is_over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._client, self._client.stream("GET", "/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "data":
                    self.told.append(value)
        self.is_over.set()

    def wait_for(self, name: str, within_s: float = HANGS_AFTER_S, *, times: int = 1) -> None:
        until = time.monotonic() + within_s
        while self.told.count(name) < times:
            assert time.monotonic() < until, f"{name} was not told; told: {self.told}"
            time.sleep(0.02)


def test_what_a_worker_and_people_change_is_told_by_every_server_in_time(
    make_app: Callable[[], FastAPI],
    sessions: sessionmaker[Session],
    scene: Scene,
    key: dict[str, str],
) -> None:
    with serving(make_app()) as one, serving(make_app()) as two:
        listeners = [Listener(address, key) for address in (one, two)]
        for listener in listeners:
            listener.wait_for("resync")
            listener.told.clear()

        with sessions.begin() as session:
            incidents.acknowledge(session, scene.incident, by="ana@example.org", clock=utc_now)
        for listener in listeners:
            listener.wait_for(f"incident:{scene.incident}")
            listener.wait_for("incidents")
            assert "queue" not in listener.told

        with sessions.begin() as session:
            actor = Actor(session, get_user(session, scene, Role.PR_LEAD), utc_now)
            queue_actions.change(actor, Change(Act.DONE), [scene.first])
        for listener in listeners:
            listener.wait_for("queue")
            listener.wait_for(f"mention:{scene.first}")
            listener.told.clear()

        with sessions.begin() as session:
            brand = session.get_one(Brand, scene.brand)
            mention = make_mention(
                session, brand, author_id=make_author(session).id, **judged("negative")
            )
            make_flag(session, mention, Priority.RISK)
        for listener in listeners:
            listener.wait_for("queue")
            listener.wait_for("mentions")
    assert all(listener.is_over.wait(HANGS_AFTER_S) for listener in listeners)


class CountingHub(LiveHub):
    """A hub that counts how often it looked."""

    looks = 0

    def _read(self) -> Marks:
        self.looks += 1
        return super()._read()


async def _looks_until_told(
    sessions: sessionmaker[Session], change: Callable[[Session], object], name: str
) -> int:
    """Return how often the hub looked after a change until it told of it."""

    def commit() -> None:
        with sessions.begin() as session:
            change(session)

    hub = CountingHub(sessions, poll_s=0.05)
    stream = hub.stream("")
    try:
        for _ in range(3):  # how soon to try again, ask for all, and all that the first look saw
            await anext(stream)
        await asyncio.to_thread(commit)
        before = hub.looks
        while f"data: {name}\n" not in await anext(stream):
            pass
        return hub.looks - before
    finally:
        hub.close()


def test_a_change_is_told_by_the_second_look_and_a_look_is_soon(
    sessions: sessionmaker[Session], scene: Scene
) -> None:
    def acknowledge(session: Session) -> object:
        return incidents.acknowledge(session, scene.incident, by="ana@x.org", clock=utc_now)

    looks = asyncio.run(_looks_until_told(sessions, acknowledge, f"incident:{scene.incident}"))

    assert looks <= MOST_LOOKS
    script = (FOLDER / "static" / "live.js").read_text("utf-8")
    again = re.search(r"AGAIN_MS = (\d+)", script)
    assert again is not None
    # What a page may wait at the worst leaves time to ask for the part and to show it.
    assert MOST_LOOKS * POLL_S + int(again[1]) / 1000 <= WANTED_S - 0.25


def test_who_was_away_hears_what_was_missed_or_that_everything_may_be_new(
    make_app: Callable[[], FastAPI],
    sessions: sessionmaker[Session],
    scene: Scene,
    key: dict[str, str],
) -> None:
    with serving(make_app()) as address:
        first = Listener(address, key)
        # At once, and when the process has looked for the first time.
        first.wait_for("resync", times=2)
        before = first.last_id
        with sessions.begin() as session:
            incidents.acknowledge(session, scene.incident, by="ana@example.org", clock=utc_now)
        first.wait_for(f"incident:{scene.incident}")

        back, stranger = (
            Listener(address, key, last_id=last_id) for last_id in (before, "other-7")
        )

        back.wait_for(f"incident:{scene.incident}")
        assert "resync" not in back.told
        stranger.wait_for("resync")


def test_listeners_hold_no_connection_to_the_database_and_are_bounded(
    make_app: Callable[[], FastAPI],
    sessions: sessionmaker[Session],
    key: dict[str, str],
) -> None:
    app = make_app()
    hub = LiveHub(sessions, poll_s=30, most_listeners=20)
    object.__setattr__(app.state.groundswell, "live", hub)
    with serving(app) as address:
        listeners = [Listener(address, key) for _ in range(20)]
        for listener in listeners:
            listener.wait_for("resync", 10)

        assert hub.listeners == 20
        engine = sessions.kw["bind"]
        assert isinstance(engine, Engine)
        if isinstance(engine.pool, QueuePool):
            assert engine.pool.checkedout() == 0
        answer = httpx.get(f"{address}/events", headers=key)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0


def test_nobody_listens_without_signing_in(make_app: Callable[[], FastAPI], scene: Scene) -> None:
    assert scene.users
    with serving(make_app()) as address:
        answer = httpx.get(f"{address}/events", headers={"Accept": "text/event-stream"})

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_marks_stay_while_nothing_happens(sessions: sessionmaker[Session], scene: Scene) -> None:
    assert scene.users
    with sessions() as session:
        once = read_marks(session)
        again = read_marks(session)

    assert changed_names(once, again) == []
    assert changed_names({}, {"mention:7": (1,)}) == ["mention:7", "mentions", "queue"]
