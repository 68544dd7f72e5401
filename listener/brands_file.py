"""Reading `brands.yaml`: the brands that are watched, and where; docs/brands-file.md.

Everything is checked when the file is read, the queries and each platform's options too,
and every problem is said with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.durations import Duration
from config.errors import InputError
from config.field_errors import of_field, under
from config.phrases import Phrase, phrase
from config.plugins import load_plugin
from listener.brands_yaml import Place, line_of, load_tree, refusal
from listener.collector import FOLDER, Collector, SourceOptions
from listener.queries.lint import lint
from listener.query import QueryError, parse

#: How often a source is read where the file does not say.
DEFAULT_EVERY = timedelta(minutes=5)

#: Platforms would refuse us for less.
SHORTEST_EVERY = timedelta(seconds=1)

_KEY = r"^[a-z0-9][a-z0-9_-]{0,99}$"


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


def read_brands(path: Path, *, called: str = "") -> BrandsFile:
    """Return the brands in the file `path`, checked.

    Args:
        path: The file.
        called: What it is called in errors; empty: by its path.

    Raises:
        InputError: The file cannot be read or something in it is wrong; every problem is
            in the message, with its line and what to do.

    """
    name = called or str(path)
    tree = load_tree(path, name)
    if "warnings" in tree:
        unknown = phrase("unknown key '%(name)s': remove it", name="warnings")
        raise refusal(name, tree, [(("warnings",), unknown)])
    try:
        file = BrandsFile.model_validate(tree)
    except ValidationError as error:
        raise refusal(name, tree, list(_shape_problems(error))) from error
    problems = [*_double_names(file), *_bad_options(file)]
    warnings: list[str] = []
    for place, message, is_error in _query_findings(file):
        if is_error:
            problems.append((place, message))
        else:
            warnings.append(f"{name}, line {line_of(tree, place)}: {message}")
    folder = path.resolve().parent
    brands = []
    for number, brand in enumerate(file.brands):
        protocol = folder / brand.protocol if brand.protocol else None
        if protocol is not None and not protocol.is_file():
            missing = phrase(
                "protocol: there is no file %(file)s beside %(name)s",
                file=brand.protocol,
                name=Path(name).name,
            )
            problems.append((("brands", number, "protocol"), missing))
        brands.append(brand.model_copy(update={"protocol": protocol}))
    if problems:
        raise refusal(name, tree, problems)
    return file.model_copy(update={"brands": tuple(brands), "warnings": tuple(warnings)})


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
            yield place, _unknown(name, known)
        elif problem["type"] == "missing":
            yield place[:-1], phrase("'%(name)s' is missing: add it", name=name)
        else:
            yield place, of_field(name, problem)


def _unknown(name: str, known: str) -> Phrase:
    return phrase(
        "unknown key '%(name)s': remove it, or use one of %(known)s", name=name, known=known
    )


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
            twice = (
                phrase("id: there are two competitors '%(id)s': rename one", id=brand.id)
                if "competitors" in here
                else phrase("id: there are two brands '%(id)s': rename one", id=brand.id)
            )
            yield (*here, "id"), twice
        keys.add(key)
        names: set[str] = set()
        for index, source in enumerate(brand.sources):
            if source.key in names:
                place: Place = (*here, "sources", index)
                yield (
                    place,
                    phrase(
                        "there are two sources '%(name)s': give each its own `name`",
                        name=source.key,
                    ),
                )
            names.add(source.key)


def _bad_options(file: BrandsFile) -> Iterator[tuple[Place, str]]:
    for here, _, brand in _entries(file):
        for index, source in enumerate(brand.sources):
            place: Place = (*here, "sources", index)
            try:
                kind: type[Collector] = load_plugin(FOLDER, source.platform, Collector)  # type: ignore[type-abstract]
            except InputError as error:
                yield (*place, "platform"), error.said
                continue
            for where, message in _option_problems(kind.Options, source.options):
                yield (*place, *where), under(source.platform, message)


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
                yield (name,), _unknown(name, known)
            elif problem["type"] == "missing":
                yield (), phrase("'%(name)s' is missing: add it", name=name)
            else:
                yield (name,) if name else (), of_field(name, problem)


def _query_findings(file: BrandsFile) -> Iterator[tuple[Place, str, bool]]:
    for here, _, brand in _entries(file):
        place: Place = (*here, "query")
        try:
            warnings = lint(parse(brand.query))
        except QueryError as error:
            yield place, under("query", error.said), True
            continue
        for warning in warnings:
            is_error = warning.startswith("error:")
            yield place, under("query", _problem(warning) if is_error else warning), is_error


def _problem(warning: str) -> str:
    """Return what is wrong without the mark that it is an error."""
    found = warning.values.get("problem") if isinstance(warning, Phrase) else None
    return found if isinstance(found, str) else warning.removeprefix("error:").strip()
