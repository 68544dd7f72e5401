"""Reading `brands.yaml`: the brands that are watched, and where; docs/brands-file.md.

Everything is checked when the file is read, the queries and each platform's options too,
and every problem is said with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from config.durations import Duration
from config.errors import InputError
from config.plugins import load_plugin
from listener.collector import FOLDER, Collector, SourceOptions
from listener.queries.lint import lint
from listener.query import QueryError, parse

#: Bigger files hold no brands.
MAX_FILE_BYTES = 1_000_000

#: How often a source is read where the file does not say.
DEFAULT_EVERY = timedelta(minutes=5)

#: Platforms would refuse us for less.
SHORTEST_EVERY = timedelta(seconds=1)

_KEY = r"^[a-z0-9][a-z0-9_-]{0,99}$"

Place = tuple[str | int, ...]


class SourceEntry(BaseModel):
    """One source of a brand; keys beyond these are its platform's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    platform: str = Field(min_length=1, max_length=40)
    name: str = Field(default="", max_length=200, description="Defaults to the platform.")
    every: Duration = Field(default=DEFAULT_EVERY, ge=SHORTEST_EVERY)

    @property
    def key(self) -> str:
        """The name by which the source is known, unique within its brand."""
        return self.name or self.platform

    @property
    def options(self) -> dict[str, Any]:
        """The platform's own options, as the file has them."""
        return {name: plain(value) for name, value in (self.model_extra or {}).items()}


class CompetitorEntry(BaseModel):
    """A competitor: what is said about it is counted, and nothing else is done with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=_KEY, description="Stable key: small letters, digits, - and _.")
    name: str = Field(min_length=1)
    query: str
    names: tuple[str, ...] = ()
    sources: tuple[SourceEntry, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Names and handles by which texts mean the brand."""
        return self.names or (self.name,)


class BrandEntry(CompetitorEntry):
    """One brand."""

    protocol: Path | None = None
    competitors: tuple[CompetitorEntry, ...] = ()


class BrandsFile(BaseModel):
    """A brands file that was read and checked.

    `protocol` of each brand is an absolute path. `warnings` say what is allowed but
    probably not meant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    brands: tuple[BrandEntry, ...] = Field(min_length=1)
    warnings: tuple[str, ...] = ()


def plain(value: object) -> object:
    """Return a YAML value as plain JSON has it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def read_brands(path: Path) -> BrandsFile:
    """Return the brands in the file `path`, checked.

    Raises:
        InputError: The file cannot be read or something in it is wrong; every problem is
            in the message, with its line and what to do.

    """
    tree = _load(path)
    if "warnings" in tree:
        raise _refusal(path, tree, [(("warnings",), "unknown key 'warnings': remove it")])
    try:
        file = BrandsFile.model_validate(tree)
    except ValidationError as error:
        raise _refusal(path, tree, list(_shape_problems(error))) from error
    problems = [*_double_names(file), *_bad_options(file)]
    warnings: list[str] = []
    for place, message, is_error in _query_findings(file):
        if is_error:
            problems.append((place, message))
        else:
            warnings.append(f"{path}, line {_line(tree, place)}: {message}")
    folder = path.resolve().parent
    brands = []
    for number, brand in enumerate(file.brands):
        protocol = folder / brand.protocol if brand.protocol else None
        if protocol is not None and not protocol.is_file():
            missing = f"protocol: there is no file {brand.protocol} beside {path.name}"
            problems.append((("brands", number, "protocol"), missing))
        brands.append(brand.model_copy(update={"protocol": protocol}))
    if problems:
        raise _refusal(path, tree, problems)
    return file.model_copy(update={"brands": tuple(brands), "warnings": tuple(warnings)})


