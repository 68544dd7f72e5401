"""Reading tables of contacts and authors from CSV, TSV or JSON lines files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from config.errors import InputError
from crm_link.contacts.contact_columns import find_columns
from crm_link.contacts.contact_rows import to_record
from crm_link.contacts.csv_tables import open_table
from crm_link.linking.facts import Profile
from crm_link.linking.keys import normalise_platform
from crm_link.types import ContactRecord

_JSON_ENDINGS = frozenset({".jsonl", ".ndjson"})

#: Headers of an author file, letters only, by what they hold.
_AUTHOR_COLUMNS = {
    "author_id": ("authorid", "id", "accountid", "userid"),
    "platform": ("platform", "network"),
    "handle": ("handle", "username", "screenname", "account"),
    "name": ("displayname", "name", "fullname"),
    "bio": ("bio", "description", "about", "summary"),
    "location": ("location", "place"),
    "links": ("profilelink", "biolinks", "links", "url", "website", "link"),
    "verified_links": ("verifiedlinks",),
}


@dataclass(frozen=True, slots=True)
class AuthorRow:
    """A row of an author file: the file's id, and the profile numbered by its line."""

    author_id: str
    profile: Profile


def read_contacts(path: Path, rejected: list[str]) -> Iterator[ContactRecord]:
    """Yield the contacts of a file; why a row is left out goes to `rejected`.

    Raises:
        InputError: The file cannot be read, or has not the columns that are needed.

    """
    seen: dict[str, int] = {}
    with open_rows(path) as (header, rows):
        try:
            columns = find_columns(header)
        except InputError as error:
            raise InputError(f"{path}: {error} (columns: docs/contacts.md)") from error
        for line, cells in rows:
            try:
                record = to_record(_whole(cells), columns)
            except ValueError as error:
                rejected.append(f"line {line}: {error}")
                continue
            first = seen.setdefault(record.external_id, line)
            if first != line:
                rejected.append(f"line {line}: has the id of line {first} again; the first is kept")
                continue
            yield record


def read_authors(path: Path, rejected: list[str], *, platform: str = "") -> Iterator[AuthorRow]:
    """Yield the authors of a file; why a row is left out goes to `rejected`.

    Args:
        path: The file.
        rejected: What was not understood, with its line.
        platform: Where the accounts are, if the file has no such column.

    Raises:
        InputError: The file cannot be read, or has not the columns that are needed.

    """
    with open_rows(path) as (header, rows):
        places = _author_places(path, header, platform)
        seen: dict[str, int] = {}
        for line, cells in rows:
            if isinstance(cells, str):
                rejected.append(f"line {line}: {cells}")
                continue
            author_id = _cell(cells, places["author_id"])
            row_platform = normalise_platform(_cell(cells, places["platform"]) or platform)
            if not author_id or not row_platform:
                rejected.append(f"line {line}: has no {'platform' if author_id else 'author id'}")
                continue
            if seen.setdefault(f"{row_platform}:{author_id}", line) != line:
                rejected.append(f"line {line}: has the author of an earlier line; that is kept")
                continue
            profile = Profile(
                author_id=line,
                platform=row_platform,
                external_id=author_id,
                handle=_cell(cells, places["handle"]).lstrip("@") or None,
                name=_cell(cells, places["name"]) or None,
                bio=_cell(cells, places["bio"]) or None,
                location=_cell(cells, places["location"]) or None,
                links=tuple(_links(cells, places["links"])),
                verified_links=tuple(_links(cells, places["verified_links"])),
            )
            yield AuthorRow(author_id, profile)


def read_decisions(path: Path) -> dict[str, str]:
    """Return the right contact of authors, empty for none of them, by author id.

    Raises:
        InputError: The file cannot be read, or lacks `author_id` or `contact_id`.

    """
    with open_rows(path) as (header, rows):
        try:
            author, contact = header.index("author_id"), header.index("contact_id")
        except ValueError as error:
            raise InputError(f"{path}: needs the columns author_id and contact_id") from error
        return {
            cells[author]: _cell(cells, [contact])
            for _, cells in rows
            if not isinstance(cells, str)
        }


class open_rows:  # noqa: N801 - used like a function, as `open`
    """Give the header of a file and (line, cells) of its rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table: Any = None

    def __enter__(self) -> tuple[Sequence[str], Iterator[tuple[int, list[str] | str]]]:
        if self._path.suffix.lower() in _JSON_ENDINGS:
            return _json_rows(self._path)
        self._table = open_table(self._path)
        rows = self._table.__enter__()
        return rows.header, iter(rows)

    def __exit__(self, *error: object) -> None:
        if self._table is not None:
            self._table.__exit__(*error)


def _json_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str] | str]]]:
    header: dict[str, None] = {}
    found: list[tuple[int, dict[str, Any] | str]] = []
    try:
        with path.open("rb") as file:
            for line, text in enumerate(file, 1):
                if not text.strip():
                    continue
                try:
                    row = orjson.loads(text)
                except orjson.JSONDecodeError as error:
                    row = f"is no JSON: {error}"
                if isinstance(row, dict):
                    header.update(dict.fromkeys(row))
                elif not isinstance(row, str):
                    row = "is no JSON object"
                found.append((line, row))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not header:
        what = "has no line that is a JSON object" if found else "is empty"
        raise InputError(f"{path}: {what}; each line is one")
    names = list(header)
    cells = (
        (line, row if isinstance(row, str) else [_text(row.get(name)) for name in names])
        for line, row in found
    )
    return names, cells


def _whole(cells: list[str] | str) -> list[str]:
    if isinstance(cells, str):
        raise ValueError(cells)  # noqa: TRY004 - what is wrong with the row
    return cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def _author_places(path: Path, header: Sequence[str], platform: str) -> Mapping[str, list[int]]:
    plain = ["".join(letter for letter in name.casefold() if letter.isalpha()) for name in header]
    places = {
        target: [plain.index(name) for name in names if name in plain]
        for target, names in _AUTHOR_COLUMNS.items()
    }
    for needed in ("author_id", "platform"):
        if not places[needed] and not (needed == "platform" and platform):
            hint = "; or give --platform" if needed == "platform" else ""
            listed = ", ".join(header)
            raise InputError(f"{path}: has no column {needed}{hint}; it has: {listed}")
    return places


def _links(cells: Sequence[str], places: Sequence[int]) -> list[str]:
    return [
        word for place in places for word in re.split(r"[\s;|]+", _cell(cells, [place])) if word
    ]


def _cell(cells: Sequence[str], places: Sequence[int]) -> str:
    place = places[0] if places else len(cells)
    return cells[place].replace("\x00", "").strip() if place < len(cells) else ""
