"""A real Tryton server on a loopback port, with its own environment, database and people.

Tryton is under the GPL and is never imported here: it is another program, started from the
environment that GROUNDSWELL_TEST_TRYTON names.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

DATABASE, USER, PASSWORD = "crm", "admin", "made-up-and-long"

#: How long the server may take until it answers, in seconds.
START_S = 60.0


class TrytonServer:
    """What people do in Tryton, in a session of their own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._headers: dict[str, str] = {}

    def environment(self) -> dict[str, str]:
        """Return the settings of the plugin that talks to this server."""
        return {
            "GROUNDSWELL_TRYTON_BASE_URL": self.url,
            "GROUNDSWELL_TRYTON_DATABASE": DATABASE,
            "GROUNDSWELL_TRYTON_USER": USER,
            "GROUNDSWELL_TRYTON_PASSWORD": PASSWORD,
        }

    def sign_in(self) -> None:
        answer = self._client.post(
            f"/{DATABASE}/rpc/",
            json={
                "id": 1,
                "method": "common.db.login",
                "params": [USER, {"password": PASSWORD}, "en"],
            },
        )
        user_id, session, *_ = answer.json()["result"]
        said = b64encode(f"{USER}:{user_id}:{session}".encode()).decode()
        self._headers = {"Authorization": f"Session {said}"}

    def call(self, method: str, *params: Any) -> Any:
        body = {"id": 1, "method": method, "params": [*params, {}]}
        answer = self._client.post(f"/{DATABASE}/rpc/", json=body, headers=self._headers)
        answer.raise_for_status()
        found = answer.json()
        assert "error" not in found, found["error"]
        return found["result"]

    def add(self, name: str, **mechanisms: str) -> str:
        """Make a party; return its id. A mechanism's kind is its name, or it is a platform's."""
        kinds = {"email", "phone", "mobile", "website"}
        rows = [
            {"type": kind, "value": value}
            if kind in kinds
            else {"type": "other", "name": kind, "value": value}
            for kind, value in mechanisms.items()
        ]
        (made,) = self.call(
            "model.party.party.create", [{"name": name, "contact_mechanisms": [["create", rows]]}]
        )
        return str(made)

    def write(self, party_id: str, **values: Any) -> None:
        self.call("model.party.party.write", [int(party_id)], values)

    def delete(self, party_id: str) -> None:
        self.call("model.party.party.delete", [int(party_id)])

    def merge(self, party_id: str, into: str) -> None:
        """Replace one party by another, as Tryton's own dialogue does."""
        wizard = "wizard.party.replace"
        session_id, *_ = self.call(f"{wizard}.create")
        answers = {"ask": {"source": int(party_id), "destination": int(into)}}
        self.call(f"{wizard}.execute", session_id, answers, "replace")

    def mechanisms(self, party_id: str) -> dict[str, str]:
        """Return what stands in a party's mechanisms, by name or kind."""
        rows = self.call(
            "model.party.contact_mechanism.search_read",
            [["party", "=", int(party_id)]],
            *(0, None, None),
            ["type", "name", "value"],
        )
        return {row["name"] or row["type"]: row["value"] for row in rows}

    def change(self, party_id: str, name: str, value: str) -> None:
        """Change one mechanism by itself, in the list of all mechanisms."""
        ids = self.call(
            "model.party.contact_mechanism.search",
            [["party", "=", int(party_id)], ["OR", ["name", "=", name], ["type", "=", name]]],
            *(0, None, None),
        )
        self.call("model.party.contact_mechanism.write", ids, {"value": value})

    def notes(self, party_id: str) -> list[str]:
        """Return the notes of a party."""
        domain = [["resource", "=", f"party.party,{party_id}"]]
        rows = self.call("model.ir.note.search_read", domain, 0, None, None, ["message"])
        return [row["message"] for row in rows]

    def delete_notes(self, party_id: str) -> None:
        domain = [["resource", "=", f"party.party,{party_id}"]]
        ids = self.call("model.ir.note.search", domain, 0, None, None)
        self.call("model.ir.note.delete", ids)

    def end_all_sessions(self) -> None:
        """Let every session end, as Tryton does when a password is set, or after some minutes."""
        (user,) = self.call("model.res.user.search", [["login", "=", USER]], 0, None, None)
        self.call("model.res.user.write", [user], {"password": PASSWORD})
        self.sign_in()


@contextmanager
def tryton_server(
    environment: Path, folder: Path, *, before: Callable[[], None] = lambda: None
) -> Iterator[TrytonServer]:
    """Run a server on a database of its own in `folder`, and give it when it answers.

    `before` is called when the database is there and nobody uses it yet.
    """
    shutil.copytree(_prepared(environment), folder / "db")
    before()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = _config(folder, port)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [environment / "bin" / "trytond", "-c", config, "-d", DATABASE],
            stdout=log,
            stderr=log,
        )
    server = TrytonServer(f"http://127.0.0.1:{port}")
    try:
        _wait_for(server, process, folder)
        yield server
    finally:
        server._client.close()
        process.terminate()
        process.wait(30)


def _wait_for(server: TrytonServer, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            server.sign_in()
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError((folder / "server.log").read_text("utf-8")) from None
            time.sleep(0.1)
        else:
            return


def _prepared(environment: Path) -> Path:
    """Return the folder of a database with parties; it is made once for an environment."""
    folder = environment / "groundswell"
    if (folder / "done").exists():
        return folder / "db"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "db").mkdir(parents=True)
    (folder / "db" / f"{DATABASE}.sqlite").touch()
    password = folder / "password"
    password.write_text(PASSWORD, "utf-8")
    subprocess.run(
        [
            *(environment / "bin" / "trytond-admin", "-c", _config(folder, 0), "-d", DATABASE),
            *("-u", "party", "--activate-dependencies", "--email", "admin@example.org"),
        ],
        env=os.environ | {"TRYTONPASSFILE": str(password)},
        check=True,
        capture_output=True,
    )
    (folder / "done").touch()
    return folder / "db"


def _config(folder: Path, port: int) -> Path:
    path = folder / "trytond.conf"
    path.write_text(
        f"[database]\nuri = sqlite://\npath = {folder / 'db'}\n[web]\nlisten = 127.0.0.1:{port}\n",
        "utf-8",
    )
    return path
