"""A database that goes away and comes back while everything runs: nothing is lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from config.db import read_session
from tests.databases import POSTGRES_URL
from tests.e2e.homes import Home, wait_until
from tests.e2e.truths import (
    assert_all_done,
    assert_nothing_doubled,
    assert_rollups_are_exact,
    ids_of,
)
from tests.networks import Networks, running_networks

POST = "My Nordlicht lamp caught fire, this is terrible, number"


class Line:
    """A line to a server that can be cut: connections die, and new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._ends: list[socket.socket] = []
        self._server: socket.socket | None = None
        self.port = 0
        self.join_up()

    def join_up(self) -> None:
        server = socket.create_server(("127.0.0.1", self.port))
        self.port = server.getsockname()[1]
        self._server = server
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def cut(self) -> None:
        if self._server is not None:
            # A thread that waits in accept() would keep the port open.
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = server.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def networks() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


@pytest.fixture
def postgres_url(database_url: str) -> str:
    if not database_url.startswith("postgres"):
        pytest.skip("SQLite is a file: it does not go away")
    return database_url


@pytest.fixture
def line(postgres_url: str) -> Iterator[Line]:
    url = make_url(postgres_url)
    line = Line(url.host or "127.0.0.1", url.port or 5432)
    yield line
    line.cut()


def _publish(networks: Networks, number: int) -> None:
    networks.control.add(
        "x", [{"text": f"{POST} {number}.{one}", "author": f"a{one}"} for one in range(4)]
    )


def _is_worked_through(home: Home, count: int) -> bool:
    with home.sessions() as sessions, read_session(sessions) as session:
        if len(ids_of(session, "x")) < count:
            return False
        try:
            assert_all_done(session)
        except AssertionError:
            return False
        return True


def _assert_whole(home: Home, networks: Networks) -> None:
    with home.sessions() as sessions, read_session(sessions) as session:
        assert ids_of(session, "x") == sorted(one["id"] for one in networks.control.posts("x"))
        assert_nothing_doubled(session)
        assert_rollups_are_exact(session)


def test_a_worker_goes_on_when_the_database_comes_back(
    postgres_url: str, line: Line, tmp_path: Path, networks: Networks
) -> None:
    home = Home(tmp_path / "home", postgres_url)
    home.write_brand(networks)
    behind = make_url(postgres_url).set(host="127.0.0.1", port=line.port)
    home.environment["GROUNDSWELL_DATABASE_URL"] = behind.render_as_string(hide_password=False)
    with home.running("worker") as process:
        _publish(networks, 1)
        wait_until(lambda: _is_worked_through(home, 4), what="the first posts")

        line.cut()
        _publish(networks, 2)
        wait_until(lambda: "database unavailable" in home.log(), what="a word about it")
        line.join_up()

        wait_until(lambda: _is_worked_through(home, 8), what="the posts of the outage")
        assert process.poll() is None, home.log()
    assert "Traceback" not in home.log()
    _assert_whole(home, networks)


def test_a_worker_goes_on_when_the_server_ends_its_sessions(
    postgres_url: str, tmp_path: Path, networks: Networks
) -> None:
    home = Home(tmp_path / "home", postgres_url)
    home.write_brand(networks)
    name = make_url(postgres_url).database
    admin = create_engine(
        make_url(POSTGRES_URL).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with home.running("worker") as process:
        for number in range(1, 4):
            _publish(networks, number)
            with admin.connect() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"
                    ),
                    {"n": name},
                )
        wait_until(lambda: _is_worked_through(home, 12), what="all posts")
        assert process.poll() is None, home.log()
    admin.dispose()
    _assert_whole(home, networks)


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    home = Home(tmp_path / "home", f"postgresql://somebody:made-up@127.0.0.1:{port}/none")
    home.write_brand()
    for command in (("status",), ("once",), ("run",), ("migrate",)):
        done = home.run(*command)
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == 75, said
        assert "does not answer" in " ".join(said.split())
        assert "made-up" not in said
        assert "Traceback" not in said
