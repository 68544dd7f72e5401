"""Every recorded answer of X, Reddit and feeds comes out as a user expects it."""

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
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from config.db import read_session
from config.errors import AppError
from config.settings import Settings
from crm_link.escalation.protocols import Protocols
from listener.collection_models import QuarantinedItem, RawPost
from listener.collector import Collector, make_collector
from listener.feed_payload import parse_feed
from listener.imports import ImportResult, import_mentions
from listener.models import Author, Mention, MentionVersion, Source
from listener.reddit_payload import parse_listing
from listener.service import collect
from listener.store import store_posts
from listener.types import Post
from sentiment.scorer import make_scorer
from tests.make import NOW, make_brand


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_brand(session, key="acme", query="acme").id


def _recorded(shared: Path, platform: str) -> list[Path]:
    folder = shared / "recorded" / platform
    if not folder.is_dir():
        pytest.skip(f"there are no recordings of {platform} at {folder}")
    return sorted(folder.iterdir())


def _work(sessions: sessionmaker[Session], home: Path) -> None:
    """Send what was stored through the rest of the pipeline."""
    Engine(
        settings=Settings(home=home),
        sessions=sessions,
        scorer=make_scorer("vader"),
        protocols=Protocols(sessions, {}),
    ).work_backlog()


def _answers(path: Path) -> Path | list[Any]:
    """Return the recording itself where it is a file of X, else the answers in it."""
    if path.suffix == ".jsonl":
        return path
    recorded = json.loads(path.read_text("utf-8"))
    if isinstance(recorded, dict) and "interactions" in recorded:
        return [one["response"]["json"] for one in recorded["interactions"]]
    return path


def _importable(path: Path, folder: Path) -> Path:
    """Return a file as a user has it: what X answered, without the recorder's wrapping."""
    answers = _answers(path)
    if isinstance(answers, Path):
        return answers
    unwrapped = folder / f"{path.name}l"
    unwrapped.write_text("".join(json.dumps(one) + "\n" for one in answers), "utf-8")
    return unwrapped


def _x_items(path: Path) -> list[dict[str, Any]]:
    """Return the posts of a recording, as X gave them."""
    documents = _answers(path)
    if isinstance(documents, Path) and path.suffix == ".jsonl":
        documents = [_json(line) for line in path.read_text("utf-8").splitlines()]
    elif isinstance(documents, Path):
        documents = [_json(path.read_text("utf-8"))]
    found = []
    for document in documents:
        data = document.get("data", document) if isinstance(document, dict) else document
        if isinstance(data, dict):
            data = data.get("statuses", [data])
        found += [one for one in data or () if isinstance(one, dict) and "text" in one]
    return found


def _json(line: str) -> Any:
    """Return what a line says; the stream's recording ends in the middle of one."""
    try:
        return json.loads(line or "null")
    except ValueError:
        return None


def _originals(path: Path) -> dict[str, str]:
    """Return the whole texts that stand in a recording's includes, by id."""
    if path.suffix != ".jsonl":
        return {}
    found: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines():
        try:
            page = json.loads(line)
        except ValueError:
            continue
        for post in (page.get("includes") or {}).get("tweets") or []:
            found[post["id"]] = (post.get("note_tweet") or {}).get("text") or post["text"]
    return found


def test_every_recording_of_x_is_imported_whole(
    sessions: sessionmaker[Session], brand_id: int, shared: Path, tmp_path: Path
) -> None:
    results: dict[str, ImportResult] = {}
    for path in _recorded(shared, "x"):
        if "xdocs" in path.name or "counts" in path.name or "rules" in path.name:
            continue
        results[path.name] = import_mentions(
            sessions, _importable(path, tmp_path), clock=lambda: NOW
        )

        result = results[path.name]
        told = result.new + result.changed + result.repeated + result.rejected
        assert told == result.read, path.name
        with read_session(sessions) as session:
            for item in _x_items(path):
                ids = {str(item["id"]), *map(str, item.get("edit_history_tweet_ids", ()))}
                assert _is_kept(session, ids), f"{path.name}: {item['id']} is gone"
    _work(sessions, tmp_path)

    with read_session(sessions) as session:
        stored = session.scalar(select(func.count()).select_from(Mention)) or 0
        assert stored == sum(one.new for one in results.values())
        assert stored > 500
        assert session.scalar(select(func.count()).where(Mention.pending.is_not(None))) == 0
        assert session.scalar(select(func.count()).where(Mention.label.is_(None))) == 0
        without_raw = (
            select(Mention.external_id)
            .outerjoin(RawPost, RawPost.external_id == Mention.external_id)
            .where(RawPost.external_id.is_(None), Mention.platform == "x")
        )
        assert session.scalars(without_raw).all() == []
        _assert_full_texts(session, shared)
        _assert_right_authors(session, shared)


