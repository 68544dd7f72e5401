"""Commands that read and write files: imports, exports, scoring."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.e2e.commands import PAGE, POSTS, exported, json_lines, ok, refused
from tests.e2e.homes import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.write_brand()
    return home


def test_mentions_come_in_from_csv_json_lines_and_pages_of_x(home: Home) -> None:
    csv_file = home.write(
        "posts.csv",
        "id,text,created_at,username,platform\n"
        '7,"Nordlicht opens a shop in Graz 😀",2026-03-04T12:00:00+01:00,chloé,forum\n',
    )
    ok(home.run("import", "mentions", csv_file))
    ok(home.run("import", "mentions", home.write("posts.jsonl", json_lines(POSTS))))
    ok(home.run("import", "mentions", home.write("pages.jsonl", json_lines([PAGE]))))

    found = {one["external_id"]: one for one in exported(home)}

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
    again = ok(home.run("import", "mentions", home.folder / "posts.jsonl"))
    assert "0 new" in again
    assert "2 known" in again


def test_an_export_is_imported_back(home: Home, tmp_path: Path) -> None:
    ok(home.run("import", "mentions", home.write("posts.jsonl", json_lines(POSTS))))
    first = exported(home)
    other = Home(tmp_path / "other")
    other.write_brand()

    ok(other.run("import", "mentions", home.folder / "mentions.out.jsonl"))

    names = ("platform", "external_id", "text", "published_at", "author_handle", "label")
    assert [{name: one[name] for name in names} for one in exported(other)] == [
        {name: one[name] for name in names} for one in first
    ]


def test_match_keeps_what_the_query_finds_and_brand_is_asked_for(home: Home) -> None:
    posts = [*POSTS, POSTS[0] | {"id": "3", "text": "nothing about any brand"}]
    path = home.write("posts.jsonl", json_lines(posts))

    said = ok(home.run("import", "mentions", path, "--match"))

    assert "2 new" in said
    assert "1 not matching" in said
    refused(home.run("import", "mentions", path, "--brand", "other"), 2, "nordlicht")
    brands = (home.folder / "brands.yaml").read_text("utf-8")
    home.write("brands.yaml", f"{brands}  - {{id: other, name: Other, query: other}}\n")
    refused(home.run("import", "mentions", path), 2, "--brand")
    assert "3 new" in ok(home.run("import", "mentions", path, "--brand", "other"))


def test_contacts_come_in_by_known_and_by_mapped_columns(home: Home) -> None:
    known = "id,name,email\nC1,Ada,ada@people.example\nC2,Bo,bo@people.example\n"
    other = 'Nummer;Wie;"E-Post"\nC3;Cleo;cleo@people.example\n'
    ok(home.run("import", "contacts", home.write("known.csv", known)))
    ok(
        home.run(
            *("import", "contacts", home.write("other.csv", other)),
            *("--map", "id=Nummer", "--map", "name=Wie", "--map", "email=E-Post"),
        )
    )

    assert {one["external_id"] for one in exported(home, "contacts")} == {"C1", "C2", "C3"}
    assert "2 contacts read: 0 new" in ok(home.run("import", "contacts", home.folder / "known.csv"))
    wrong = home.write("wrong.csv", "colour,size\nred,7\n")
    refused(home.run("import", "contacts", wrong), 2, "colour")
    refused(home.run("import", "contacts", wrong, "--map", "nonsense"), 2, "--map")


def test_links_and_incidents_are_exported(home: Home) -> None:
    ok(home.run("import", "contacts", home.write("c.csv", "id,name,x_handle\nC1,Ada,ada\n")))
    ok(home.run("import", "mentions", home.write("posts.jsonl", json_lines(POSTS))))

    [link] = exported(home, "links")

    assert "C1" in json.dumps(link)
    assert "confirmed" in json.dumps(link)
    assert exported(home, "incidents") == []
    nowhere = home.run("export", "links", "--out", "/nowhere/at/all.jsonl")
    refused(nowhere, 2, "/nowhere/at/all.jsonl")
    refused(home.run("export", "links", "--out", "x", "--since", "7d"), 2, "--since")


def test_score_reads_and_writes_files_and_pipes(home: Home) -> None:
    texts = json_lines(
        [
            {"id": 1, "text": "I love my Nordlicht lamp", "target": "Nordlicht"},
            {"id": 2, "text": "Terrible, awful, I hate it", "extra": "kept"},
            {"id": 3, "text": "このランプが大好きです。みんなにおすすめします"},
            {"id": 4, "text": ""},
        ]
    )
    piped = home.run("score", "--in", "-", "--out", "-", stdin=texts.encode())
    ok(piped)
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
    ok(home.run("score", "--in", home.write("in.jsonl", texts), "--out", out))
    assert out.read_bytes() == piped.stdout

    broken = home.run("score", "--in", home.write("bad.jsonl", '{"id": 1}\n'), "--out", out)
    refused(broken, 2, "bad.jsonl, line 1")
    assert out.read_bytes() == piped.stdout, "a file stays whole when the next one fails"
    refused(home.run("score", "--in", "missing.jsonl", "--out", "-"), 2, "missing.jsonl")


def test_detect_scores_a_series_of_counts(home: Home) -> None:
    rows = ["timestamp,value"]
    for minute in range(0, 3 * 24 * 60, 5):
        value = 400 if 3_900 <= minute < 3_930 else 5 + minute % 7
        rows.append(
            f"2026-03-{1 + minute // 1_440:02} {minute // 60 % 24:02}:{minute % 60:02}:00,{value}"
        )
    out = home.folder / "scores.csv"

    ok(home.run("detect", "--in", home.write("series.csv", "\n".join(rows) + "\n"), "--out", out))

    with out.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(rows) - 1
    scores = [float(row["anomaly_score"]) for row in found]
    assert max(range(len(scores)), key=scores.__getitem__) in range(780, 790)
    refused(home.run("detect", "--in", home.folder / "none.csv", "--out", out), 2, "none.csv")
