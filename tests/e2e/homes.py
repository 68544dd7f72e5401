"""A home folder of a made-up brand, and `groundswell` run in it as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session, sessionmaker

from config.db import make_engine, make_sessions

ROOT = Path(__file__).resolve().parents[2]

#: Longest wait for a command, in seconds; machines that run tests can be slow.
TIMEOUT_S = 120.0

WEBHOOK_SECRET = "made-up-secret-of-a-webhook"

#: Sources on the fake networks, each read every second.
SOURCES = """\
      - {{platform: x, name: x-search, every: 1s, kind: search}}
      - {{platform: rss, name: press, every: 1s, url: "{feeds_url}/news"}}
"""

BRANDS = """\
version: 1
brands:
  - id: nordlicht
    name: Nordlicht
    query: 'nordlicht OR @nordlicht'
    names: [Nordlicht, "@nordlicht"]
    protocol: protocol.yaml
    sources:
"""

PROTOCOL = """\
version: 1
contacts:
  - {id: anna, role: social_manager, deputy: ben, channels: [{kind: webhook, to: env:HOOK}]}
  - {id: ben, role: crisis_lead, deputy: anna, channels: [{kind: log}]}
topics:
  - {id: fire, words: [fire, burning, smoke]}
triage:
  priorities:
    risk: {words: [fire, lawsuit, boycott]}
    service: {words: [broken, refund]}
  flag:
    - {priority: [risk]}
    - {label: [negative], reason: negative}
severity:
  - {level: SEV-2, any: [{negatives_gte: 3, window: 1h, topics: [fire]}], ack: 15m}
  - {level: SEV-3, any: [{negatives_gte: 20, window: 1h}], ack: 1h}
escalation:
  default:
    repeat: 1
    steps:
      - {notify: [social_manager], after: 0m}
      - {notify: [crisis_lead], after: 10m}
"""


class Addresses(Protocol):
    """Where the fake networks are: `Networks` or `RemoteControl`."""

    @property
    def x_url(self) -> str: ...
    @property
    def reddit_url(self) -> str: ...
    @property
    def feeds_url(self) -> str: ...
    @property
    def hook_url(self) -> str: ...


@dataclass
class Home:
    """One home folder; `environment` is all that its commands know of the settings."""

    folder: Path
    database_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "GROUNDSWELL_HOME": str(self.folder),
            "GROUNDSWELL_DATABASE_URL": self.database_url,
            "GROUNDSWELL_SECRET_KEY": "0123456789abcdef" * 4,
            "GROUNDSWELL_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "GROUNDSWELL_TICK_S": "1",
        } | self.environment

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.folder / 'groundswell.db'}"

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def write_brand(
        self,
        networks: Addresses | None = None,
        *,
        sources: str = SOURCES,
        brands: str = BRANDS,
        protocol: str = PROTOCOL,
    ) -> None:
        """Write brands.yaml with `sources` on these networks, and protocol.yaml."""
        self.write("protocol.yaml", protocol)
        if networks is None:
            self.write("brands.yaml", brands.replace("    sources:\n", ""))
            self.environment["HOOK"] = "http://127.0.0.1:9/nobody"
            return
        self.write("brands.yaml", brands + sources.format(feeds_url=networks.feeds_url))
        self.environment |= {
            "HOOK": networks.hook_url,
            "GROUNDSWELL_X_BASE_URL": networks.x_url,
            "GROUNDSWELL_X_BEARER_TOKEN": "any",
            "GROUNDSWELL_REDDIT_BASE_URL": networks.reddit_url,
            "GROUNDSWELL_REDDIT_CLIENT_ID": "any",
            "GROUNDSWELL_REDDIT_CLIENT_SECRET": "any",
        }

    def full_environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if "GROUNDSWELL_" not in name}
        return clean | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | self.environment

    def run(
        self, *arguments: str | Path, stdin: bytes = b"", limit: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=self.full_environment(),
            cwd=self.folder,
            timeout=TIMEOUT_S,
            preexec_fn=limit,
            check=False,
        )

    @contextmanager
    def running(self, *arguments: str, log: str = "run.log") -> Iterator[subprocess.Popen[bytes]]:
        """Run a command beside the test; it is asked to stop, or killed, at the end."""
        process = self.start(*arguments, log=log)
        try:
            yield process
        finally:
            stop(process)

    def start(self, *arguments: str | Path, log: str = "run.log") -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "api.cli", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=self.full_environment(),
                cwd=self.folder,
            )

    def log(self, name: str = "run.log") -> str:
        path = self.folder / name
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @contextmanager
    def sessions(self) -> Iterator[sessionmaker[Session]]:
        """Look into the database that the commands use."""
        engine = make_engine(self.url)
        try:
            yield make_sessions(engine)
        finally:
            engine.dispose()


def stop(process: subprocess.Popen[bytes], *, number: int = signal.SIGTERM) -> int:
    """End a process that was started here; return its exit code."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(10)


def wait_until(
    is_so: Callable[[], Any], *, timeout_s: float = 60.0, what: str = "", every_s: float = 0.05
) -> Any:
    """Return what `is_so` gives once it is something, and fail after so long."""
    end = time.monotonic() + timeout_s
    while True:
        found = is_so()
        if found:
            return found
        if time.monotonic() > end:
            msg = f"not within {timeout_s:g} s: {what}"
            raise AssertionError(msg)
        time.sleep(every_s)


def text_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return all that a command said, for messages of failed tests."""
    return (done.stdout + done.stderr).decode("utf-8", "replace")