def _is_kept(session: Session, ids: set[str]) -> bool:
    kept = session.scalar(select(func.count()).where(Mention.external_id.in_(ids)))
    aside = session.scalar(select(func.count()).where(QuarantinedItem.external_id.in_(ids)))
    return bool(kept or aside)


def _assert_full_texts(session: Session, shared: Path) -> None:
    """A repost says what its original says, whole, where the original came with it."""
    looked = 0
    for path in _recorded(shared, "x"):
        originals = _originals(path)
        if not originals:
            continue
        for mention in session.scalars(select(Mention).where(Mention.repost_of_id.in_(originals))):
            looked += 1
            whole = originals[mention.repost_of_id or ""]
            if not whole.rstrip().endswith("…"):
                assert not mention.text.rstrip().endswith("…"), mention.external_id
            assert len(mention.text) >= len(whole) * 0.8, mention.external_id
    assert looked > 150


def _assert_right_authors(session: Session, shared: Path) -> None:
    looked = 0
    for path in _recorded(shared, "x"):
        if path.suffix != ".jsonl":
            continue
        for line in path.read_text("utf-8").splitlines():
            try:
                page = json.loads(line)
            except ValueError:
                continue
            users = {u["id"]: u for u in (page.get("includes") or {}).get("users") or []}
            data = page.get("data") or []
            for item in data if isinstance(data, list) else [data]:
                if item.get("author_id") not in users or "text" not in item:
                    continue
                row = session.execute(
                    select(Author.external_id, Author.handle, Mention.published_at)
                    .join(Mention, Mention.author_id == Author.id)
                    .where(Mention.external_id == item["id"])
                ).one_or_none()
                if row is None:
                    continue  # another id of an edited post, or put aside: looked at elsewhere
                looked += 1
                assert row.external_id == item["author_id"]
                assert row.handle.lower() == users[item["author_id"]]["username"].lower()
                said = datetime.fromisoformat(item["created_at"])
                if len(item.get("edit_history_tweet_ids", ())) <= 1:
                    assert abs((row.published_at - said).total_seconds()) < 2
    assert looked > 250


@pytest.mark.parametrize("order", [("before", "after"), ("after", "before")])
def test_an_edit_is_one_mention_in_either_order(
    sessions: sessionmaker[Session], brand_id: int, shared: Path, order: tuple[str, str]
) -> None:
    folder = _recorded(shared, "x")[0].parent
    for name in order:
        import_mentions(sessions, folder / f"twarc_edited_{name}.jsonl", clock=lambda: NOW)

    newest = _x_items(folder / "twarc_edited_after.jsonl")[0]["text"]
    oldest = _x_items(folder / "twarc_edited_before.jsonl")[0]["text"]
    with read_session(sessions) as session:
        [mention] = session.scalars(select(Mention)).all()
        assert mention.text.split("https://")[0] == newest.split("https://")[0]
        assert mention.versions == 2
        assert mention.edited_at is not None
        [version] = session.scalars(select(MentionVersion)).all()
        assert version.text.split("https://")[0] == oldest.split("https://")[0]


def test_every_thing_of_reddit_is_stored_or_put_aside(
    sessions: sessionmaker[Session], brand_id: int, shared: Path, tmp_path: Path
) -> None:
    posts: dict[str, Post] = {}
    children = 0
    for path in _recorded(shared, "reddit"):
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
    _work(sessions, tmp_path)

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
    for number, path in enumerate(_recorded(shared, "rss")):
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
    _work(sessions, tmp_path)
    assert items >= 17
    assert kept > 0
    with read_session(sessions) as session:
        stored = session.scalars(select(Mention)).all()
        assert all(mention.pending is None for mention in stored)
        raw = [zlib.decompress(one) for one in session.scalars(select(RawPost.payload))]
        assert all(orjson.loads(one) for one in raw)
