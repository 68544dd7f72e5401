from __future__ import annotations

import re
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from listener.brands_file import BrandsFile, read_brands
from listener.models import Brand, Source, SourceState
from listener.sources import SyncResult, due_sources, find_sources, get_brand, sync_brands
from tests.make import NOW
from tests.meanwhile import meanwhile

_WHOLE = """\
version: 1
brands:
  - id: acme
    name: Acme
    query: 'acme OR "acme bank" OR @acme'
    names: [Acme, "@acmehelp"]
    protocol: protocol.yaml
    sources:
      - {platform: x, name: x-search, every: 60s, kind: search}
      - platform: file
        every: 1h 30m
        path: inbox/*
  - id: other
    name: Other
    query: other
"""


def _read(folder: Path, text: str) -> BrandsFile:
    path = folder / "brands.yaml"
    path.write_text(text, "utf-8")
    (folder / "protocol.yaml").touch()
    return read_brands(path)


def _refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        _read(folder, text)
    return [line.partition("brands.yaml")[2] for line in str(refused.value).splitlines()]


def test_a_brands_file_is_read(tmp_path: Path) -> None:
    file = _read(tmp_path, _WHOLE)

    acme, other = file.brands
    assert (acme.id, acme.name, acme.targets) == ("acme", "Acme", ("Acme", "@acmehelp"))
    assert acme.protocol == tmp_path.resolve() / "protocol.yaml"
    search, inbox = acme.sources
    assert (search.key, search.options) == ("x-search", {"kind": "search"})
    assert (inbox.key, inbox.options) == ("file", {"path": "inbox/*"})
    assert inbox.every == timedelta(minutes=90)
    assert (other.targets, other.sources, other.protocol) == (("Other",), (), None)


