"""`python -m tests.networks`: serve the fake networks until told to stop, addresses on stdout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from .server import running_networks


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument(
        "--with-parent", action="store_true", help="stop when stdin closes: nobody stays behind"
    )
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if options.with_parent:
        threading.Thread(target=_watch_parent, args=(stopped,), daemon=True).start()
    with running_networks(options.port) as networks:
        print(json.dumps(networks.urls()), flush=True)
        stopped.wait()


def _watch_parent(stopped: threading.Event) -> None:
    """Stop when the parent is gone, even if it was killed."""
    # Not sys.stdin: its lock, held by this thread, would break the interpreter's end.
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    stopped.set()


if __name__ == "__main__":
    main()
