"""Files that somebody else writes: new and longer ones are read on.

A line that is not finished yet waits for the next run. JSON lines are read on from where
the last run ended; a file of another kind (CSV, one JSON document) is read whole again when
it changed, which changes nothing that is stored already. A file that became shorter was
replaced and is read from its beginning.
"""

from __future__ import annotations

import codecs
import glob
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator

from config.errors import InputError, TransientError
from config.phrases import phrase
from config.settings import Settings, read_settings
from listener.collector import Collector, SourceOptions
from listener.format_rows import Item
from listener.formats import FileReader
from listener.types import Page, Post, RejectedItem, Walk

#: Records in one page, which is one transaction.
PAGE = 500

#: Bytes at a file's beginning by which one that was replaced is noticed.
_HEAD_BYTES = 256


class FileOptions(SourceOptions):
    """Options of a source of files."""

    path: str = Field(
        min_length=1,
        description="A file or pattern (inbox/*.jsonl), relative to the home folder.",
    )
    posts_from: str = Field(
        default="file",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$",
        description="The platform that the posts are from, for example x.",
    )
    timezone: str | None = Field(
        default=None, description="What times without a zone mean, for example Europe/Berlin."
    )
    match: bool = Field(
        default=False, description="Whether posts that the query does not find are left out."
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        try:
            if name is not None:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            msg = phrase(
                "there is no time zone '%(name)s'; write it as Europe/Berlin or UTC", name=name
            )
            raise ValueError(msg) from error
        return name


class _Progress(BaseModel):
    """How far one file was read.

    `is_done` is False where a last line without a line end was left for later.
    """

    model_config = ConfigDict(frozen=True)

    size: int
    mtime_ns: int
    offset: int = 0  # bytes of JSON lines that are read and stored
    lines: int = 0
    head: str = ""
    is_done: bool = True


class _Cursor(BaseModel):
    """How far each file was read, by its path."""

    files: dict[str, _Progress] = Field(default_factory=dict)


class FileCollector(Collector):
    """Reads posts from files; docs/import.md says what they may look like."""

    Options: ClassVar[type[SourceOptions]] = FileOptions

    def __init__(self, options: FileOptions, home: Path | None = None) -> None:
        self._options = options
        self._home = (home or read_settings(Settings).home).resolve()
        self._zone = ZoneInfo(options.timezone) if options.timezone else None
        self.matches_query = options.match
        self.stores_as = options.posts_from

    def identity(self) -> str:
        """Return a hash of the folder that paths are relative to."""
        return hashlib.sha256(str(self._home).encode()).hexdigest()[:16]

    def check(self) -> None:
        """Make sure that the folder is there; files may come later."""
        folder = (self._home / self._options.path).parent
        while any(sign in folder.name for sign in "*?["):
            folder = folder.parent
        if not folder.is_dir():
            msg = phrase(
                "there is no folder %(folder)s: make it, or correct the source's `path`",
                folder=folder,
            )
            raise InputError(msg)

    def pages(self, walk: Walk) -> Iterator[Page]:
        """Yield what is new in each file, the file that changed first before the others."""
        files = (_Cursor.model_validate_json(walk.cursor) if walk.cursor else _Cursor()).files
        for path in self._find():
            try:
                for items, progress in self._read(path, files.get(str(path))):
                    if progress is not None:
                        files[str(path)] = progress
                    yield Page(
                        posts=tuple(self._post(one) for one in items if isinstance(one, Item)),
                        rejected=tuple(one for one in items if isinstance(one, RejectedItem)),
                        cursor=_Cursor(files=files).model_dump_json() if progress else None,
                    )
            except FileNotFoundError:
                continue
            except OSError as error:
                msg = phrase(
                    "%(path)s cannot be read: %(strerror)s", path=path, strerror=error.strerror
                )
                raise TransientError(msg) from error

    def _find(self) -> list[Path]:
        pattern = self._options.path
        found = glob.glob(str(self._home / pattern), recursive=True)  # noqa: PTH207 - absolute patterns
        files = [(path.stat().st_mtime_ns, path) for path in map(Path, found) if path.is_file()]
        return [path for _, path in sorted(files)]

    def _post(self, item: Item) -> Post:
        if item.platform == self.stores_as:
            return item.post
        # Ids of two platforms may be the same number.
        return replace(item.post, external_id=f"{item.platform}:{item.post.external_id}")

    def _read(
        self, path: Path, before: _Progress | None
    ) -> Iterator[tuple[list[Item | RejectedItem], _Progress | None]]:
        """Yield records of a file, with how far it is read where a run may go on from there."""
        status = path.stat()
        if status.st_size == 0:
            return
        is_same = before is not None and (before.size, before.mtime_ns) == (
            status.st_size,
            status.st_mtime_ns,
        )
        if is_same and before is not None and before.is_done:
            return
        reader = FileReader(
            path, zone=self._zone, platform=self.stores_as, skip_unfinished=not is_same
        )
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(0)
            first = file.readline()
            file.seek(-1, os.SEEK_END)
            ends = file.read(1) == b"\n"
        if _is_json_line(first):
            start = before or _Progress(size=0, mtime_ns=0)
            if not _is_longer(start, head, status.st_size):
                start = _Progress(size=0, mtime_ns=0)
            yield from _read_lines(path, reader, start)
            return
        # A file of another kind counts as read when all of it is stored.
        progress = _Progress(size=status.st_size, mtime_ns=status.st_mtime_ns)
        items = _readable(reader)
        batch = list(islice(items, PAGE))
        while following := list(islice(items, PAGE)):
            yield batch, None
            batch = following
        yield batch, progress.model_copy(update={"is_done": ends or is_same})


def _readable(reader: FileReader) -> Iterator[Item | RejectedItem]:
    """Yield what a file holds; one that is no file of posts must not stop the others."""
    try:
        yield from reader.items()
    except InputError as error:
        yield RejectedItem(error=str(error), raw=reader.path.name)


def _is_json_line(first: bytes) -> bool:
    """Say whether a file's first line is a JSON object by itself."""
    try:
        return isinstance(orjson.loads(first.removeprefix(codecs.BOM_UTF8)), dict)
    except orjson.JSONDecodeError:
        return False


def _is_longer(start: _Progress, head: bytes, size: int) -> bool:
    """Say whether a file is the one that was read, perhaps with more at its end."""
    known = start.head.encode("latin-1")
    return size >= start.offset and head[: len(known)] == known


def _read_lines(
    path: Path, reader: FileReader, start: _Progress
) -> Iterator[tuple[list[Item | RejectedItem], _Progress]]:
    """Yield the finished lines after `start`; each batch can be gone on from."""
    status = path.stat()
    offset, number = start.offset, start.lines
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("latin-1")
        file.seek(offset)
        batch: list[Item | RejectedItem] = []
        while line := file.readline():
            text = line.decode("utf-8", "replace").lstrip("\ufeff")
            if not line.endswith(b"\n") and not _is_json_line(line):
                break
            offset, number = offset + len(line), number + 1
            if text.strip():
                batch.extend(reader.line_items(text, number))
            if len(batch) >= PAGE:
                yield (
                    batch,
                    _Progress(size=0, mtime_ns=0, offset=offset, lines=number, head=head[:offset]),
                )
                batch = []
    yield (
        batch,
        _Progress(
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            offset=offset,
            lines=number,
            head=head[:offset],
        ),
    )
