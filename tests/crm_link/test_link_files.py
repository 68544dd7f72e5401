from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from config.errors import InputError
from crm_link.context import LinkContext
from crm_link.linking.link_files import LinkReport, link_files

CONTEXT = LinkContext("a key of the tests", "US")
NAMES = ("Jane Tavares", "Robert Quimby", "Ada Lindqvist", "Jon Okafor", "Mary Smith")
REGIONS = ("OH", "TX", "NY", "CA", "OH")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def contacts(path: Path, *more: Mapping[str, str], source: str = "public_directory") -> Path:
    rows: list[dict[str, str]] = [
        {
            "contact_id": f"c{number}",
            "first_name": name.split()[0],
            "last_name": name.split()[1],
            "region": region,
            "email": f"{name.split()[0].lower()}@example.com",
            "website": "",
            "relationship_source": source,
        }
        for number, (name, region) in enumerate(zip(NAMES, REGIONS, strict=True))
    ]
    rows.extend({**rows[0], **one} for one in more)
    return write_csv(path / "contacts.csv", rows)


def author(**changes: str) -> dict[str, str]:
    values = {
        "author_id": "1",
        "platform": "mastodon",
        "handle": "jtavares",
        "display_name": "Jane Tavares",
        "bio": "",
        "location": "Columbus, OH",
        "profile_link": "",
    }
    return values | changes


def linked(
    path: Path, contact_file: Path, *authors: dict[str, str], out: str = "out.jsonl", **options: Any
) -> tuple[list[dict[str, Any]], LinkReport]:
    file = write_csv(path / "authors.csv", authors)
    report = link_files(contact_file, file, path / out, context=CONTEXT, **options)
    return [json.loads(line) for line in (path / out).read_text().splitlines()], report


def test_name_and_place_confirm_a_person_of_a_public_directory(tmp_path: Path) -> None:
    rows, report = linked(tmp_path, contacts(tmp_path), author())

    assert [(row["contact_id"], row["state"]) for row in rows] == [("c0", "confirmed")]
    assert {item["kind"] for item in rows[0]["evidence"]} == {"name", "location"}
    assert rows[0]["probability"] > 0.9
    assert (report.confirmed, report.suggested, report.none) == (1, 0, 0)


def test_the_same_evidence_only_suggests_a_customer(tmp_path: Path) -> None:
    file = contacts(tmp_path, source="")

    assert linked(tmp_path, file, author())[0][0]["state"] == "suggested"
    assert linked(tmp_path, file, author(), origin="public_directory")[0][0]["state"] == "confirmed"
    assert linked(tmp_path, contacts(tmp_path), author(), origin="prior_relationship")[0][0][
        "state"
    ] == ("suggested")


def test_what_the_person_gave_confirms_a_customer(tmp_path: Path) -> None:
    rows, _ = linked(
        tmp_path, contacts(tmp_path, source=""), author(bio="mail me: jane@example.com")
    )

    assert (rows[0]["contact_id"], rows[0]["state"]) == ("c0", "confirmed")
    assert rows[0]["evidence"][0]["kind"] == "email"


@pytest.mark.parametrize("source", ["public_directory", "consent", ""])
def test_a_name_alone_is_never_confirmed(tmp_path: Path, source: str) -> None:
    rows, _ = linked(
        tmp_path,
        contacts(tmp_path, source=source),
        author(location="", handle="janetavares", bio="Jane Tavares"),
    )

    assert rows[0]["state"] != "confirmed"


def test_a_namesake_elsewhere_and_two_namesakes_are_no_more_than_a_suggestion(
    tmp_path: Path,
) -> None:
    elsewhere, _ = linked(tmp_path, contacts(tmp_path), author(location="Dallas, TX"))
    twin = contacts(tmp_path, {"contact_id": "c9", "email": ""})
    two, _ = linked(tmp_path, twin, author())

    assert elsewhere[0]["state"] != "confirmed"
    assert elsewhere[0]["evidence"][1]["bits"] < -3
    assert two[0]["state"] == "suggested"
    assert len(two[0]["others"]) == 1


def test_authors_of_reddit_are_not_looked_at(tmp_path: Path) -> None:
    rows, report = linked(
        tmp_path, contacts(tmp_path), author(platform="reddit", bio="jane@example.com")
    )

    assert (rows[0]["state"], rows[0]["contact_id"], rows[0]["note"]) == (
        "none",
        None,
        "reddit: deny",
    )
    assert report.refused == 1


def test_bought_records_are_no_candidates_on_x(tmp_path: Path) -> None:
    file = contacts(tmp_path, source="bought")
    shown = author(platform="x", bio="jane@example.com")

    assert linked(tmp_path, file, shown)[0][0]["state"] == "none"
    assert linked(tmp_path, file, shown | {"platform": "mastodon"})[0][0]["state"] == "confirmed"


def test_json_lines_in_and_csv_out(tmp_path: Path) -> None:
    source = contacts(tmp_path)
    with source.open(encoding="utf-8") as file:
        as_json = tmp_path / "contacts.jsonl"
        as_json.write_text("".join(json.dumps(row) + "\n" for row in csv.DictReader(file)))
    authors = tmp_path / "authors.jsonl"
    authors.write_text(json.dumps(author()) + "\n\n{broken\n" + json.dumps(author()) + "\n")

    report = link_files(as_json, authors, tmp_path / "out.csv", context=CONTEXT)

    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["contact_id"], row["state"]) for row in rows] == [("c0", "confirmed")]
    assert "name full" in rows[0]["evidence"]
    assert [line.partition(":")[0] for line in report.rejected] == [
        "authors.jsonl, line 3",
        "authors.jsonl, line 4",
    ]


def test_the_platform_may_be_given_and_what_lacks_is_said(tmp_path: Path) -> None:
    row = author()
    row.pop("platform")
    file = contacts(tmp_path)

    with pytest.raises(InputError, match="has no column platform; or give --platform"):
        linked(tmp_path, file, row)
    assert linked(tmp_path, file, row, platform="x")[0][0]["state"] == "confirmed"


def test_doing_it_twice_gives_the_same_file(tmp_path: Path) -> None:
    file = contacts(tmp_path)
    linked(tmp_path, file, author(), out="one.jsonl")
    linked(tmp_path, file, author(), out="two.jsonl")

    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", "A" * 400_000),
        ("display_name", "Jane Tavares " + "b c " * 100_000),
        ("handle", "jane" * 100_000),
        ("bio", "Jane Tavares of Ohio. " + "word " * 400_000),
        ("location", "Ohio " * 100_000),
        ("bio_links", "https://a.example " * 20_000),
    ],
)
def test_a_field_of_any_length_is_no_more_work_than_a_long_one(
    tmp_path: Path, field: str, value: str
) -> None:
    began = time.process_time()

    (row, *_), _ = linked(tmp_path, contacts(tmp_path), author(**{field: value}))

    assert row["author_id"]
    assert time.process_time() - began < 10  # it took minutes, and gigabytes


def test_a_file_that_is_read_is_not_written_over(tmp_path: Path) -> None:
    file = contacts(tmp_path)
    authors = write_csv(tmp_path / "authors.csv", [author()])
    before = file.read_text("utf-8")

    with pytest.raises(InputError, match="is a file that is read here"):
        link_files(file, authors, tmp_path / ".." / tmp_path.name / file.name, context=CONTEXT)
    with pytest.raises(InputError, match="it is a folder"):
        link_files(file, authors, tmp_path, context=CONTEXT)

    assert file.read_text("utf-8") == before
