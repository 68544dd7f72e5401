from __future__ import annotations

import csv
import gzip
import json
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.errors import ConflictError, InputError, NotFoundError
from listener.collection_models import QuarantinedItem
from listener.exports import export_mentions
from listener.imports import BATCH, ImportResult, import_mentions
from listener.models import Author, Mention, MentionAlias, MentionVersion, Step
from tests.make import NOW, make_brand

Import = Callable[..., ImportResult]


@pytest.fixture
def import_file(sessions: sessionmaker[Session], tmp_path: Path) -> Import:
    """Give a function that writes a file and imports it for the one brand there is."""
    with sessions.begin() as session:
        make_brand(session, key="acme", query="acme")

    def run(content: str | bytes | list[dict[str, Any]], name: str = "posts", **how: Any) -> Any:
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(json.dumps(record) + "\n" for record in content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_mentions(sessions, path, clock=lambda: NOW, **how)

    return run


def _all(sessions: sessionmaker[Session], query: Select[Any]) -> list[Any]:
    with read_session(sessions) as session:
        found = list(session.scalars(query))
        session.expunge_all()
    return found


def _mentions(sessions: sessionmaker[Session]) -> list[Mention]:
    return _all(sessions, select(Mention).order_by(Mention.external_id))


def _csv(*rows: tuple[str, ...], delimiter: str = ",") -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


_HEADER = ("id", "text", "created_at", "username", "likes")
_ROW = ("1", "Acme is down", "2026-03-04T12:00:00Z", "@somebody", "1204")


def test_a_csv_is_imported_by_the_names_of_its_columns(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    content = _csv(("ID", "Full Text", "Date", "Screen Name", "Network", "Unknown"))
    content += '7,"two\r\nlines, ""quoted"" \U0001f600",2026-03-04T12:00:00+01:00,@some,X,?\r\n'

    result = import_file(content)

    assert (result.new, result.rejected, result.format) == (1, 0, "csv")
    [mention] = _mentions(sessions)
    assert mention.text == 'two\r\nlines, "quoted" \U0001f600'
    assert (mention.platform, mention.external_id) == ("x", "7")
    assert mention.published_at == datetime(2026, 3, 4, 11, tzinfo=UTC)
    assert (mention.pending, mention.source_id) == (Step.SCORE, None)
    assert _all(sessions, select(Author.handle)) == ["some"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "is_noted"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)],
)
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(
    sessions: sessionmaker[Session],
    import_file: Import,
    *,
    delimiter: str,
    encoding: str,
    is_noted: bool,
) -> None:
    row = ("1", "Ärger – für 5 €", "2026-03-04T12:00:00Z", "jörg", "3")

    result = import_file(_csv(_HEADER, row, delimiter=delimiter).encode(encoding))

    assert result.new == 1
    assert bool(result.notes) is is_noted
    assert _mentions(sessions)[0].text == "Ärger – für 5 €"


