"""Every command as a script calls it: exit codes, files, standard input and output."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.homes import Home, text_of, wait_until
from tests.networks import Networks, running_networks

POSTS: list[dict[str, Any]] = [
    {
        "id": "1",
        "platform": "x",
        "text": "I love my Nordlicht lamp, it is great",
        "created_at": "2026-03-04T12:00:00Z",
        "username": "ada",
        "author_name": "Ada",
    },
    {
        "id": "2",
        "platform": "x",
        "text": "My Nordlicht kettle is broken, terrible, refund!",
        "created_at": "2026-03-04T13:00:00+01:00",
        "username": "bo",
    },
]

#: One page as twarc saves it: a post, and a repost that X cuts, with its original in includes.
PAGE: dict[str, Any] = {
    "data": [
        {
            "id": "1700000000000000001",
            "text": "RT @ada: Nordlicht says that all lamps are tested twice and that noth…",
            "created_at": "2026-03-04T12:00:00.000Z",
            "author_id": "12",
            "lang": "en",
            "conversation_id": "1700000000000000001",
            "edit_history_tweet_ids": ["1700000000000000001"],
            "public_metrics": {
                "retweet_count": 3,
                "reply_count": 0,
                "like_count": 0,
                "quote_count": 0,
            },
            "referenced_tweets": [{"type": "retweeted", "id": "1700000000000000000"}],
        }
    ],
    "includes": {
        "users": [
            {
                "id": "11",
                "username": "ada",
                "name": "Ada",
                "public_metrics": {"followers_count": 7},
            },
            {"id": "12", "username": "bo", "name": "Bo", "public_metrics": {"followers_count": 1}},
        ],
        "tweets": [
            {
                "id": "1700000000000000000",
                "text": "Nordlicht says that all lamps are tested twice and that nothing can go "
                "wrong with any of them, which is good to hear from them at last",
                "created_at": "2026-03-04T11:00:00.000Z",
                "author_id": "11",
                "lang": "en",
                "edit_history_tweet_ids": ["1700000000000000000"],
            }
        ],
    },
    "meta": {"result_count": 1, "newest_id": "1700000000000000001"},
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.write_brand()
    return home


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    with running_networks() as networks:
        yield networks


def _ok(done: subprocess.CompletedProcess[bytes]) -> str:
    said = text_of(done)
    assert done.returncode == 0, said
    assert "Traceback" not in said
    return said


def _refused(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> str:
    said = text_of(done)
    assert done.returncode == code, said
    assert "Traceback" not in said, said
    flat = " ".join(said.split())
    for word in words:
        assert word in flat, said
    return said


def _lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def _exported(home: Home, what: str = "mentions") -> list[dict[str, Any]]:
    out = home.folder / f"{what}.out.jsonl"
    _ok(home.run("export", what, "--out", out))
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


# -- setting up ----------------------------------------------------------------------------------


def test_init_check_users_status_on_an_empty_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    home.environment.pop("GROUNDSWELL_SECRET_KEY")
    _refused(home.run("check", "--offline"), 1, "brands file", "groundswell init")

    _ok(home.run("init"))

    assert (home.folder / ".env").stat().st_mode & 0o077 == 0
    before = (home.folder / ".env").read_text("utf-8")
    assert "kept" in _ok(home.run("init"))
    assert (home.folder / ".env").read_text("utf-8") == before
    assert "all is well" in _ok(home.run("check", "--offline"))
    added = home.run(
        *("users", "add", "ada@example.org", "--role", "admin"),
        stdin=b"a long made-up password 123\n",
    )
    _ok(added)
    assert "ada@example.org" in _ok(home.run("users", "list"))
    key = home.run("users", "key", "ada@example.org")
    _ok(key)
    assert len(key.stdout.split()) == 1
    _refused(home.run("users", "role", "ada@example.org", "viewer"), 4, "last active admin")
    second = ("users", "add", "bo@example.org", "--role", "admin")
    _ok(home.run(*second, stdin=b"a long made-up password 456\n"))
    _ok(home.run("users", "role", "ada@example.org", "viewer"))
    _ok(home.run("users", "password", "ada@example.org", stdin=b"another made-up password 4\n"))
    _ok(home.run("users", "disable", "ada@example.org"))
    _ok(home.run("users", "enable", "ada@example.org"))
    _refused(home.run("users", "disable", "nobody@example.org"), 3, "users list")
    short = home.run("users", "add", "cy@example.org", stdin=b"short\n")
    _refused(short, 2, "password")
    assert "sqlite" in _ok(home.run("status"))
    assert "from" in _ok(home.run("migrate"))


def test_help_names_every_command(home: Home) -> None:
    said = _ok(home.run("--help"))
    for command in (
        *("demo", "init", "check", "run", "collect", "import", "score", "export", "migrate"),
        *("serve", "worker", "once", "status", "users", "detect"),
    ):
        assert command in said
    assert _ok(home.run("--version")).strip()


# -- data in and out -----------------------------------------------------------------------------


def test_mentions_come_in_from_csv_json_lines_and_pages_of_x(home: Home) -> None:
    csv_file = home.write(
        "posts.csv",
        "id,text,created_at,username,platform\n"
        '7,"Nordlicht opens a shop in Graz 😀",2026-03-04T12:00:00+01:00,chloé,forum\n',
    )
    _ok(home.run("import", "mentions", csv_file))
    _ok(home.run("import", "mentions", home.write("posts.jsonl", _lines(POSTS))))
    _ok(home.run("import", "mentions", home.write("pages.jsonl", _lines([PAGE]))))

    found = {one["external_id"]: one for one in _exported(home)}

    assert set(found) == {"7", "1", "2", "1700000000000000001"}
    assert found["7"]["text"] == "Nordlicht opens a shop in Graz 😀"
    assert found["7"]["published_at"] == "2026-03-04T11:00:00Z"
    assert (found["7"]["platform"], found["7"]["author_handle"]) == ("forum", "chloé")
    assert (found["1"]["label"], found["1"]["author_name"]) == ("positive", "Ada")
    assert (found["2"]["label"], found["2"]["priority"]) == ("negative", "service")
    repost = found["1700000000000000001"]
    assert repost["text"].endswith("at last")
    assert (repost["author_handle"], repost["repost_of_id"]) == ("bo", "1700000000000000000")
    for name in (
        *("platform", "external_id", "url", "text", "published_at", "author_handle"),
        *("author_name", "label", "score", "confidence", "priority"),
    ):
        assert all(name in one for one in found.values()), name
    assert all(one["intents"] is not None for one in found.values())
    assert 0 <= found["1"]["bot"] <= 1
    again = _ok(home.run("import", "mentions", home.folder / "posts.jsonl"))
    assert "0 new" in again
    assert "2 known" in again


def test_an_export_is_imported_back(home: Home, tmp_path: Path) -> None:
    _ok(home.run("import", "mentions", home.write("posts.jsonl", _lines(POSTS))))
    first = _exported(home)
    other = Home(tmp_path / "other")
    other.write_brand()

    _ok(other.run("import", "mentions", home.folder / "mentions.out.jsonl"))

    names = ("platform", "external_id", "text", "published_at", "author_handle", "label")
    assert [{name: one[name] for name in names} for one in _exported(other)] == [
        {name: one[name] for name in names} for one in first
    ]


def test_match_keeps_what_the_query_finds_and_brand_is_asked_for(home: Home) -> None:
    posts = [*POSTS, POSTS[0] | {"id": "3", "text": "nothing about any brand"}]
    path = home.write("posts.jsonl", _lines(posts))

    said = _ok(home.run("import", "mentions", path, "--match"))

    assert "2 new" in said
    assert "1 not matching" in said
    _refused(home.run("import", "mentions", path, "--brand", "other"), 2, "nordlicht")
    brands = (home.folder / "brands.yaml").read_text("utf-8")
    home.write("brands.yaml", f"{brands}  - {{id: other, name: Other, query: other}}\n")
    _refused(home.run("import", "mentions", path), 2, "--brand")
    assert "3 new" in _ok(home.run("import", "mentions", path, "--brand", "other"))


def test_contacts_come_in_by_known_and_by_mapped_columns(home: Home) -> None:
    known = "id,name,email\nC1,Ada,ada@people.example\nC2,Bo,bo@people.example\n"
    other = 'Nummer;Wie;"E-Post"\nC3;Cleo;cleo@people.example\n'
    _ok(home.run("import", "contacts", home.write("known.csv", known)))
    _ok(
        home.run(
            *("import", "contacts", home.write("other.csv", other)),
            *("--map", "id=Nummer", "--map", "name=Wie", "--map", "email=E-Post"),
        )
    )

    assert {one["external_id"] for one in _exported(home, "contacts")} == {"C1", "C2", "C3"}
    assert "2 contacts read: 0 new" in _ok(
        home.run("import", "contacts", home.folder / "known.csv")
    )
    wrong = home.write("wrong.csv", "colour,size\nred,7\n")
    _refused(home.run("import", "contacts", wrong), 2, "colour")
    _refused(home.run("import", "contacts", wrong, "--map", "nonsense"), 2, "--map")


def test_links_and_incidents_are_exported(home: Home) -> None:
    _ok(home.run("import", "contacts", home.write("c.csv", "id,name,x_handle\nC1,Ada,ada\n")))
    _ok(home.run("import", "mentions", home.write("posts.jsonl", _lines(POSTS))))

    [link] = _exported(home, "links")

    assert "C1" in json.dumps(link)
    assert "confirmed" in json.dumps(link)
    assert _exported(home, "incidents") == []
    nowhere = home.run("export", "links", "--out", "/nowhere/at/all.jsonl")
    _refused(nowhere, 2, "/nowhere/at/all.jsonl")
    _refused(home.run("export", "links", "--out", "x", "--since", "7d"), 2, "--since")


def test_score_reads_and_writes_files_and_pipes(home: Home) -> None:
    texts = _lines(
        [
            {"id": 1, "text": "I love my Nordlicht lamp", "target": "Nordlicht"},
            {"id": 2, "text": "Terrible, awful, I hate it", "extra": "kept"},
            {"id": 3, "text": "このランプが大好きです。みんなにおすすめします"},
            {"id": 4, "text": ""},
        ]
    )
    piped = home.run("score", "--in", "-", "--out", "-", stdin=texts.encode())
    _ok(piped)
    found = [json.loads(line) for line in piped.stdout.splitlines()]
    assert [one["id"] for one in found] == [1, 2, 3, 4]
    assert [one["label"] for one in found[:2]] == ["positive", "negative"]
    assert found[2]["label"] == "unknown"
    assert found[1]["extra"] == "kept"
    assert {"label", "score", "confidence", "lang", "scorer"} <= set(found[0])
    assert (found[0]["intents"], found[1]["intents"]) == (["praise"], ["complaint"])
    signals = {"emotion", "irony", "offensive", "complaint_reason", "spam", "bot"}
    assert all(signals <= set(one) for one in found)

    out = home.folder / "out.jsonl"
    _ok(home.run("score", "--in", home.write("in.jsonl", texts), "--out", out))
    assert out.read_bytes() == piped.stdout

    broken = home.run("score", "--in", home.write("bad.jsonl", '{"id": 1}\n'), "--out", out)
    _refused(broken, 2, "bad.jsonl, line 1")
    assert out.read_bytes() == piped.stdout, "a file stays whole when the next one fails"
    _refused(home.run("score", "--in", "missing.jsonl", "--out", "-"), 2, "missing.jsonl")


def test_detect_scores_a_series_of_counts(home: Home) -> None:
    rows = ["timestamp,value"]
    for minute in range(0, 3 * 24 * 60, 5):
        value = 400 if 3_900 <= minute < 3_930 else 5 + minute % 7
        rows.append(
            f"2026-03-{1 + minute // 1_440:02} {minute // 60 % 24:02}:{minute % 60:02}:00,{value}"
        )
    out = home.folder / "scores.csv"

    _ok(home.run("detect", "--in", home.write("series.csv", "\n".join(rows) + "\n"), "--out", out))

    with out.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(rows) - 1
    scores = [float(row["anomaly_score"]) for row in found]
    assert max(range(len(scores)), key=scores.__getitem__) in range(780, 790)
    _refused(home.run("detect", "--in", home.folder / "none.csv", "--out", out), 2, "none.csv")


# -- collecting ----------------------------------------------------------------------------------


def test_collect_reads_now_and_back_to_since(home: Home, networks: Networks) -> None:
    networks.control.reset()
    home.write_brand(networks)
    networks.control.fill("x", 30, brand="Nordlicht")

    said = _ok(home.run("collect", "x-search", "--since", "2h"))

    assert "30 new" in said
    assert "press" not in said
    assert "0 new" in _ok(home.run("collect", "x-search"))
    _refused(home.run("collect", "nothing"), 3, "x-search")
    _refused(home.run("collect", "--since", "yesterday-ish"), 2, "yesterday-ish")
    networks.control.fault("x", "status", status=503, times=-1)
    _refused(home.run("collect", "x-search"), 75, "x-search")
    status = _ok(home.run("status"))
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

    _ok(home.run("collect", "x-search"))
    _ok(home.run("import", "mentions", home.write("pages.jsonl", _lines([PAGE]))))

    with closing(sqlite3.connect(home.folder / "groundswell.db")) as database:
        assert database.execute("SELECT count(*) FROM mention").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM raw_post").fetchone() == (kept,)


def test_check_says_what_is_wrong_and_what_answers(home: Home, networks: Networks) -> None:
    networks.control.reset()
    home.write_brand(networks)
    networks.control.add("feeds", [{"text": "Nordlicht opens", "title": "Nordlicht"}])
    assert "answers" in _ok(home.run("check"))
    home.environment.pop("GROUNDSWELL_X_BEARER_TOKEN")
    home.environment["GROUNDSWELL_SECRET_KEY"] = "short"
    _refused(home.run("check", "--offline"), 1, "GROUNDSWELL_X_BEARER_TOKEN", "SECRET_KEY")


def test_check_names_an_address_that_the_protocol_lacks(home: Home) -> None:
    home.environment.pop("HOOK")
    _refused(home.run("check", "--offline"), 1, "HOOK")


# -- running -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("run", "--port", "0"), ("worker",)])
def test_a_second_run_on_the_same_file_is_refused(home: Home, command: tuple[str, ...]) -> None:
    with home.running("run", "--port", "0"):
        wait_until(lambda: "console: http" in home.log(), what="the first run")

        second = home.run(*command)

        _refused(second, 4, "works on", "already")
        _ok(home.run("status"))
    _ok(home.run("once"))


def test_a_taken_port_is_said(home: Home, tmp_path: Path, networks: Networks) -> None:
    port = networks.url.rsplit(":", 1)[1]
    _refused(home.run("run", "--port", port), 4, port, "--port")


def test_a_database_of_another_version_is_refused(home: Home) -> None:
    _ok(home.run("migrate"))
    with sqlite3.connect(home.folder / "groundswell.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("status",), ("migrate",), ("once",)):
        done = home.run(*command)
        assert done.returncode in {2, 4}, text_of(done)
        assert "Traceback" not in text_of(done)
