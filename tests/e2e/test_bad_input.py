"""What a command does with files, settings and places that are wrong."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.homes import PROTOCOL, Home, text_of

POST: dict[str, Any] = {
    "id": "1",
    "platform": "x",
    "text": "Nordlicht lamps are broken",
    "created_at": "2026-03-04T12:00:00Z",
    "username": "ada",
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    home.write_brand()
    yield home
    leftovers = [path.name for path in home.folder.iterdir() if path.name.endswith(".part")]
    assert leftovers == [], "half-written files stay behind"


def _refused(home: Home, *arguments: str | Path, words: tuple[str, ...]) -> None:
    done = home.run(*arguments)
    said = " ".join(text_of(done).split())
    assert done.returncode in {1, 2}, said
    assert "Traceback" not in said, said
    for word in words:
        assert word in said, said


def _mentions(home: Home) -> list[dict[str, Any]]:
    out = home.folder / "out.jsonl"
    done = home.run("export", "mentions", "--out", out)
    assert done.returncode == 0, text_of(done)
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("brands", "words"),
    [
        ("version: 1\nbrands: [\n", ("brands.yaml, line", "not YAML")),
        ("version: 1\nbrands:\n  - {id: a, name: A, query: a, colour: red}\n", ("colour", "line")),
        ("version: 1\nbrands:\n  - {id: a, name: A, query: '(a OR b'}\n", ("query", "line 3")),
        ("version: 2\nbrands: []\n", ("version", "brands.yaml")),
        (
            "version: 1\nbrands:\n  - {id: a, name: A, query: a, sources: [{platform: myspace}]}\n",
            ("myspace", "line 3"),
        ),
        (b"version: 1\nbrands:\n  - {id: a, name: \xff\xfe, query: a}\n", ("UTF-8", "line 3")),
    ],
)
def test_a_wrong_brands_file_is_refused_with_its_line(
    home: Home, brands: str | bytes, words: tuple[str, ...]
) -> None:
    home.write("brands.yaml", brands)

    _refused(home, "check", "--offline", words=words)
    _refused(home, "once", words=words)


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("version: 1\ncontacts: [", ("protocol.yaml", "line")),
        (PROTOCOL + "claims: {}\n", ("claims", "line")),
        (PROTOCOL.replace("negatives_gte: 3", "negatives_gte: many"), ("negatives_gte", "line")),
        (PROTOCOL.replace("notify: [crisis_lead]", "notify: [nobody]"), ("nobody",)),
    ],
)
def test_a_wrong_protocol_is_refused_with_its_line(
    home: Home, protocol: str, words: tuple[str, ...]
) -> None:
    home.write("protocol.yaml", protocol)

    _refused(home, "check", "--offline", words=words)
    _refused(home, "once", words=words)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GROUNDSWELL_PORT", "many"),
        ("GROUNDSWELL_TICK_S", "-1"),
        ("GROUNDSWELL_DATABASE_URL", "nonsense"),
        ("GROUNDSWELL_SCORER", "no_such_scorer"),
        ("GROUNDSWELL_CRM", "no_such_crm"),
    ],
)
def test_a_wrong_setting_is_named(home: Home, name: str, value: str) -> None:
    home.environment[name] = value

    shown = name if value not in {"no_such_scorer", "no_such_crm"} else value
    _refused(home, "once", words=(shown,))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ("empty",)),
        ("who,what\nme,acme\n", ("who, what", "text, published_at")),
        ("\x00\x01\x02\x03", ()),
    ],
)
def test_a_file_of_no_posts_is_refused(home: Home, content: str, words: tuple[str, ...]) -> None:
    _refused(home, "import", "mentions", home.write("posts", content), words=words)
    _refused(home, "import", "mentions", home.folder / "missing", words=("missing",))
    _refused(home, "import", "mentions", home.folder, words=(str(home.folder),))


def test_odd_posts_are_stored_whole_or_put_aside(home: Home) -> None:
    megabyte = "Nordlicht " + "ä" * 1_000_000
    texts = {
        "1": megabyte,
        "2": "Nordlicht 👩🏽‍🚀🇳🇴 is on fire 🔥",
        "3": "أحب مصباح نورديكت كثيراً Nordlicht \u202eabc",
        "4": "<script>alert('Nordlicht')</script><b>bold</b> &amp;",
        "5": "Nordlicht\x00with a zero byte",
        "6": "Nordlicht \ud800 half a character",
    }
    posts = [POST | {"id": key, "text": text} for key, text in texts.items()]
    posts.append(POST | {"id": "7", "created_at": "2026-03-04 12:00:00"})
    posts.append(POST | {"id": "8", "created_at": "0000-00-00T00:00:00Z"})
    lines = "".join(json.dumps(post) + "\n" for post in posts) + "{not json\n[]\n"

    done = home.run("import", "mentions", home.write("odd.jsonl", lines))

    said = text_of(done)
    assert done.returncode == 0, said
    found = {one["external_id"]: one["text"] for one in _mentions(home)}
    for key in ("1", "2", "3", "4"):
        assert found[key] == texts[key]
    assert "7" not in found
    assert "time zone" in said
    read = len(posts) + 2
    assert f"{read} posts read: {len(found)} new" in " ".join(said.split())
    assert f"{read - len(found)} not understood" in " ".join(said.split())

    with_zone = home.run(
        "import", "mentions", home.folder / "odd.jsonl", "--timezone", "Asia/Tokyo"
    )
    assert with_zone.returncode == 0, text_of(with_zone)
    [naive] = [one for one in _mentions(home) if one["external_id"] == "7"]
    assert naive["published_at"] == "2026-03-04T03:00:00Z"
    _refused(
        *(home, "import", "mentions", home.folder / "odd.jsonl", "--timezone", "Mars/Olympus"),
        words=("Mars/Olympus",),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_are_read(home: Home, encoding: str) -> None:
    text = "id,text,created_at\r\n1,Nordlicht für 5 € – schön,2026-03-04T12:00:00Z\r\n"

    done = home.run("import", "mentions", home.write("posts.csv", text.encode(encoding)))

    assert done.returncode == 0, text_of(done)
    assert [one["text"] for one in _mentions(home)] == ["Nordlicht für 5 € – schön"]


def _limited(megabytes: int) -> Any:
    def limit() -> None:
        size = megabytes * 1_000_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_full_disk_is_said_and_costs_nothing_that_was_stored(home: Home) -> None:
    few = [POST | {"id": f"few{number}"} for number in range(10)]
    first = home.write("few.jsonl", "".join(json.dumps(post) + "\n" for post in few))
    assert home.run("import", "mentions", first).returncode == 0
    many = [
        POST | {"id": f"many{number}", "text": f"Nordlicht {number} " + "x" * 2_000}
        for number in range(4_000)
    ]
    path = home.write("many.jsonl", "".join(json.dumps(post) + "\n" for post in many))

    done = home.run("import", "mentions", path, "--no-process", limit=_limited(2))

    said = " ".join(text_of(done).split())
    assert done.returncode == 74, said
    assert "Traceback" not in said
    assert "disk" in said
    assert home.run("status").returncode == 0
    found = {one["external_id"] for one in _mentions(home)}
    assert {post["id"] for post in few} <= found

    again = home.run("import", "mentions", path, "--no-process")

    assert again.returncode == 0, text_of(again)
    assert {one["external_id"] for one in _mentions(home)} == {post["id"] for post in (*few, *many)}


def test_an_export_to_a_full_disk_leaves_the_old_file(home: Home) -> None:
    posts = [
        POST | {"id": str(number), "text": f"Nordlicht {number} " + "x" * 500}
        for number in range(500)
    ]
    path = home.write("posts.jsonl", "".join(json.dumps(post) + "\n" for post in posts))
    assert home.run("import", "mentions", path, "--no-process").returncode == 0
    out = home.write("out.jsonl", "old\n")

    done = home.run("export", "mentions", "--out", out, limit=_limited(0))

    assert done.returncode != 0
    assert "Traceback" not in text_of(done), text_of(done)
    assert out.read_text("utf-8") == "old\n"