def _load(path: Path) -> CommentedMap:
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = (
            f"{path} cannot be read: {error.strerror}; `groundswell init` writes one to start from"
        )
        raise InputError(msg) from error
    if len(content) > MAX_FILE_BYTES:
        msg = f"{path} has more than {MAX_FILE_BYTES:,} bytes: this is no brands file"
        raise InputError(msg)
    try:
        tree = YAML(typ="rt").load(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        msg = f"{path}, line {line}: this is not UTF-8; save the file as UTF-8"
        raise InputError(msg) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = str(error.problem or error.context).splitlines()[0]
        msg = f"{path}{where}: this is not YAML: {problem}"
        raise InputError(msg) from error
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        msg = f"{path}: this is not YAML: {reason[0]}"
        raise InputError(msg) from error
    if not isinstance(tree, CommentedMap):
        msg = f"{path}: a brands file is a mapping that begins with 'version: 1'"
        raise InputError(msg)
    return tree


def _shape_problems(error: ValidationError) -> Iterator[tuple[Place, str]]:
    found = error.errors()
    for problem in found:
        place: Place = problem["loc"]
        name = str(place[-1]) if place else ""
        if problem["type"] == "too_short" and any(
            len(one["loc"]) > len(place) and one["loc"][: len(place)] == place for one in found
        ):
            continue  # it is too short only without what is wrong in it
        if problem["type"] == "extra_forbidden":
            kind: type[BaseModel] = BrandEntry if "brands" in place else BrandsFile
            kind = CompetitorEntry if "competitors" in place else kind
            known = ", ".join(kind.model_fields).replace(", warnings", "")
            yield place, f"unknown key '{name}': remove it, or use one of {known}"
        elif problem["type"] == "missing":
            yield place[:-1], f"'{name}' is missing: add it"
        elif problem["type"] == "string_pattern_mismatch":
            yield place, f"{name}: use small letters, digits, - and _ only"
        else:
            yield place, f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def _entries(file: BrandsFile) -> Iterator[tuple[Place, str, CompetitorEntry]]:
    """Give every brand and competitor with its place and the key that the database has."""
    for number, brand in enumerate(file.brands):
        place: Place = ("brands", number)
        yield place, brand.id, brand
        for index, one in enumerate(brand.competitors):
            yield (*place, "competitors", index), competitor_key(brand.id, one.id), one


def competitor_key(brand: str, competitor: str) -> str:
    """Return how a brand's competitor is called in the database; no brand can be called so."""
    return f"{brand}:{competitor}"


def _double_names(file: BrandsFile) -> Iterator[tuple[Place, str]]:
    keys: set[str] = set()
    for here, key, brand in _entries(file):
        if key in keys:
            kind = "competitors" if "competitors" in here else "brands"
            yield (*here, "id"), f"id: there are two {kind} '{brand.id}': rename one"
        keys.add(key)
        names: set[str] = set()
        for index, source in enumerate(brand.sources):
            if source.key in names:
                place: Place = (*here, "sources", index)
                yield place, f"there are two sources '{source.key}': give each its own `name`"
            names.add(source.key)


def _bad_options(file: BrandsFile) -> Iterator[tuple[Place, str]]:
    for here, _, brand in _entries(file):
        for index, source in enumerate(brand.sources):
            place: Place = (*here, "sources", index)
            try:
                kind: type[Collector] = load_plugin(FOLDER, source.platform, Collector)  # type: ignore[type-abstract]
            except InputError as error:
                yield (*place, "platform"), str(error)
                continue
            for where, message in _option_problems(kind.Options, source.options):
                yield (*place, *where), f"{source.platform}: {message}"


def _option_problems(
    kind: type[SourceOptions], options: dict[str, Any]
) -> Iterator[tuple[Place, str]]:
    try:
        kind.model_validate(options)
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][-1]) if problem["loc"] else ""
            if problem["type"] == "extra_forbidden":
                known = ", ".join(("platform", "name", "every", *kind.model_fields))
                yield (name,), f"unknown key '{name}': remove it, or use one of {known}"
            elif problem["type"] == "missing":
                yield (), f"'{name}' is missing: add it"
            else:
                message = problem["msg"].removeprefix("Value error, ")
                yield ((name,), f"{name}: {message}") if name else ((), message)


def _query_findings(file: BrandsFile) -> Iterator[tuple[Place, str, bool]]:
    for here, _, brand in _entries(file):
        place: Place = (*here, "query")
        try:
            warnings = lint(parse(brand.query))
        except QueryError as error:
            yield place, f"query: {error}", True
            continue
        for warning in warnings:
            yield (
                place,
                f"query: {re.sub('^error: *', '', warning)}",
                warning.startswith("error:"),
            )


def _refusal(path: Path, tree: CommentedMap, problems: list[tuple[Place, str]]) -> InputError:
    lines = sorted({(_line(tree, place), message) for place, message in problems})
    return InputError("\n".join(f"{path}, line {line}: {message}" for line, message in lines))


def _line(tree: Any, place: Place) -> int:  # noqa: ANN401 - a YAML tree holds anything
    """Return the line of the innermost thing on the way to `place` that the file has."""
    line = 0
    for part in place:
        if isinstance(tree, CommentedMap) and part in tree:
            line = tree.lc.key(part)[0]
        elif isinstance(tree, CommentedSeq) and isinstance(part, int) and part < len(tree):
            line = tree.lc.item(part)[0]
        else:
            break
        tree = tree[part]
    return line + 1
