"""A loopback server for a fake CRM: the real wire, the fake's own rules behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class FakeCrm:
    """Contacts in memory. A subclass knows the paths, the shapes and the limits of one CRM."""

    name: ClassVar[str]

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed_at: dict[str, datetime] = field(default_factory=dict)
    gone_at: dict[str, datetime] = field(default_factory=dict)
    merged_into: dict[str, str] = field(default_factory=dict)
    our_fields: set[str] = field(default_factory=set)
    #: Cases and notes by the CRM's word for them, then by the CRM's id.
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    #: The CRM's words whose fields are set up.
    ready: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    #: Coming calls whose path holds the word are answered so, once each.
    faults: list[tuple[str, Answer]] = field(default_factory=list)
    #: Ids whose writes fail, with the CRM's own code.
    refused: dict[str, str] = field(default_factory=dict)
    #: Headers of every answer.
    said: dict[str, str] = field(default_factory=dict)
    token: str = "token-1"
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    #: Its clock: real time when a test begins, and a second for each change.
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def add(self, external_id: str, **values: Any) -> None:
        self.contacts[external_id] = values
        self.touch(external_id)

    def touch(self, external_id: str) -> None:
        self.now += timedelta(seconds=1)
        self.changed_at[external_id] = self.now

    def delete(self, external_id: str) -> None:
        self.touch(external_id)
        self.gone_at[external_id] = self.now

    def merge(self, external_id: str, into: str) -> None:
        self.delete(external_id)
        self.merged_into[external_id] = into
        self.touch(into)

    def alive(self) -> list[str]:
        return [one for one in self.contacts if one not in self.gone_at]

    def refusal(self, external_id: str, gone: str) -> str | None:
        """Return why a record is not written, if it is not."""
        return self.refused.get(external_id) or (None if external_id in self.alive() else gone)

    def expire(self) -> None:
        """Make the token that was given invalid."""
        self.token = f"token-{int(self.token.rpartition('-')[2]) + 1}"

    def writes(self) -> list[Call]:
        """Return the calls that changed contacts."""
        return [call for call in self.calls if self.is_write(call)]

    def cases(self) -> list[dict[str, Any]]:
        """Return the cases as plain values: key, subject, body, priority, state, contact, owner."""
        raise NotImplementedError

    def notes(self) -> list[dict[str, Any]]:
        """Return the notes as plain values: key, subject, body, contact."""
        raise NotImplementedError

    def work_on(self, key: str) -> None:
        """Let a person take on a case: its state is none of ours then."""
        raise NotImplementedError

    def new_id(self) -> str:
        return str(9000 + sum(len(one) for one in self.objects.values()))

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    def is_write(self, call: Call) -> bool:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return the settings of the plugin that talks to this server."""
        raise NotImplementedError

    def environment_of(self, account: str) -> dict[str, str]:
        """Return the settings of one of several accounts of the plugin."""
        prefix = f"GROUNDSWELL_{self.name.upper()}_"
        return {
            f"{prefix}{account.upper()}_{name.removeprefix(prefix)}": value
            for name, value in self.environment().items()
        }


@contextmanager
def served(fake: FakeCrm) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(size)
            parts = urlsplit(self.path)
            is_form = "form" in (self.headers.get("Content-Type") or "")
            body = dict(parse_qsl(raw.decode())) if is_form else json.loads(raw or b"null")
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            with fake.lock:
                fake.calls.append(call)
                answer: Answer | None = None
                for place, (word, struck) in enumerate(fake.faults):
                    if word in call.path:
                        del fake.faults[place]
                        answer = struck
                        break
                status, found, *more = answer or fake.answer(call)
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            for name, value in (fake.said | (more[0] if more else {})).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