def test_wrong_columns_are_refused_with_those_found_and_needed(import_file: Import) -> None:
    with pytest.raises(InputError) as refused:
        import_file(_csv(("who", "what"), ("me", "acme")))

    message = str(refused.value)
    assert "has the columns who, what" in message
    assert "text, published_at is missing" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "is empty"), (" \n\r\n", "is empty"), (b"\x1f\x8bnonsense", "cannot be read")],
)
def test_a_file_that_holds_nothing_is_refused(
    import_file: Import, content: str | bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        import_file(content)


def test_a_missing_file_is_refused(import_file: Import, sessions: sessionmaker[Session]) -> None:
    with pytest.raises(InputError, match="is no file"):
        import_mentions(sessions, Path("/nowhere/posts.csv"))


def test_rows_that_are_not_understood_are_kept_with_their_line(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    content = _csv(
        _HEADER,
        _ROW,
        ("2", "Acme without a zone", "2026-03-04 12:00", "a", "1"),
        ("3", "Acme without a time", "", "a", "1"),
        ("4", "Acme and nonsense", "yesterday", "a", "1"),
        ("5", "Acme too short"),
        ("6", "Acme again", "2026-03-04T12:00:00Z", "a", "many"),
    )

    result = import_file(content)

    assert (result.read, result.new, result.rejected) == (6, 2, 4)
    errors = sorted(_all(sessions, select(QuarantinedItem.error)))
    assert [error.split(":")[0] for error in errors] == ["line 3", "line 4", "line 5", "line 6"]
    assert "--timezone" in errors[0]
    assert set(result.first_errors) == set(errors)
    again = import_file(content)
    assert (again.new, again.repeated, again.rejected) == (0, 2, 4)
    assert len(_all(sessions, select(QuarantinedItem.error))) == 4


def test_a_zone_says_what_times_without_one_mean(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    content = _csv(_HEADER, ("2", "Acme", "2026-07-04 12:00", "a", "1"))

    import_file(content, zone=ZoneInfo("Europe/Berlin"))

    assert _mentions(sessions)[0].published_at == datetime(2026, 7, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-04T12:00:00Z",
        "2026-03-04T13:00:00.000+01:00",
        "Wed Mar 04 12:00:00 +0000 2026",
        "Wed, 04 Mar 2026 12:00:00 GMT",
        "1772625600",
        "1772625600000",
    ],
)
def test_times_are_understood_as_platforms_write_them(
    sessions: sessionmaker[Session], import_file: Import, moment: str
) -> None:
    import_file([{"id": "1", "text": "Acme", "created_at": moment}])

    assert _mentions(sessions)[0].published_at == NOW


def test_a_quote_that_is_never_closed_does_not_lose_rows_silently(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    content = _csv(_HEADER, _ROW) + '2,"never closed,2026-03-04T12:00:00Z,a,1\r\n'
    content += _csv(("3", "Acme last", "2026-03-04T12:00:00Z", "a", "1"))

    result = import_file(content)

    assert (result.new, result.rejected) == (1, 1)
    [payload] = _all(sessions, select(QuarantinedItem.payload))
    assert b"Acme last" in payload


def test_json_lines_are_imported_and_a_half_written_last_line_is_kept(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    whole = json.dumps(
        {
            "id": 12,
            "text": "Acme שלום\u202e\x00",
            "published_at": "2026-03-04T12:00:00Z",
            "author": {"id": 5, "username": "somebody", "name": "Some Body"},
            "platform": "forum",
            "kind": "comment",
            "links": ["https://example.org"],
        }
    )

    result = import_file(f"{whole}\n\n{whole[:40]}")

    assert (result.new, result.rejected, result.format) == (1, 1, "json lines")
    [mention] = _mentions(sessions)
    assert (mention.platform, mention.kind, mention.text) == ("forum", "comment", "Acme שלום\u202e")
    assert _all(sessions, select(QuarantinedItem.error))[0].startswith("line 3: this is not JSON")


def test_things_that_are_no_posts_are_kept(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    result = import_file('{"text": 1}\n5\n"x"\nnull\n[]\n{"errors": [{"title": "gone"}]}\n')

    assert result.new == 0
    assert result.rejected == result.read == len(_all(sessions, select(QuarantinedItem.id))) == 6


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_is_read_too(
    sessions: sessionmaker[Session], import_file: Import, indent: int | None
) -> None:
    posts = [
        {"id": str(number), "text": "Acme", "created_at": "2026-03-04T12:00:00Z"}
        for number in range(3)
    ]

    assert import_file(json.dumps(posts, indent=indent)).new == 3
    assert import_file(json.dumps({"posts": posts}, indent=2)).repeated == 3


def test_only_matching_posts_are_kept_where_asked(import_file: Import) -> None:
    content = _csv(_HEADER, _ROW, ("2", "nothing", "2026-03-04T12:00:00Z", "a", "1"))

    matched = import_file(content, match=True)
    everything = import_file(content)

    assert (matched.new, matched.skipped) == (1, 1)
    assert (everything.new, everything.repeated) == (1, 1)


def test_a_post_without_an_id_is_one_mention_however_often_it_is_imported(
    import_file: Import,
) -> None:
    content = _csv(("text", "date", "author"), ("Acme", "2026-03-04T12:00:00Z", "a"))

    assert import_file(content).new == 1
    assert import_file(content).new == 0


def test_the_brand_must_be_said_where_there_are_several(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    content = _csv(_HEADER, _ROW)
    assert import_file(content).brand_key == "acme"
    with sessions.begin() as session:
        make_brand(session, key="other")

    with pytest.raises(ConflictError, match="--brand .known: acme, other"):
        import_file(content)
    with pytest.raises(NotFoundError, match="no brand 'nobody'"):
        import_file(content, brand_key="nobody")
    assert import_file(content, brand_key="other").new == 1


def test_what_an_author_says_of_themselves_comes_along(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    row = {"text": "Acme", "date": "2026-03-04T12:00:00Z", "author": "ana", "bio": "Tea"}

    import_file(json.dumps(row | {"user_location": " Madrid, Spain "}), name="one.jsonl")

    assert _all(sessions, select(Author.bio)) == ["Tea"]
    assert _all(sessions, select(Author.location)) == ["Madrid, Spain"]


def _page(number: int, *, history: tuple[int, ...] = (), text: str = "") -> dict[str, Any]:
    return {
        "data": [
            {
                "id": str(number),
                "text": text or f"Acme {number}",
                "author_id": "7",
                "created_at": "2026-03-04T12:00:00.000Z",
                "edit_history_tweet_ids": [str(one) for one in (*history, number)],
            }
        ],
        "includes": {"users": [{"id": "7", "username": "somebody", "name": "Some Body"}]},
        "meta": {"result_count": 1},
    }


def test_pages_of_x_are_imported_also_compressed(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    base = 1_800_000_000_000_000_000
    pages = [_page(base + number) for number in range(3)] + [{"meta": {"result_count": 0}}]
    content = "".join(json.dumps(page) + "\n" for page in pages)

    result = import_file(gzip.compress(content.encode()), name="pages.jsonl.gz")

    assert (result.new, result.rejected) == (3, 0)
    assert {mention.platform for mention in _mentions(sessions)} == {"x"}
    assert _all(sessions, select(Author.handle)) == ["somebody"]


def test_flattened_posts_of_x_keep_their_author_and_the_original_text(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    long = "Acme " * 60
    original = {
        "id": "1800000000000000001",
        "text": long,
        "author_id": "8",
        "created_at": "2026-03-04T11:00:00.000Z",
        "author": {"id": "8", "username": "first", "name": "First"},
        "type": "retweeted",
    }
    repost = {
        "id": "1800000000000000002",
        "text": f"RT @first: {long[:100]}…",
        "author_id": "7",
        "created_at": "2026-03-04T12:00:00.000Z",
        "author": {"id": "7", "username": "somebody", "name": "Some Body"},
        "public_metrics": {"like_count": 3},
        "referenced_tweets": [original],
    }

    import_file([repost])

    [mention] = _mentions(sessions)
    assert mention.text.strip() == long.strip()
    assert (mention.kind, mention.likes) == ("repost", 3)
    assert _all(sessions, select(Author.handle)) == ["somebody"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_edited_post_of_x_is_one_mention_whichever_file_comes_first(
    sessions: sessionmaker[Session], import_file: Import, order: tuple[int, int]
) -> None:
    first, second = 1_800_000_000_000_000_000, 1_800_000_000_100_000_000
    pages = [
        _page(first, text="Acme is bad"),
        _page(second, history=(first,), text="Acme is good"),
    ]

    for number in order:
        import_file([pages[number]])

    [mention] = _mentions(sessions)
    assert (mention.external_id, mention.text) == (str(second), "Acme is good")
    assert _all(sessions, select(MentionAlias.external_id)) == [str(first)]
    assert _all(sessions, select(MentionVersion.text)) == ["Acme is bad"]


def test_an_export_can_be_imported_again(
    sessions: sessionmaker[Session], import_file: Import, tmp_path: Path
) -> None:
    rows = [(str(n), f'Acme, "no" {n} \U0001f600', "2026-03-04T12:00:00Z", "a", "1") for n in "123"]
    text = tmp_path / "rows.csv"
    with text.open("w", newline="") as file:
        csv.writer(file).writerows([_HEADER, *rows])
    import_file(text.read_bytes(), platform="x")
    out = tmp_path / "out.jsonl"

    assert export_mentions(sessions, out) == 3
    result = import_mentions(sessions, out)

    assert (result.new, result.changed, result.repeated, result.rejected) == (0, 0, 3, 0)
    record = json.loads(out.read_text().splitlines()[0])
    assert record["published_at"] == "2026-03-04T12:00:00Z"
    assert (record["author_handle"], record["label"]) == ("a", None)
    assert {"platform", "external_id", "url", "text", "score", "confidence", "priority"} <= set(
        record
    )
    with sessions.begin() as session:
        make_brand(session, key="copy")
    assert import_mentions(sessions, out, brand_key="copy").new == 3
    assert export_mentions(sessions, out, brand_key="copy", since=NOW + timedelta(1)) == 0
    assert list(tmp_path.glob("*.part")) == []


def test_an_export_into_a_missing_folder_says_so(
    sessions: sessionmaker[Session], import_file: Import, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file"):
        export_mentions(sessions, tmp_path / "nowhere" / "out.jsonl")


def test_a_stopped_import_goes_on_when_it_is_started_again(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    rows = [(str(n), f"Acme {n}", "2026-03-04T12:00:00Z", "a", "1") for n in range(3 * BATCH)]
    content = _csv(_HEADER, *rows)

    def stop(result: ImportResult) -> None:
        if result.new == 2 * BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(content, on_progress=stop)
    result = import_file(content)

    assert (result.new, result.repeated) == (BATCH, 2 * BATCH)


def test_a_large_file_is_read_in_bounded_memory(
    sessions: sessionmaker[Session], import_file: Import
) -> None:
    rows = [
        (str(n), f"Acme {n} " + "x" * 2_000, "2026-03-04T12:00:00Z", "a", "1") for n in range(8_000)
    ]
    content = _csv(_HEADER, *rows)
    del rows
    import_file(_csv(_HEADER, _ROW))
    tracemalloc.start()

    result = import_file(content)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.new == 7_999
    # The file has 16 MB; the test's own copy of it counts once, as bytes.
    assert peak < 16_200_000 + 12_000_000


_RECORDED = {
    "twarc_2sets.jsonl": 0,
    "twarc_cashtags.jsonl": 0,
    "twarc_cotweet.jsonl": 0,
    "twarc_geo_tweets.jsonl": 0,
    "twarc_kpop.jsonl": 0,
    "twarc_many_urls.jsonl": 0,
    "twarc_media_tweet.jsonl": 0,
    "twarc_mentions_tweet.jsonl": 0,
    "twarc_streaming_output_with_error.jsonl": 1,
}


@pytest.mark.parametrize(("name", "rejected"), _RECORDED.items())
def test_recorded_pages_of_x_lose_nothing(
    sessions: sessionmaker[Session], import_file: Import, shared: Path, name: str, rejected: int
) -> None:
    path = shared / "recorded" / "x" / name
    posts: dict[str, Any] = {}
    for line in path.read_text("utf-8").splitlines():
        try:
            data = json.loads(line)["data"]
        except ValueError:
            continue
        posts |= {one["id"]: one for one in (data if isinstance(data, list) else [data])}

    result = import_mentions(sessions, path)

    assert result.rejected == rejected
    found = {mention.external_id: mention for mention in _mentions(sessions)}
    assert set(found) == set(posts)
    assert not [one for one in found.values() if one.kind == "repost" and one.text.endswith("…")]
    with read_session(sessions) as session:
        without_author = session.scalar(
            select(func.count()).select_from(Mention).where(Mention.author_id.is_(None))
        )
    assert without_author == 0


@pytest.mark.parametrize("order", [("before", "after"), ("after", "before")])
def test_the_recorded_edit_is_one_mention(
    sessions: sessionmaker[Session], import_file: Import, shared: Path, order: tuple[str, str]
) -> None:
    for name in order:
        import_mentions(sessions, shared / "recorded" / "x" / f"twarc_edited_{name}.jsonl")

    [mention] = _mentions(sessions)
    assert mention.external_id == "1576994789110992896"
    assert mention.text.startswith("hey :)")
    assert mention.published_at.replace(microsecond=0) == datetime(
        2022, 10, 3, 17, 57, 1, tzinfo=UTC
    )
    assert len(_all(sessions, select(MentionVersion.text))) == 1


def test_counts_of_x_are_no_posts(
    sessions: sessionmaker[Session], import_file: Import, shared: Path
) -> None:
    result = import_mentions(sessions, shared / "recorded" / "x" / "twarc_counts.jsonl")

    assert (result.new, result.rejected) == (0, result.read)


def test_the_import_is_fast_enough_to_wait_for(import_file: Import) -> None:
    rows = [(str(n), f"Acme {n}", "2026-03-04T12:00:00Z", f"a{n % 99}", "1") for n in range(2_000)]
    started = time.process_time()

    import_file(_csv(_HEADER, *rows))

    # Ten times what it takes on two shared cores: only a loss of bulk writing is caught.
    assert time.process_time() - started < 2_000 * 0.002
