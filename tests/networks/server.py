"""Running the fake networks: in a thread beside a test, or as a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvicorn

from .app import make_app
from .control import Control
from .faults import Faults
from .gate import Gate
from .remote import RemoteControl
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_S = 10.0
_ROOT = Path(__file__).parents[2]


class Networks:
    """The fake networks on one loopback port: `start()`, use, `stop()`; or as a `with`."""

    def __init__(self, port: int = 0) -> None:
        """Prepare a server on `port`; 0 takes a free one."""
        self._store = Store()
        faults = Faults()
        self.control = Control(self._store, faults)
        self._gate = Gate(make_app(self._store, self.control), self._store, faults)
        config = uvicorn.Config(
            self._gate,
            host="127.0.0.1",
            port=port,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
        self._server = uvicorn.Server(config)
        self._gate.server = self._server
        self._thread = threading.Thread(target=self._server.run, name="networks", daemon=True)

    @property
    def url(self) -> str:
        """The address of the server, without a slash at its end."""
        name = self._server.servers[0].sockets[0].getsockname()
        return f"http://127.0.0.1:{name[1]}"

    @property
    def x_url(self) -> str:
        """What stands for https://api.twitter.com."""
        return self.url

    @property
    def reddit_url(self) -> str:
        """What stands for both https://www.reddit.com and https://oauth.reddit.com."""
        return self.url

    @property
    def feeds_url(self) -> str:
        """The folder of the feeds: `{feeds_url}/NAME` is a feed."""
        return f"{self.url}/feeds"

    @property
    def hook_url(self) -> str:
        """Where webhooks can be sent, also with a name: `{hook_url}/NAME`."""
        return f"{self.url}/hook"

    @property
    def control_url(self) -> str:
        """The folder of the control plane."""
        return f"{self.url}/_control"

    def urls(self) -> dict[str, str]:
        """Give every address by its name."""
        names = ("url", "x_url", "reddit_url", "feeds_url", "hook_url", "control_url")
        return {name: getattr(self, name) for name in names}

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        end = time.monotonic() + _START_S
        while not self._server.started:
            if time.monotonic() > end or not self._thread.is_alive():
                msg = "the fake networks did not start"
                raise RuntimeError(msg)
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop serving; requests that hang are cut."""
        self._gate.close()
        self._server.should_exit = True
        self._thread.join(_START_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def running_networks(port: int = 0) -> Iterator[Networks]:
    """Serve fake networks in a thread of this process."""
    with Networks(port) as networks:
        yield networks


@contextmanager
def spawned_networks(port: int = 0) -> Iterator[RemoteControl]:
    """Serve fake networks in another process, so that a benchmark's clock is not shared.

    The `RemoteControl` has the same addresses as `Networks`.
    """
    command = [
        sys.executable,
        "-m",
        __package__ or "tests.networks",
        "--port",
        str(port),
        "--with-parent",
    ]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, cwd=_ROOT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            msg = f"{' '.join(command)} ended at once with {process.wait()}"
            raise RuntimeError(msg)
        yield RemoteControl(json.loads(line)["url"])
    finally:
        process.terminate()
        process.wait(_START_S)
        for stream in filter(None, (process.stdin, process.stdout)):
            stream.close()
