"""Recorded feeds and answers of Reddit, through the whole pipeline."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import feedparser
import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from config.errors import AppError
from listener.collection_models import RawPost
from listener.collector import Collector, make_collector
from listener.feed_payload import parse_feed
from listener.models import Mention, Source
from listener.reddit_api.payload import parse_listing
from listener.service import collect
from listener.store import store_posts
from listener.types import Post
from tests.e2e.recordings import recorded_files, work_through
from tests.make import NOW, make_brand


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_brand(session, key="acme", query="acme").id


def test_every_thing_of_reddit_is_stored_or_put_aside(
    sessions: sessionmaker[Session], brand_id: int, shared: Path, tmp_path: Path
) -> None:
    posts: dict[str, Post] = {}
    children = 0
    for path in recorded_files(shared, "reddit"):
        recorded = json.loads(path.read_text("utf-8"))
        for exchange in recorded["interactions"]:
            answer = exchange["response"].get("json")
            for listing in answer if isinstance(answer, list) else [answer]:
                if not isinstance(listing, dict) or listing.get("kind") != "Listing":
                    continue
                read = parse_listing(listing)
                total = len(read.posts) + len(read.rejected) + len(read.deleted)
                assert total == len(listing["data"]["children"]), path.name
                # "Load more", subreddits and users are things, but no posts.
                assert all("is no post" in one.error for one in read.rejected), path.name
                children += total
                posts |= {post.external_id: post for post in read.posts}
    with sessions.begin() as session:
        counts = store_posts(
            session,
            brand_id=brand_id,
            platform="reddit",
            posts=posts.values(),
            source_id=None,
            now=NOW,
        )
    work_through(sessions, tmp_path)

    assert counts.new + counts.rejected == len(posts)
    assert counts.rejected == 0
    assert children > 2_000
    with read_session(sessions) as session:
        for mention in session.scalars(select(Mention)):
            post = posts[mention.external_id]
            assert mention.text.strip() == post.text.replace("\x00", "").strip()
            assert mention.published_at == post.published_at
            assert mention.pending is None


@pytest.fixture
def feed_server(tmp_path: Path) -> Iterator[Any]:
    """Serve recorded documents as they are, each under its name."""
    documents: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = documents[self.path.lstrip("/")]
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield documents, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_recorded_feed_is_collected(
    sessions: sessionmaker[Session],
    brand_id: int,
    shared: Path,
    tmp_path: Path,
    feed_server: tuple[dict[str, bytes], str],
) -> None:
    documents, address = feed_server
    kept = items = 0
    for number, path in enumerate(recorded_files(shared, "rss")):
        documents[path.name] = path.read_bytes()
        url = f"{address}/{path.name}"
        expected = len(feedparser.parse(path.read_bytes()).entries)
        items += expected
        with sessions.begin() as session:
            source = Source(
                brand_id=brand_id,
                name=f"feed{number}",
                platform="rss",
                options={"url": url},
                every_s=60.0,
                created_at=NOW,
            )
            session.add(source)
            session.flush()
            source_id = source.id
        collector: Collector = make_collector("rss", {"url": url})
        # What a query finds is tested elsewhere; here all items are wanted.
        collector.matches_query = False
        read = parse_feed(path.read_bytes(), url=url, now=NOW)
        if not expected and not parse_feed(path.read_bytes(), url=url, now=NOW).is_feed:
            with pytest.raises(AppError, match="no feed"):
                collect(sessions, source_id, collector=collector)
            continue
        result = collect(
            sessions, source_id, collector=collector, since=datetime(1990, 1, 1, tzinfo=UTC)
        )
        collector.close()
        assert result.seen == expected, path.name
        assert result.new + result.changed + result.rejected <= expected, path.name
        assert len(read.posts) + len(read.rejected) == expected
        kept += result.new + result.rejected
    work_through(sessions, tmp_path)
    assert items >= 17
    assert kept > 0
    with read_session(sessions) as session:
        stored = session.scalars(select(Mention)).all()
        assert all(mention.pending is None for mention in stored)
        raw = [zlib.decompress(one) for one in session.scalars(select(RawPost.payload))]
        assert all(orjson.loads(one) for one in raw)
