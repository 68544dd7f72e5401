"""Changing queries and sources in `brands.yaml`: checked, written at once, the file before kept.

Comments and the order of the file stay. Nothing is written that `read_brands` would refuse.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from config.errors import ConflictError, NotFoundError
from config.held_file import HeldFile, not_written
from listener.brands_file import BrandsFile, SourceEntry, competitor_key, plain, read_brands

#: Folder beside the file in which earlier versions stand.
HISTORY = "brands-history"

#: How people indent lists: the column of an item's content, and that of its dash.
_INDENTS = ((4, 2), (2, 0))


def change_query(held: HeldFile, key: str, query: str, *, before: str, now: datetime) -> BrandsFile:
    """Give a brand, or a competitor, another query; return the file as it is then.

    Args:
        held: The brands file.
        key: The brand's key, `brand:competitor` for a competitor.
        query: The query.
        before: The query that the person saw when they began.
        now: The present, by which the earlier version is named.

    Raises:
        ConflictError: Somebody changed the query meanwhile.
        InputError: The query must not be used, or the file cannot be written.
        NotFoundError: There is no such brand in the file.

    """

    def edit(tree: CommentedMap) -> None:
        entry = _find(tree, key)
        if str(entry["query"]) != before:
            raise ConflictError(
                "the query of %(key)s was changed in %(name)s meanwhile: look at it again",
                key=key,
                name=held.path.name,
            )
        entry["query"] = SingleQuotedScalarString(query)

    return _change(held.path, edit, now)


@dataclass(frozen=True, slots=True)
class WrittenSource:
    """A source as the file has it.

    Args:
        entry: What the file says.
        version: Changes with every change of it.

    """

    entry: SourceEntry
    version: str


def read_source(path: Path, key: str, name: str) -> WrittenSource:
    """Return the source `name` of the brand or competitor `key`.

    Raises:
        InputError: The file cannot be read.
        NotFoundError: There is no such brand or source in the file.

    """
    read_brands(path)
    written = _find_source(_find(_parse(path.read_text("utf-8-sig"))[1], key), name)
    return WrittenSource(SourceEntry.model_validate(plain(written)), _version(written))


def put_source(
    held: HeldFile,
    key: str,
    source: Mapping[str, Any],
    *,
    name: str = "",
    version: str = "",
    now: datetime,
) -> BrandsFile:
    """Give a brand or competitor a source; return the file as it is then.

    Args:
        held: The brands file.
        key: The brand's key, `brand:competitor` for a competitor.
        source: What the file is to say: platform, name, every, and the platform's options.
        name: The source whose place it takes; empty: it is a new one.
        version: That source's version that the person saw.
        now: The present, by which the earlier file is named.

    Raises:
        ConflictError: Somebody changed the source meanwhile.
        InputError: The source is wrong, or the file cannot be written.
        NotFoundError: There is no such brand or source in the file.

    """

    def edit(tree: CommentedMap) -> None:
        brand = _find(tree, key)
        if name:
            old = _require_version(_find_source(brand, name), name, version, held.path)
            for gone in old.keys() - source.keys():
                del old[gone]
            for option, value in source.items():
                if plain(old.get(option)) != value:
                    old[option] = value
            return
        listed = brand.setdefault("sources", CommentedSeq())
        new = CommentedMap(source)
        if listed and listed[-1].fa.flow_style():
            new.fa.set_flow_style()
        listed.append(new)

    return _change(held.path, edit, now)


def remove_source(
    held: HeldFile, key: str, name: str, *, version: str, now: datetime
) -> BrandsFile:
    """Take a source out of the file; what it brought stays. Raises as `put_source` does."""

    def edit(tree: CommentedMap) -> None:
        brand = _find(tree, key)
        written = _require_version(_find_source(brand, name), name, version, held.path)
        brand["sources"].remove(written)
        if not brand["sources"]:
            del brand["sources"]

    return _change(held.path, edit, now)


def _change(path: Path, edit: Callable[[CommentedMap], None], now: datetime) -> BrandsFile:
    try:
        read_brands(path)
        text = path.read_text("utf-8-sig")
        yaml, tree = _parse(text)
        edit(tree)
        return _replace(path, yaml, tree, text, now)
    except OSError as error:
        raise not_written(path, error) from error


def _parse(text: str) -> tuple[YAML, CommentedMap]:
    yaml = _like(text)
    tree: CommentedMap = yaml.load(text)
    return yaml, tree


def _find_source(brand: CommentedMap, name: str) -> CommentedMap:
    for written in brand.get("sources") or ():
        if SourceEntry.model_validate(plain(written)).key == name:
            found: CommentedMap = written
            return found
    raise NotFoundError(
        "there is no source '%(name)s' of %(brand)s in the brands file",
        name=name,
        brand=brand["id"],
    )


def _version(written: CommentedMap) -> str:
    content = json.dumps(plain(written), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _require_version(written: CommentedMap, name: str, version: str, path: Path) -> CommentedMap:
    if _version(written) != version:
        raise ConflictError(
            "%(name)s was changed in %(name2)s meanwhile: look at it again",
            name=name,
            name2=path.name,
        )
    return written


def _like(text: str) -> YAML:
    """Return what writes YAML as `text` is written: the indents of lists that change least."""
    lines = text.splitlines()
    writers = [_writer(sequence, offset) for sequence, offset in _INDENTS]

    def alike(yaml: YAML) -> int:
        written = io.StringIO()
        yaml.dump(yaml.load(text), written)
        pairs = zip(lines, written.getvalue().splitlines(), strict=False)
        return sum(one == other for one, other in pairs)

    return max(writers, key=alike)


def _writer(sequence: int, offset: int) -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=sequence, offset=offset)
    return yaml


def _find(tree: CommentedMap, key: str) -> CommentedMap:
    for found, entry in _entries(tree):
        if found == key:
            return entry
    raise NotFoundError("there is no brand '%(key)s' in the brands file", key=key)


def _entries(tree: Any) -> Iterator[tuple[str, CommentedMap]]:  # noqa: ANN401 - a YAML tree
    for brand in tree["brands"]:
        yield str(brand["id"]), brand
        for one in brand.get("competitors") or ():
            yield competitor_key(str(brand["id"]), str(one["id"])), one


def _replace(path: Path, yaml: YAML, tree: CommentedMap, before: str, now: datetime) -> BrandsFile:
    """Write the file beside itself, check it, keep the old one, and let it take its place."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yaml.dump(tree, file)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(path.stat().st_mode)
        read_brands(new, called=path.name)
        history = path.parent / HISTORY
        history.mkdir(exist_ok=True)
        kept = history / f"{path.stem}-{now:%Y%m%dT%H%M%S%f}{path.suffix}"
        kept.write_text(before, "utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return read_brands(path)
