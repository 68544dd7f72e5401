"""Two transactions at once, in an order that tells whether one overwrites the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

#: How long the other transaction gets to come to where it has to wait, in seconds.
HEAD_START_S = 0.4


@contextmanager
def meanwhile(sessions: sessionmaker[Session], other: Callable[[], Any]) -> Iterator[Session]:
    """Give a transaction; before it is committed, `other` begins in a thread, and ends after."""
    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            yield session
            session.flush()
            running = pool.submit(other)
            sleep(HEAD_START_S)
        running.result()
