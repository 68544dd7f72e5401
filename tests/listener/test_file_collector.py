from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from config.errors import InputError
from listener.collector import make_collector, parse_options
from listener.collectors.file import PAGE, FileCollector, FileOptions
from listener.types import Page, Walk
from tests.make import NOW


class _Inbox:
    """A folder, and what its collector gives each time it is asked."""

    def __init__(self, home: Path, **options: str) -> None:
        self.home = home
        self.cursor: str | None = None
        self._collector = FileCollector(FileOptions.model_validate(options), home=home)

    def write(self, name: str, content: str, *, mode: str = "w") -> None:
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        with path.open(mode) as file:
            file.write(content)

    def pages(self, *, until_page: int | None = None) -> list[Page]:
        walk = Walk(cursor=self.cursor, query=None, since=NOW - timedelta(days=1), now=NOW)
        pages = []
        for page in self._collector.pages(walk):
            pages.append(page)
            self.cursor = page.cursor or self.cursor
            if len(pages) == until_page:
                break
        return pages

    def ids(self) -> list[str]:
        return [post.external_id for page in self.pages() for post in page.posts]

    def errors(self) -> list[str]:
        return [item.error for page in self.pages() for item in page.rejected]


def _line(number: int) -> str:
    record = {"id": str(number), "text": "Acme", "published_at": "2026-03-04T12:00:00Z"}
    return json.dumps(record) + "\n"


@pytest.fixture
def inbox(tmp_path: Path) -> _Inbox:
    return _Inbox(tmp_path, path="inbox/*")


def test_lines_are_read_once_and_new_ones_are_read_on(inbox: _Inbox) -> None:
    inbox.write("inbox/a.jsonl", _line(1) + _line(2))
    assert inbox.ids() == ["1", "2"]
    assert inbox.pages() == []

    inbox.write("inbox/a.jsonl", _line(3), mode="a")
    inbox.write("inbox/b.jsonl", _line(4))

    assert sorted(inbox.ids()) == ["3", "4"]


def test_a_half_written_last_line_waits_for_its_end(inbox: _Inbox) -> None:
    line = _line(2)
    inbox.write("inbox/a.jsonl", _line(1) + line[:30])
    assert inbox.ids() == ["1"]
    assert inbox.errors() == []

    inbox.write("inbox/a.jsonl", line[30:], mode="a")

    assert inbox.ids() == ["2"]


def test_a_last_line_without_a_line_end_is_read_when_it_is_whole(inbox: _Inbox) -> None:
    inbox.write("inbox/a.jsonl", _line(1) + _line(2).strip())

    assert inbox.ids() == ["1", "2"]


def test_a_file_that_was_replaced_is_read_from_its_beginning(inbox: _Inbox) -> None:
    inbox.write("inbox/a.jsonl", "".join(_line(number) for number in range(1, 9)))
    inbox.ids()

    inbox.write("inbox/a.jsonl", _line(99))
    assert inbox.ids() == ["99"]
    inbox.write("inbox/a.jsonl", "".join(_line(number) for number in range(50, 60)))
    assert len(inbox.ids()) == 10


def test_a_walk_that_stops_between_pages_goes_on_from_there(inbox: _Inbox) -> None:
    inbox.write("inbox/a.jsonl", "".join(_line(number) for number in range(2 * PAGE + 5)))

    [first] = inbox.pages(until_page=1)

    assert len(first.posts) == PAGE
    assert inbox.ids() == [str(number) for number in range(PAGE, 2 * PAGE + 5)]


def test_a_csv_is_read_whole_when_it_changed(inbox: _Inbox) -> None:
    header, row = "id,text,created_at\n", "{},Acme,2026-03-04T12:00:00Z\n"
    inbox.write("inbox/a.csv", header + row.format(1) + "2,Acm")
    assert inbox.ids() == ["1"]

    inbox.write("inbox/a.csv", "e,2026-03-04T12:00:00Z", mode="a")
    assert inbox.ids() == ["1"]
    # Nobody wrote since: the last line is whole, though no line end says so.
    assert inbox.ids() == ["1", "2"]
    assert inbox.pages() == []


def test_a_file_that_is_none_of_posts_does_not_stop_the_others(inbox: _Inbox) -> None:
    inbox.write("inbox/a.csv", "who,what\nme,acme\n")
    os.utime(inbox.home / "inbox/a.csv", (1, 1))
    inbox.write("inbox/b.jsonl", _line(1) + "{broken\n" + _line(2))

    pages = inbox.pages()

    assert [post.external_id for page in pages for post in page.posts] == ["1", "2"]
    errors = [item.error for page in pages for item in page.rejected]
    assert "has the columns who, what" in errors[0]
    assert errors[1].startswith("line 2: this is not JSON")


def test_posts_are_of_the_platform_that_the_source_says(tmp_path: Path) -> None:
    inbox = _Inbox(tmp_path, path="posts.jsonl", posts_from="x")
    page = {
        "data": [{"id": "1800000000000000000", "text": "Acme", "author_id": "1"}],
        "includes": {"users": [{"id": "1", "username": "some", "name": "Some"}]},
    }
    other = json.loads(_line(5)) | {"platform": "forum"}
    inbox.write("posts.jsonl", f"{json.dumps(page)}\n{json.dumps(other)}\n")

    assert inbox.ids() == ["1800000000000000000", "forum:5"]


def test_times_without_a_zone_need_the_option(tmp_path: Path) -> None:
    content = json.dumps({"id": "1", "text": "Acme", "published_at": "2026-03-04 13:00"}) + "\n"
    without = _Inbox(tmp_path, path="posts.jsonl")
    without.write("posts.jsonl", content)
    [error] = without.errors()
    assert "has no time zone" in error

    [page] = _Inbox(tmp_path, path="posts.jsonl", timezone="Europe/Berlin").pages()

    assert page.posts[0].published_at == NOW


def test_wrong_options_are_refused() -> None:
    for wrong in ({}, {"path": "a", "timezone": "Mars/Base"}, {"path": "a", "posts_from": "A B"}):
        with pytest.raises(InputError, match="source of platform 'file'"):
            parse_options("file", FileCollector, wrong)


def test_check_says_which_folder_is_missing(tmp_path: Path) -> None:
    # The fixture of all tests makes tmp_path the home folder.
    collector = make_collector("file", {"path": "nowhere/*.jsonl"})

    with pytest.raises(InputError, match="there is no folder .*nowhere"):
        collector.check()
    (tmp_path / "nowhere").mkdir()
    collector.check()