def test_the_file_that_init_writes_is_right(tmp_path: Path) -> None:
    text = files("config").joinpath("defaults", "brands.yaml").read_text("utf-8")

    file = _read(tmp_path, text)

    assert [brand.id for brand in file.brands] == ["acme"]
    assert file.warnings == ()
    # What is commented out is right as well.
    examples = re.sub(r"(?m)^      # (- |  )", r"      \1", text)
    whole = _read(tmp_path, examples)
    assert [source.platform for source in whole.brands[0].sources] == [
        "file",
        "rss",
        "x",
        "x",
        "reddit",
    ]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("version: 1", "version: 2", ", line 1: version: is not one of: 1"),
        ("names: [", "nmes: [", ", line 6: unknown key 'nmes': remove it, or use one of id"),
        ("    name: Other\n", "", ", line 13: 'name' is missing: add it"),
        ("id: acme", "id: Acme Bank", ", line 3: id: use small letters, digits"),
        ("id: other", "id: acme", ", line 13: id: there are two brands 'acme'"),
        ("every: 60s", "every: 60", ", line 9: every: '60' is no duration: write for example 60s"),
        ("every: 60s", "every: 0s", ", line 9: every: must be at least 1s"),
        ("kind: search", "kind: scrape", ", line 9: x: kind: is not one of: 'search'"),
        ("kind: search", "kin: search", ", line 9: x: unknown key 'kin': remove it"),
        ("path: inbox/*", "path: 7", ", line 12: file: path: is not a text"),
        ("        path: inbox/*\n", "", ", line 10: file: 'path' is missing: add it"),
        ("platform: x", "platform: myspace", ", line 9: there is no collector named 'myspace'"),
        ("name: x-search", "name: file", ", line 10: there are two sources 'file'"),
        ("query: other", "query: (other", ", line 15: query: "),
        ("query: other", "query: -other", ", line 15: query: the query selects almost every"),
        ("protocol: protocol", "protocol: nothing", ", line 7: protocol: there is no file nothing"),
        ('"@acmehelp"]', '"@acmehelp"', ", line 7, column "),
        ("brands:", "warnings: [x]\nbrands:", ", line 2: unknown key 'warnings'"),
        ("    name: Acme\n", "    name: Acme\n    name: Acme\n", ", line 5, column 5: this is not"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    assert before in _WHOLE

    lines = _refusal(tmp_path, _WHOLE.replace(before, after, 1))

    assert lines[0].startswith(problem), lines


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    text = _WHOLE.replace("kind: search", "kin: search").replace("query: other", 'query: "("')

    lines = _refusal(tmp_path, text)

    assert any("line 9" in line for line in lines)
    assert any("line 15" in line for line in lines)


@pytest.mark.parametrize("text", ["", "- 1\n", "just text", "version: 1", "brands: []\nversion: 1"])
def test_what_is_no_brands_file_is_refused(tmp_path: Path, text: str) -> None:
    assert _refusal(tmp_path, text)


def test_a_file_in_another_encoding_or_none_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "brands.yaml"
    with pytest.raises(InputError, match="groundswell init"):
        read_brands(path)
    path.write_bytes("version: 1\nname: Jörg".encode("latin-1"))

    with pytest.raises(InputError, match="line 2: this is not UTF-8"):
        read_brands(path)


def test_what_is_probably_not_meant_is_a_warning(tmp_path: Path) -> None:
    file = _read(tmp_path, _WHOLE.replace("query: other", "query: the"))

    assert "brands.yaml, line 15: query:" in file.warnings[0]


def test_the_database_follows_the_file(session: Session, tmp_path: Path) -> None:
    file = _read(tmp_path, _WHOLE)

    assert sync_brands(session, file, NOW) == SyncResult(added=2)
    assert sync_brands(session, file, NOW) == SyncResult()
    acme = get_brand(session, "acme")
    assert (acme.name, acme.names, acme.is_active) == ("Acme", ["Acme", "@acmehelp"], True)
    sources = find_sources(session, brand_key="acme")
    assert [(source.name, source.every_s) for source in sources] == [
        ("x-search", 60.0),
        ("file", 5400.0),
    ]
    assert sources[0].options == {"kind": "search"}
    assert find_sources(session, name="file") == sources[1:]

    shorter = _read(tmp_path, _WHOLE[: _WHOLE.index("      - platform: file")])
    assert sync_brands(session, shorter, NOW) == SyncResult(removed=1)

    assert session.scalars(select(Brand.key).where(Brand.is_active)).all() == ["acme"]
    assert session.scalars(select(Source.name).where(Source.is_active)).all() == ["x-search"]
    assert sync_brands(session, file, NOW) == SyncResult(changed=1)


def test_a_source_is_read_when_it_is_due(session: Session, tmp_path: Path) -> None:
    sync_brands(session, _read(tmp_path, _WHOLE), NOW)
    search, inbox = find_sources(session)
    assert due_sources(session, NOW) == [search.id, inbox.id]

    search.next_due_at = NOW + timedelta(seconds=1)
    inbox.next_due_at = NOW
    session.flush()

    assert due_sources(session, NOW) == [inbox.id]
    assert due_sources(session, NOW + timedelta(seconds=1)) == [inbox.id, search.id]
    get_brand(session, "acme").is_active = False
    session.flush()
    assert due_sources(session, NOW) == []


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        ("kind: search", "kind: mentions, account: acme", ["x-search"]),
        ("acme bank", "apex", ["x-search", "file"]),
        ("name: Acme", "name: ACME", []),
    ],
)
def test_a_source_whose_question_changed_is_read_at_once(
    session: Session, tmp_path: Path, before: str, after: str, due: list[str]
) -> None:
    sync_brands(session, _read(tmp_path, _WHOLE), NOW)
    for source in find_sources(session):
        source.next_due_at = NOW + timedelta(hours=1)
        source.state = SourceState.OK
    session.flush()

    sync_brands(session, _read(tmp_path, _WHOLE.replace(before, after)), NOW)

    names = {source.id: source.name for source in find_sources(session)}
    assert [names[number] for number in due_sources(session, NOW)] == due


def test_a_refused_source_is_tried_again_after_a_start(session: Session, tmp_path: Path) -> None:
    file = _read(tmp_path, _WHOLE)
    sync_brands(session, file, NOW)
    for source in find_sources(session):
        source.next_due_at = NOW + timedelta(hours=1)
        source.state = SourceState.PAUSED
    source.state = SourceState.FAILING
    session.flush()

    sync_brands(session, file, NOW)

    assert due_sources(session, NOW) == [source.id]
    assert source.state is SourceState.NEW


def test_the_brand_must_be_said_where_there_are_several(session: Session, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="groundswell init"):
        get_brand(session, None)
    sync_brands(session, _read(tmp_path, _WHOLE), NOW)

    with pytest.raises(ConflictError, match="known: acme, other"):
        get_brand(session, None)
    with pytest.raises(NotFoundError, match="no brand 'x'; known: acme, other"):
        get_brand(session, "x")


def test_two_workers_that_start_together_make_each_brand_once(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    file = _read(tmp_path, _WHOLE)

    def start() -> SyncResult:
        with sessions.begin() as session:
            return sync_brands(session, file, NOW)

    with meanwhile(sessions, start) as session:
        assert sync_brands(session, file, NOW).added == 2

    assert start() == SyncResult()
