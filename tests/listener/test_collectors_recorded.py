"""Every recorded answer of X, Reddit and feeds is read, and nothing is dropped silently."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest

from listener.feed_payload import parse_feed
from listener.reddit_api.payload import parse_listing
from listener.types import PostKind
from listener.x_api.payload import parse_page

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _recorded(shared: Path, platform: str) -> list[Path]:
    folder = shared / "recorded" / platform
    if not folder.is_dir():
        pytest.skip(f"there are no recordings of {platform} at {folder}")
    return sorted(folder.iterdir())


def _answers(path: Path) -> Iterator[Any]:
    """Yield the answers in a recording, whole lines only."""
    if path.suffix == ".jsonl":
        for line in path.read_text("utf-8").splitlines():
            try:
                yield json.loads(line or "null")
            except ValueError:
                assert "with_error" in path.name
        return
    recorded = json.loads(path.read_text("utf-8"))
    if isinstance(recorded, dict) and "interactions" in recorded:
        for exchange in recorded["interactions"]:
            yield exchange["response"].get("json")
    elif isinstance(recorded, list):
        yield from (example["json"] for example in recorded)
    else:
        yield recorded


def _items(answer: Any) -> list[Any]:
    found = answer.get("data", answer.get("statuses")) if isinstance(answer, dict) else answer
    if isinstance(found, list):
        return found
    return [] if found is None else [found]


def test_every_item_of_x_is_a_post_or_put_aside(shared: Path) -> None:
    posts = 0
    for path in _recorded(shared, "x"):
        for answer in _answers(path):
            if answer is None or (isinstance(answer, dict) and "rate_limit_context" in answer):
                continue
            page = parse_page(answer)
            if path.name != "xdocs_json_examples.json":
                assert len(page.posts) + len(page.rejected) == len(_items(answer)), path.name
            posts += len(page.posts)
            assert all(post.published_at.tzinfo for post in page.posts)
            assert all(post.text and post.raw for post in page.posts)
    assert posts > 550


def test_reposts_have_the_whole_original(shared: Path) -> None:
    reposts = cut_by_x = 0
    for path in _recorded(shared, "x"):
        if "twarc" not in path.name and not path.name.startswith("v1_"):
            continue
        for answer in _answers(path):
            for post in parse_page(answer).posts:
                if post.kind is PostKind.REPOST:
                    reposts += 1
                    assert post.raw is not None
                    own = post.raw.get("data", post.raw)
                    cut_by_x += own["text"].endswith("…")
                    assert not post.text.endswith("…")
                    assert not (own["text"].startswith("RT @") and post.text == own["text"])
    print(f"{reposts} reposts, {cut_by_x} cut by X, 0 cut here")
    assert reposts >= 240
    assert cut_by_x > 150


def test_authors_of_x_are_read(shared: Path) -> None:
    for path in _recorded(shared, "x"):
        if path.name in {"twarc_kpop.jsonl", "twarc_2sets.jsonl"}:
            for answer in _answers(path):
                for post in parse_page(answer).posts:
                    assert post.author is not None
                    assert post.author.handle
                    assert post.author.followers is not None
                    assert (
                        post.url == f"https://x.com/{post.author.handle}/status/{post.external_id}"
                    )


def test_an_edited_post_of_x_names_its_earlier_ids(shared: Path) -> None:
    folder = shared / "recorded" / "x"
    [before] = [page for path in [folder / "twarc_edited_before.jsonl"] for page in _answers(path)]
    [after] = [page for path in [folder / "twarc_edited_after.jsonl"] for page in _answers(path)]

    [first], [second] = parse_page(before).posts, parse_page(after).posts

    assert first.earlier_ids == ()
    assert second.earlier_ids == (first.external_id,)
    assert second.edited_at is not None
    assert second.published_at <= first.published_at < second.edited_at


def test_every_thing_of_reddit_is_a_post_a_tombstone_or_put_aside(shared: Path) -> None:
    things = posts = 0
    for path in _recorded(shared, "reddit"):
        for answer in _answers(path):
            for listing in answer if isinstance(answer, list) else [answer]:
                if isinstance(listing, dict) and listing.get("kind") == "Listing":
                    read = parse_listing(listing)
                    kept = len(read.posts) + len(read.rejected) + len(read.deleted)
                    assert kept == len(listing["data"]["children"]), path.name
                    things += kept
                    posts += len(read.posts)
                    assert all(post.text for post in read.posts), path.name
                    assert all(post.url for post in read.posts if post.kind != "post"), path.name
    print(f"{things} things, {posts} posts")
    assert posts > 2_000


def test_every_item_of_feeds_is_a_post_or_put_aside(shared: Path) -> None:
    entries = posts = 0
    for path in _recorded(shared, "rss"):
        document = path.read_bytes()
        expected = len(feedparser.parse(document).entries)
        read = parse_feed(document, url="https://news.example/feed", now=NOW)
        assert len(read.posts) + len(read.rejected) == expected, path.name
        entries += expected
        posts += len(read.posts)
    print(f"{entries} items, {posts} posts")
    assert posts >= 17
