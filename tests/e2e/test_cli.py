"""Every command as a script calls it: exit codes, files, standard input and output."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.commands import PAGE, json_lines, ok, refused
from tests.e2e.homes import Home, text_of, wait_until
from tests.networks import Networks, running_networks


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.write_brand()
    return home


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


def test_init_check_users_status_on_an_empty_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    home.environment.pop("GROUNDSWELL_SECRET_KEY")
    refused(home.run("check", "--offline"), 1, "brands file", "groundswell init")

    ok(home.run("init"))

    assert (home.folder / ".env").stat().st_mode & 0o077 == 0
    before = (home.folder / ".env").read_text("utf-8")
    assert "kept" in ok(home.run("init"))
    assert (home.folder / ".env").read_text("utf-8") == before
    assert "all is well" in ok(home.run("check", "--offline"))
    added = home.run(
        *("users", "add", "ada@example.org", "--role", "admin"),
        stdin=b"a long made-up password 123\n",
    )
    ok(added)
    assert "ada@example.org" in ok(home.run("users", "list"))
    key = home.run("users", "key", "ada@example.org")
    ok(key)
    assert len(key.stdout.split()) == 1
    refused(home.run("users", "role", "ada@example.org", "viewer"), 4, "last active admin")
    second = ("users", "add", "bo@example.org", "--role", "admin")
    ok(home.run(*second, stdin=b"a long made-up password 456\n"))
    ok(home.run("users", "role", "ada@example.org", "viewer"))
    ok(home.run("users", "password", "ada@example.org", stdin=b"another made-up password 4\n"))
    ok(home.run("users", "disable", "ada@example.org"))
    ok(home.run("users", "enable", "ada@example.org"))
    refused(home.run("users", "disable", "nobody@example.org"), 3, "users list")
    short = home.run("users", "add", "cy@example.org", stdin=b"short\n")
    refused(short, 2, "password")
    assert "sqlite" in ok(home.run("status"))
    assert "from" in ok(home.run("migrate"))


def test_help_names_every_command(home: Home) -> None:
    said = ok(home.run("--help"))
    for command in (
        *("demo", "init", "check", "run", "collect", "import", "score", "export", "migrate"),
        *("serve", "worker", "once", "status", "users", "detect"),
    ):
        assert command in said
    assert ok(home.run("--version")).strip()


def test_collect_reads_now_and_back_to_since(home: Home, networks: Networks) -> None:
    networks.control.reset()
    home.write_brand(networks)
    networks.control.fill("x", 30, brand="Nordlicht")

    said = ok(home.run("collect", "x-search", "--since", "2h"))

    assert "30 new" in said
    assert "press" not in said
    assert "0 new" in ok(home.run("collect", "x-search"))
    refused(home.run("collect", "nothing"), 3, "x-search")
    refused(home.run("collect", "--since", "yesterday-ish"), 2, "yesterday-ish")
    networks.control.fault("x", "status", status=503, times=-1)
    refused(home.run("collect", "x-search"), 75, "x-search")
    status = ok(home.run("status"))
    assert "x-search" in status
    assert "retrying" in status


@pytest.mark.parametrize(("days", "kept"), [("30", 2), ("0", 0)])
def test_raw_answers_are_kept_as_the_setting_says(
    home: Home, networks: Networks, days: str, kept: int
) -> None:
    networks.control.reset()
    home.write_brand(networks)
    home.environment["GROUNDSWELL_RAW_RETENTION_DAYS"] = days
    networks.control.add("x", [{"text": "Nordlicht opens"}])

    ok(home.run("collect", "x-search"))
    ok(home.run("import", "mentions", home.write("pages.jsonl", json_lines([PAGE]))))

    with closing(sqlite3.connect(home.folder / "groundswell.db")) as database:
        assert database.execute("SELECT count(*) FROM mention").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM raw_post").fetchone() == (kept,)


def test_check_says_what_is_wrong_and_what_answers(home: Home, networks: Networks) -> None:
    networks.control.reset()
    home.write_brand(networks)
    networks.control.add("feeds", [{"text": "Nordlicht opens", "title": "Nordlicht"}])
    assert "answers" in ok(home.run("check"))
    home.environment.pop("GROUNDSWELL_X_BEARER_TOKEN")
    home.environment["GROUNDSWELL_SECRET_KEY"] = "short"
    refused(home.run("check", "--offline"), 1, "GROUNDSWELL_X_BEARER_TOKEN", "SECRET_KEY")


def test_check_names_an_address_that_the_protocol_lacks(home: Home) -> None:
    home.environment.pop("HOOK")
    refused(home.run("check", "--offline"), 1, "HOOK")


@pytest.mark.parametrize("command", [("run", "--port", "0"), ("worker",)])
def test_a_second_run_on_the_same_file_is_refused(home: Home, command: tuple[str, ...]) -> None:
    with home.running("run", "--port", "0"):
        wait_until(lambda: "console: http" in home.log(), what="the first run")

        second = home.run(*command)

        refused(second, 4, "works on", "already")
        ok(home.run("status"))
    ok(home.run("once"))


def test_a_taken_port_is_said(home: Home, tmp_path: Path, networks: Networks) -> None:
    port = networks.url.rsplit(":", 1)[1]
    refused(home.run("run", "--port", port), 4, port, "--port")


def test_a_database_of_another_version_is_refused(home: Home) -> None:
    ok(home.run("migrate"))
    with sqlite3.connect(home.folder / "groundswell.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("status",), ("migrate",), ("once",)):
        done = home.run(*command)
        assert done.returncode in {2, 4}, text_of(done)
        assert "Traceback" not in text_of(done)
