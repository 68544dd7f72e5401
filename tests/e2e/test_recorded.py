"""Every recorded answer of X, Reddit and feeds comes out as a user expects it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.db import read_session
from listener.collection_models import QuarantinedItem, RawPost
from listener.imports import ImportResult, import_mentions
from listener.models import Author, Mention, MentionVersion
from tests.e2e.recordings import answers_in, recorded_files, work_through
from tests.make import NOW, make_brand


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_brand(session, key="acme", query="acme").id


def _importable(path: Path, folder: Path) -> Path:
    """Return a file as a user has it: what X answered, without the recorder's wrapping."""
    answers = answers_in(path)
    if isinstance(answers, Path):
        return answers
    unwrapped = folder / f"{path.name}l"
    unwrapped.write_text("".join(json.dumps(one) + "\n" for one in answers), "utf-8")
    return unwrapped


def _x_items(path: Path) -> list[dict[str, Any]]:
    """Return the posts of a recording, as X gave them."""
    documents = answers_in(path)
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
    for path in recorded_files(shared, "x"):
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
    work_through(sessions, tmp_path)

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
    for path in recorded_files(shared, "x"):
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
    for path in recorded_files(shared, "x"):
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
    folder = recorded_files(shared, "x")[0].parent
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
