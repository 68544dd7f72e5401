"""Changing a query in `brands.yaml`: checked, written at once, the file before it kept.

Comments and the order of the file stay. Nothing is written that `read_brands` would refuse.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from config.errors import ConflictError, InputError, NotFoundError
from listener.brands_file import BrandsFile, competitor_key, read_brands

#: Folder beside the file in which earlier versions stand.
HISTORY = "brands-history"

#: Seconds that a change waits for another one to be done.
LOCK_S = 10

#: How people indent lists: the column of an item's content, and that of its dash.
_INDENTS = ((4, 2), (2, 0))


def change_query(path: Path, key: str, query: str, *, before: str, now: datetime) -> BrandsFile:
    """Give a brand, or a competitor, another query; return the file as it is then.

    Args:
        path: The brands file.
        key: The brand's key, `brand:competitor` for a competitor.
        query: The query.
        before: The query that the person saw when they began.
        now: The present, by which the earlier version is named.

    Raises:
        ConflictError: Somebody changed the query meanwhile, or changes the file just now.
        InputError: The query must not be used, or the file cannot be written.
        NotFoundError: There is no such brand in the file.

    """
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_S):
            read_brands(path)
            text = path.read_text("utf-8-sig")
            yaml = _like(text)
            tree = yaml.load(text)
            entry = _find(tree, key)
            if str(entry["query"]) != before:
                raise ConflictError(
                    f"the query of {key} was changed in {path.name} meanwhile: look at it again"
                )
            entry["query"] = SingleQuotedScalarString(query)
            return _replace(path, yaml, tree, text, now)
    except Timeout as error:
        raise ConflictError(f"somebody changes {path.name} just now; try again") from error
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror}); edit the query where the file is kept"
        raise InputError(msg) from error


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
    raise NotFoundError(f"there is no brand '{key}' in the brands file")


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
        read_brands(new)
        history = path.parent / HISTORY
        history.mkdir(exist_ok=True)
        kept = history / f"{path.stem}-{now:%Y%m%dT%H%M%S%f}{path.suffix}"
        kept.write_text(before, "utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return read_brands(path)
