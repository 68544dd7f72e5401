"""Files of posts: found out what they are, read one record at a time.

Nothing is dropped silently: what a record does not say clearly becomes a `RejectedItem`
with its line. Memory stays bounded, because only one line is held.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import orjson

from config.errors import InputError
from listener.cleaning import MAX_TEXT_LENGTH
from listener.format_rows import NEEDED, Item, name_keys, our_name, read_record
from listener.format_x import flattened_to_page, is_flattened, is_x
from listener.types import RejectedItem
from listener.x_api.payload import parse_page

#: Characters of a line that are read; a longer one is quarantined.
MAX_LINE = 64_000_000

#: Bytes by which format and encoding are found out.
_SNIFFED_BYTES = 64_000

#: Larger whole-file JSON (not lines) is refused: it would have to be held in memory.
MAX_JSON_BYTES = 100_000_000


#: Remarks about a file that are kept.
MAX_NOTES = 10


class Format(StrEnum):
    """What a file of posts is."""

    CSV = "csv"
    JSON_LINES = "json lines"
    JSON = "json"


@dataclass(slots=True)
class FileReader:
    """Reads the posts of one file.

    Args:
        path: A CSV file, JSON lines (ours or X's, as twarc saves them) or one JSON
            document; each also compressed with gzip.
        zone: What times without a zone mean; None refuses them.
        platform: The platform of records that do not say it.
        skip_unfinished: Whether a last line without a line end is left for later, because
            somebody may still be writing it.

    """

    path: Path
    zone: ZoneInfo | None = None
    platform: str | None = None
    skip_unfinished: bool = False
    format: Format | None = None
    encoding: str = ""
    notes: list[str] = field(default_factory=list)

    def items(self) -> Iterator[Item | RejectedItem]:
        """Yield each post with its platform, or what could not be understood.

        Raises:
            InputError: The file cannot be read, or is no file of posts at all.

        """
        try:
            head = self._head()
            self.encoding = self._find_encoding(head)
            text = head.decode(self.encoding, "replace").lstrip("\ufeff \t\r\n")
            if not text:
                msg = f"{self.path} is empty"
                raise InputError(msg)
            if text[0] in "{[":
                yield from self._json(text)
            else:
                self.format = Format.CSV
                yield from self._csv()
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            msg = f"{self.path} cannot be read: {reason}"
            raise InputError(msg) from error

    def _open(self) -> IO[bytes]:
        with self.path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        return gzip.open(self.path, "rb") if is_gzip else self.path.open("rb")  # type: ignore[return-value]

    def _head(self) -> bytes:
        with self._open() as file:
            return file.read(_SNIFFED_BYTES)

    def _find_encoding(self, head: bytes) -> str:
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if head.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        if head[1:4:2] == b"\x00\x00" and head[0] != 0:
            return "utf-16-le"
        with self._open() as file:
            if _is_utf8(iter(partial(file.read, 1_000_000), b"")):
                return "utf-8"
        self.notes.append("the file is not UTF-8; it was read as Windows-1252 (Western European)")
        return "cp1252"

    def _lines(self) -> Iterator[tuple[int, str]]:
        # Not universal newlines: a lone carriage return may stand in a text.
        errors = "replace" if self.encoding == "cp1252" else "surrogateescape"
        with io.TextIOWrapper(
            self._open(), encoding=self.encoding, errors=errors, newline="\n"
        ) as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if self.skip_unfinished and not line.endswith("\n"):
                    return
                yield number, line

    def _json(self, head: str) -> Iterator[Item | RejectedItem]:
        lines = (line for _, line in self._lines() if line.strip("\ufeff \t\r\n"))
        first = next(lines, head)
        is_whole = head[0] == "[" or not _is_json(first)
        if is_whole and (document := self._document()) is not None:
            self.format = Format.JSON
            yield from self._document_items(document)
            return
        self.format = Format.JSON_LINES
        for number, line in self._lines():
            if line.strip("\ufeff \t\r\n"):
                yield from self.line_items(line, number)

    def _document(self) -> Any:  # noqa: ANN401 - anything that JSON can hold
        """Return the whole file as one JSON value; None where it is none."""
        with self._open() as file:
            content = file.read(MAX_JSON_BYTES + 1)
        if len(content) > MAX_JSON_BYTES:
            msg = (
                f"{self.path} is one JSON document of more than {MAX_JSON_BYTES:,} bytes: "
                "write it as JSON lines, one record in each line"
            )
            raise InputError(msg)
        try:
            return orjson.loads(content.decode(self.encoding, "replace"))
        except orjson.JSONDecodeError:
            return None

    def _document_items(self, document: Any) -> Iterator[Item | RejectedItem]:  # noqa: ANN401 - JSON
        if is_x(document):
            yield from self._record_items(document, "the document")
            return
        records = document
        if isinstance(document, Mapping):
            lists = [value for value in document.values() if isinstance(value, list)]
            records = lists[0] if len(lists) == 1 else [document]
        for number, record in enumerate(records, 1):
            yield from self._record_items(record, f"record {number}")

    def line_items(self, line: str, number: int) -> Iterator[Item | RejectedItem]:
        """Yield what one line of JSON lines holds."""
        try:
            record = orjson.loads(line.encode("utf-8", "surrogateescape"))
        except orjson.JSONDecodeError as error:
            reason = str(error).partition(":")[0]
            yield RejectedItem(error=f"line {number}: this is not JSON ({reason})", raw=line)
            return
        yield from self._record_items(record, f"line {number}")

    def _record_items(self, record: Any, where: str) -> Iterator[Item | RejectedItem]:  # noqa: ANN401 - JSON
        if is_flattened(record):
            record = flattened_to_page(record)
        if is_x(record):
            page = parse_page(record)
            platform = self.platform or "x"
            for gap in page.gaps:
                self._note(gap.detail)
            for post in page.posts:
                yield Item(platform, post)
            for item in page.rejected:
                yield RejectedItem(f"{where}: {item.error}", item.raw, item.external_id)
            if not page.posts and not page.rejected:
                yield from _empty_page(record, where)
        elif isinstance(record, Mapping):
            yield read_record(name_keys(record), where, zone=self.zone, platform=self.platform)
        else:
            raw = orjson.dumps(record, default=str).decode()
            yield RejectedItem(f"{where}: this is no post", raw)

    def _csv(self) -> Iterator[Item | RejectedItem]:
        # A quote that is never closed swallows rows until a field is this long, not the file.
        csv.field_size_limit(MAX_TEXT_LENGTH)
        taken: list[str] = []
        lines = _remembering(self._lines(), taken)
        first = next(lines, "").lstrip("\ufeff")
        if not first and self.skip_unfinished:
            return
        delimiter = max(",;\t|", key=first.count)
        names = next(csv.reader([first], delimiter=delimiter))
        columns = self._columns(names)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            taken.clear()
            where = f"line {reader.line_num + 2}"
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield RejectedItem(f"{where}: {error}", "".join(taken))
                continue
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(names):
                message = f"{where}: it has {len(row)} columns, and the header {len(names)}"
                yield RejectedItem(message, "".join(taken))
                continue
            record = {name: row[index] for name, index in columns.items() if row[index].strip()}
            yield read_record(record, where, zone=self.zone, platform=self.platform)

    def _note(self, note: str) -> None:
        if note not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(note)

    def _columns(self, names: Sequence[str]) -> dict[str, int]:
        """Return the position of each column that is understood, by our name for it."""
        found: dict[str, int] = {}
        for index, name in enumerate(names):
            ours = our_name(name)
            if ours is not None:
                found.setdefault(ours, index)
        missing = [name for name in NEEDED if name not in found]
        if missing:
            shown = ", ".join(name.strip()[:40] or "(empty)" for name in names[:40])
            msg = (
                f"{self.path} has the columns {shown}; a CSV of posts needs {', '.join(NEEDED)}, "
                f"and {', '.join(missing)} is missing. Rename the columns; docs/import.md lists "
                "the names that are understood"
            )
            raise InputError(msg)
        return found


def _remembering(lines: Iterator[tuple[int, str]], taken: list[str]) -> Iterator[str]:
    """Yield lines and keep them in `taken`, so that a row can be shown as it stood."""
    for _, line in lines:
        taken.append(line)
        yield line


def _is_utf8(chunks: Iterable[bytes]) -> bool:
    """Say whether a file is UTF-8; a half-written character at its end is no reason against."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for chunk in chunks:
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text.encode("utf-8", "surrogateescape"))
    except orjson.JSONDecodeError:
        return False
    return True


def _empty_page(record: Mapping[str, Any], where: str) -> Iterator[RejectedItem]:
    """Say what a page without posts is, unless it is only an empty answer."""
    meta = record.get("meta")
    if isinstance(meta, Mapping) and not record.get("errors"):
        return
    raw = orjson.dumps(record, default=str).decode()
    yield RejectedItem(f"{where}: an answer of X without a post", raw)
