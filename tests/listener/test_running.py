from __future__ import annotations

import subprocess
import sys
import time

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError
from listener.running import only_collection_of

_OTHER = """
import sys, time
from config.db import make_engine, make_sessions
from listener.running import only_collection_of
with only_collection_of(make_sessions(make_engine(sys.argv[1])), 7):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_holds_its_source_until_it_is_killed(
    sessions: sessionmaker[Session], database_url: str
) -> None:
    command = [sys.executable, "-c", _OTHER, database_url]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(ConflictError, match="source 7 is being"),
            only_collection_of(sessions, 7),
        ):
            pass
        with only_collection_of(sessions, 8):
            pass
    finally:
        other.kill()
        other.communicate()
    for _ in range(50):
        try:
            with only_collection_of(sessions, 7):
                return
        except ConflictError:  # PostgreSQL sees a client's death a moment later
            time.sleep(0.1)
    pytest.fail("the lock of a killed process was kept")
