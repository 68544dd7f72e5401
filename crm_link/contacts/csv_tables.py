"""CSV files as people have them: usual encodings and delimiters, safe in a spreadsheet."""

from __future__ import annotations

import codecs
import csv
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import InputError

if TYPE_CHECKING:
    import _csv

#: Longest cell that is read, in signs; Python's own limit of 131,072 is an error.
MAX_CELL = 10_000_000

_DELIMITERS = (",", ";", "\t", "|")
_EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20

#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def open_table(path: Path) -> Iterator[CsvRows]:
    """Give the header and rows of a CSV or TSV file.

    Raises:
        InputError: There is no such file, it is a workbook, not text, or has no header.

    """
    csv.field_size_limit(MAX_CELL)
    try:
        encoding = find_encoding(path)
        with path.open(encoding=encoding, newline="") as lines:
            first = next((line for line in lines if line.strip()), "")
            lines.seek(0)
            yield CsvRows(
                path,
                csv.reader((line.replace("\x00", "") for line in lines), delimiter=_sniff(first)),
            )
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


class CsvRows:
    """The rows of a file after its header, with what is wrong with a row said by line."""

    def __init__(self, path: Path, reader: _csv.Reader) -> None:
        """Read the header."""
        self._reader = reader
        try:
            self.header = next((row for row in reader if any(map(str.strip, row))), [])
        except csv.Error as error:
            raise InputError(f"{path}: is no CSV file: {error}") from error
        if not self.header:
            raise InputError(f"{path}: is empty; a line with the columns' names is needed")

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield (line, cells), or (line, what is wrong); empty lines are left out."""
        width = len(self.header)
        while True:
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._reader.line_num, f"is no CSV: {error}"
                continue
            if not any(map(str.strip, cells)):
                continue
            if any(map(str.strip, cells[width:])):
                yield self._reader.line_num, f"has {len(cells)} cells, the header has {width}"
                continue
            yield self._reader.line_num, cells


def find_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its mark, UTF-8, or else Windows-1252.

    Raises:
        InputError: It is a workbook, or none of these.

    """
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith(_EXCEL):
            raise InputError(f"{path}: is an Excel workbook; save it as CSV (UTF-8)")
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name
        for name in ("utf-8", "cp1252"):
            file.seek(0)
            decoder = codecs.getincrementaldecoder(name)()
            try:
                while chunk := file.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return name
    raise InputError(f"{path}: is neither UTF-8 nor Windows-1252; save it as CSV (UTF-8)")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        InputError: It cannot be read.

    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def read_keyed(path: Path, key: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Return the header and the rows by their `key` column; nothing where there is no file.

    Raises:
        InputError: The file has no such column: it is not one that we wrote.

    """
    if not path.exists() or path.stat().st_size == 0:
        return [key], {}
    with open_table(path) as rows:
        if key not in rows.header:
            raise InputError(f"{path}: has no column '{key}', so it is not ours; name another file")
        header = list(rows.header)
        table: dict[str, dict[str, str]] = {}
        for _, cells in rows:
            if isinstance(cells, str):
                continue
            row = dict(zip(header, map(_unguard, cells), strict=False))
            table[row.pop(key)] = row
    return header, table


def write_keyed(
    path: Path, key: str, header: Sequence[str], rows: Mapping[str, Mapping[str, str]]
) -> None:
    """Replace the file by these rows at once: a reader sees the old one or the new one."""
    columns = [name for name in header if name != key]
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([key, *columns])
            for value, row in rows.items():
                writer.writerow(
                    [guard_cell(value), *(guard_cell(row.get(name, "")) for name in columns)]
                )
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def guard_cell(text: str) -> str:
    """Return a cell that no spreadsheet runs; a plain number stays one."""
    if not text.startswith((*_FORMULA, "'")) or _is_number(text):
        return text
    return f"'{text}"


def _unguard(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith((*_FORMULA, "'")) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text[1:2].isdigit()


def _sniff(line: str) -> str:
    """Return the delimiter that the header has most often outside quotes."""
    plain = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=plain.count)
