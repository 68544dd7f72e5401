"""How fast the queue comes while the PDF of an attack's report is made, on SQLite.

Run: python -m tests.benchmarks.bench_report_files [--entries N]

The console is `groundswell serve` alone, which makes the file itself: the worst case. The times
are what a client on this machine waits.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from config.clock import utc_now
from config.db import make_engine, make_sessions
from config.migrate import upgrade
from crm_link.escalation.incidents import add_note
from tests.api.build import PASSWORD
from tests.api.scene import make_scene

#: Requests that are timed while nothing else is done, and at least while the file is made.
REQUESTS = 40

#: Seconds that the server may take to start, and the file to be made.
PATIENCE_S = 900


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=400, help="notes in the timeline")
    entries = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/attack.db"
        incident = _fill(url, entries)
        with _served(folder, url) as client:
            before = [_time(client) for _ in range(REQUESTS)]
            began = time.monotonic()
            path = f"/api/v1/incidents/{incident}/report.pdf"
            asked_s = time.monotonic()
            answer = client.get(path)
            asked_s = time.monotonic() - asked_s
            meanwhile = []
            while answer.status_code == 202 and time.monotonic() - began < PATIENCE_S:
                meanwhile.append(_time(client))
                answer = client.get(answer.headers["location"])
            took_s = time.monotonic() - began
            assert answer.headers["content-type"] == "application/pdf", answer.text
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {entries} entries")
    print(f"asking {asked_s * 1000:.0f} ms; the file {took_s:.1f} s, {len(answer.content)} bytes")
    for name, times in (("queue before", before), ("queue meanwhile", meanwhile)):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"{name}: {len(times)} requests, median {statistics.median(times) * 1000:.0f} ms, "
            f"p95 {p95 * 1000:.0f} ms, longest {max(times) * 1000:.0f} ms"
        )


def _fill(url: str, entries: int) -> int:
    engine = make_engine(url)
    upgrade(engine)
    sessions = make_sessions(engine)
    scene = make_scene(sessions, utc_now)
    with sessions.begin() as session:
        for number in range(entries):
            said = f"Note {number}: the plant was called and looks at what was said about it."
            add_note(session, scene.incident, text=said, by="anna@example.org", clock=utc_now)
    engine.dispose()
    return scene.incident


@contextmanager
def _served(folder: str, url: str) -> Iterator[httpx.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "GROUNDSWELL_HOME": folder,
        "GROUNDSWELL_DATABASE_URL": url,
        "GROUNDSWELL_SECRET_KEY": "k" * 40,
        "GROUNDSWELL_SCORER": "vader",
    }
    start = "from api.cli import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-c", start, "serve", "--port", str(port)],
        env={**os.environ, **settings},
        cwd=Path(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as client:
            until = time.monotonic() + PATIENCE_S
            while not _is_there(client):
                assert time.monotonic() < until, "the console did not start"
                time.sleep(0.5)
            form = {"email": "community_manager@example.org", "password": PASSWORD}
            assert client.post("/sign-in", data=form).status_code == 303
            yield client
    finally:
        server.terminate()
        server.wait()


def _is_there(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def _time(client: httpx.Client) -> float:
    began = time.monotonic()
    assert client.get("/queue?brand=").status_code == 200
    return time.monotonic() - began


if __name__ == "__main__":
    main()
