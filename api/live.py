"""Live updates: one look at the database for everybody who has a page open.

Each process that serves asks for the revision marks twice a second while somebody listens, and
gives the names of what changed to its listeners as server-sent events. A listener holds no
database session and no thread. Names and ids only: a page asks for what it shows itself, with
the rights of who looks at it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from api.live_marks import Marks, changed_names, read_marks
from config.db import read_session
from config.errors import TransientError
from config.logs import get_logger

log = get_logger(__name__)

#: Seconds between two looks, and after one that failed.
POLL_S = 0.5
FAILED_S = 5.0

#: Seconds without news after which a listener is told that the line is alive. Proxies cut what
#: is silent for a minute.
BEAT_S = 15.0

#: Seconds after which a listener has to come again: whoever may not come in any more stays out.
LIFE_S = 600.0

#: Seconds that are looked on after the last listener left: people go from page to page.
LINGER_S = 60.0

#: Listeners of one process. Each costs a socket and some kilobytes.
MOST_LISTENERS = 1000

#: Events that are kept for those who were away for a moment.
KEPT = 2000

#: Milliseconds after which a browser that lost the line tries again.
RETRY_MS = 2000

#: Said instead of names to who was away too long, or comes from another process: ask for all.
RESYNC = "resync"
BEAT = "beat"


class LiveHub:
    """Looks for changes and tells listeners; lives in the event loop of one process.

    Args:
        sessions: Where the database is.
        poll_s: Seconds between two looks.
        most_listeners: How many may listen at the same time.

    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        poll_s: float = POLL_S,
        most_listeners: int = MOST_LISTENERS,
    ) -> None:
        self._sessions = sessions
        self._poll_s = poll_s
        self._most = most_listeners
        self._process = secrets.token_hex(4)
        self._marks: Marks | None = None
        self._events: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._last = 0
        self._changed = asyncio.Event()
        self._listeners = 0
        self._idle_since = 0.0
        self._polling: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def last_id(self) -> str:
        """The id of the newest event: a page that is made now has seen everything up to it."""
        return f"{self._process}-{self._last}"

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._listeners

    def close(self) -> None:
        """End all streams, so that the server can stop; to be called in the event loop."""
        self._is_closed = True
        self._changed.set()
        if self._polling is not None:
            self._polling.cancel()

    def require_room(self) -> None:
        """Refuse one listener too many.

        Raises:
            TransientError: Enough listen already.

        """
        if self._listeners >= self._most:
            raise TransientError("enough pages follow this server live", retry_after_s=30)

    async def stream(self, after: str) -> AsyncIterator[str]:
        """Yield server-sent events later than the one with the id `after`, until the line ends.

        The data of an event is a name. `resync` stands for everything, `beat` for nothing.
        """
        yield f"retry: {RETRY_MS}\n\n"
        self._listeners += 1
        try:
            loop = asyncio.get_running_loop()
            place = self._place(after)
            self._begin_to_look()
            ends_at = loop.time() + LIFE_S
            while not self._is_closed and loop.time() < ends_at:
                woken = self._changed
                names, place = self._later_than(place), self._last
                for name in names:
                    yield self._say(name, place)
                if not names and not await _happens(woken, BEAT_S):
                    yield self._say(BEAT, place)
        finally:
            self._listeners -= 1
            self._idle_since = asyncio.get_running_loop().time()

    def _say(self, name: str, place: int) -> str:
        return f"id: {self._process}-{place}\ndata: {name}\n\n"

    def _place(self, after: str) -> int | None:
        process, _, number = after.partition("-")
        is_ours = process == self._process and number.isdecimal()
        return int(number) if is_ours and int(number) <= self._last else None

    def _later_than(self, place: int | None) -> list[str]:
        if place is None:
            return [RESYNC]
        if place == self._last:
            return []
        if not self._events or self._events[0][0] > place + 1:
            return [RESYNC]
        return list(dict.fromkeys(name for number, name in self._events if number > place))

    def _begin_to_look(self) -> None:
        if not self._is_closed and (self._polling is None or self._polling.done()):
            self._polling = asyncio.create_task(self._look(), name="live")

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while self._listeners or loop.time() < self._idle_since + LINGER_S:
            try:
                marks = await anyio.to_thread.run_sync(self._read)
            except SQLAlchemyError as error:
                log.warning("live marks not read", error=type(error).__name__)
                await asyncio.sleep(FAILED_S)
                continue
            # The first look has nothing to compare with: whoever listens asks for all once.
            names = [RESYNC] if self._marks is None else changed_names(self._marks, marks)
            self._marks = marks
            self._publish(names)
            await asyncio.sleep(self._poll_s)

    def _read(self) -> Marks:
        with read_session(self._sessions) as session:
            return read_marks(session)

    def _publish(self, names: list[str]) -> None:
        for name in names:
            self._last += 1
            self._events.append((self._last, name))
        if names:
            woken, self._changed = self._changed, asyncio.Event()
            woken.set()


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
