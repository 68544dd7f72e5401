from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from config.errors import ConflictError, InputError, NotFoundError
from config.held_file import HeldFile
from listener.brands_edit import change_query, put_source, read_source, remove_source
from tests.make import NOW

_FILE = """\
# Whom we watch.
version: 1
brands:
  - id: acme  # never change it
    name: Acme
    query: 'acme OR "acme bank"'
    names: [Acme, "@acmehelp"]
    competitors:
      - {id: rival, name: Rival, query: rival}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "brands.yaml"
    path.write_text(_FILE, "utf-8")
    return path


def test_a_query_is_changed_and_the_rest_of_the_file_stays(path: Path) -> None:
    file = change_query(HeldFile(path), "acme", "acme -'s", before='acme OR "acme bank"', now=NOW)

    assert file.brands[0].query == "acme -'s"
    assert path.read_text("utf-8") == _FILE.replace("'acme OR \"acme bank\"'", "'acme -''s'")
    [kept] = (path.parent / "brands-history").iterdir()
    assert kept.read_text("utf-8") == _FILE


def test_a_competitors_query_is_changed(path: Path) -> None:
    file = change_query(HeldFile(path), "acme:rival", "rival\nOR other", before="rival", now=NOW)

    assert file.brands[0].competitors[0].query == "rival\nOR other"


@pytest.mark.parametrize("query", ["acme OR (", "-acme", ""])
def test_a_query_that_must_not_be_used_is_not_written(path: Path, query: str) -> None:
    with pytest.raises(InputError, match="query"):
        change_query(HeldFile(path), "acme", query, before='acme OR "acme bank"', now=NOW)

    assert path.read_text("utf-8") == _FILE
    assert [one.name for one in path.parent.iterdir() if one.suffix == ".new"] == []


def test_who_was_slower_changes_nothing(path: Path) -> None:
    with pytest.raises(ConflictError, match="changed in brands.yaml meanwhile"):
        change_query(HeldFile(path), "acme", "acme", before="what stood there long ago", now=NOW)

    with pytest.raises(NotFoundError):
        change_query(HeldFile(path), "nobody", "acme", before="", now=NOW)
    assert path.read_text("utf-8") == _FILE


_SOURCES = """\
version: 1
brands:
  - id: acme
    name: Acme
    query: acme
    sources:
      - {platform: x, name: x-search, every: 60s}  # the big one
      - {platform: rss, name: press, url: https://example.org/feed.xml}
"""


def test_a_source_is_added_changed_and_removed_and_the_rest_of_the_file_stays(path: Path) -> None:
    path.write_text(_SOURCES, "utf-8")

    new = {"platform": "reddit", "every": "10m", "subreddits": ["gadgets"]}
    put_source(HeldFile(path), "acme", new, now=NOW)

    line = "      - {platform: reddit, every: 10m, subreddits: [gadgets]}\n"
    assert path.read_text("utf-8") == _SOURCES + line

    seen = read_source(path, "acme", "x-search")
    assert seen.entry.every == timedelta(seconds=60)
    changed = {"platform": "x", "name": "x-all", "every": "2m"}
    file = put_source(
        HeldFile(path), "acme", changed, name="x-search", version=seen.version, now=NOW
    )

    assert [one.key for one in file.brands[0].sources] == ["x-all", "press", "reddit"]
    [written] = [one for one in path.read_text("utf-8").splitlines() if "x-all" in one]
    assert re.search(r"- \{platform: x, name: x-all, every: 2m\} +# the big one$", written)

    seen = read_source(path, "acme", "press")
    file = remove_source(HeldFile(path), "acme", "press", version=seen.version, now=NOW)
    assert [one.key for one in file.brands[0].sources] == ["x-all", "reddit"]


def test_a_brand_without_sources_gets_one_and_loses_it_again(path: Path) -> None:
    put_source(HeldFile(path), "acme:rival", {"platform": "x", "every": "10m"}, now=NOW)

    seen = read_source(path, "acme:rival", "x")
    file = remove_source(HeldFile(path), "acme:rival", "x", version=seen.version, now=NOW)

    assert file.brands[0].competitors[0].sources == ()
    assert "sources" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"platform": "telex"}, "telex"),
        ({"platform": "rss", "name": "new"}, "'url' is missing"),
        ({"platform": "rss", "name": "press", "url": "https://example.org"}, "two sources 'press'"),
        ({"platform": "x", "every": "5"}, "no duration"),
        ({"platform": "x", "name": "new", "colour": "red"}, "unknown key 'colour'"),
    ],
)
def test_a_source_that_is_wrong_is_not_written(
    path: Path, source: dict[str, str], problem: str
) -> None:
    path.write_text(_SOURCES, "utf-8")

    with pytest.raises(InputError, match=problem) as refused:
        put_source(HeldFile(path), "acme", source, now=NOW)

    [line] = str(refused.value).splitlines()
    assert line.startswith("brands.yaml, line ")
    assert path.read_text("utf-8") == _SOURCES


def test_who_saw_another_source_changes_nothing(path: Path) -> None:
    path.write_text(_SOURCES, "utf-8")
    seen = read_source(path, "acme", "press").version
    entry = {"platform": "rss", "name": "press", "url": "https://example.org/2.xml"}
    put_source(HeldFile(path), "acme", entry, name="press", version=seen, now=NOW)

    with pytest.raises(ConflictError, match="meanwhile"):
        put_source(HeldFile(path), "acme", entry, name="press", version=seen, now=NOW)
    with pytest.raises(ConflictError, match="meanwhile"):
        remove_source(HeldFile(path), "acme", "press", version=seen, now=NOW)
    with pytest.raises(NotFoundError, match="no source 'other'"):
        read_source(path, "acme", "other")
