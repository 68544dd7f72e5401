"""What pydantic finds wrong is said in our words and in the reader's language, whatever it is."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from fastapi import FastAPI, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors
from starlette.routing import BaseRoute

import api.console
import listener.collectors
from api.wrong_fields import LABELS, wrong_fields
from config.field_errors import COUNTED, FORMS, FOUND, OTHERWISE, what_is_wrong
from config.language import reading_as, told
from config.phrases import Phrase
from config.plugins import load_plugin
from crm_link.escalation import protocol_parts
from crm_link.escalation.protocol import EscalationProtocol
from listener.brands_file import BrandsFile
from listener.collector import FOLDER, Collector, collector_names

#: Values that are wrong for one field or another.
WRONG: tuple[object, ...] = (
    *(None, "", "x", "\N{SEE-NO-EVIL MONKEY}", "x" * 50_000, "2026-99-99", "1e999", "Mars/Base"),
    *(-1, 0, 1.5, 10**40, float("nan"), float("inf"), True, b"\xff", object(), timedelta(-1)),
    *([], [1], ["x"] * 5_000, {}, {"x": 1}, {1: 2}, {"": {}}, [{}], [[{}]]),
)

#: What is ours to say: the check says it itself.
OWN = frozenset({"value_error", "assertion_error"})

#: Types of pydantic, with what stands in their context.
TYPES = {str(one["type"]): one.get("example_context") or {} for one in list_all_errors()}


def _models(kind: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    for info in kind.model_fields.values():
        for inner in _inner(info.annotation):
            yield from _models(inner, seen)


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _inner(one)


def _options(platform: str) -> type[BaseModel]:
    return load_plugin(FOLDER, platform, Collector).Options  # type: ignore[type-abstract]


ROOTS: tuple[type[BaseModel], ...] = (
    *(EscalationProtocol, BrandsFile),
    *(_options(platform) for platform in collector_names()),
)

MODELS = sorted(
    {one for kind in ROOTS for one in _models(kind, set())},
    key=lambda one: f"{one.__module__}.{one.__qualname__}",
)


def _problems(kind: type[BaseModel]) -> Iterator[Any]:
    for name in (*kind.model_fields, "no_such_field"):
        for value in WRONG:
            try:
                kind.model_validate({name: value})
            except ValidationError as error:
                yield from error.errors()


def _is_said(problem: Any) -> bool:
    return problem["type"] in FOUND or problem["type"] in {
        *OWN,
        *COUNTED,
        "string_pattern_mismatch",
    }


@pytest.mark.parametrize("kind", MODELS, ids=lambda one: one.__qualname__)
def test_whatever_a_model_of_a_file_finds_is_said_in_spanish(kind: type[BaseModel]) -> None:
    found = list(_problems(kind))
    assert found

    assert {one["type"] for one in found if not _is_said(one)} == set()
    with reading_as("es"):
        left = {str(said) for said in map(what_is_wrong, found) if told(said) == str(said)}
    assert left == set()


def test_whatever_a_request_finds_is_said_in_spanish(app: FastAPI) -> None:
    found = list(_of_requests(app))
    kinds = {one["type"] for one in found}
    assert {"int_parsing", "string_too_long", "enum", "greater_than"} <= kinds

    assert {one["type"] for one in found if not _is_said(one)} == set()
    with reading_as("es"):
        left = {str(said) for said in map(what_is_wrong, found) if told(said) == str(said)}
    assert left == set()


def _of_requests(app: FastAPI) -> Iterator[Any]:
    for field in {id(one.field_info): one.field_info for one in _fields(app)}.values():
        checked: Any = Annotated[field.annotation, Field(), *field.metadata]
        adapter: TypeAdapter[Any] = TypeAdapter(checked)
        for value in WRONG:
            try:
                adapter.validate_python(value)
            except ValidationError as error:
                yield from error.errors()


def _fields(app: FastAPI, package: str = "api") -> Iterator[Any]:
    for route in _walk(app.routes):
        if route.endpoint.__module__.startswith(package):
            for part in _parts(route.dependant):
                yield from (*part.query_params, *part.body_params, *part.path_params)


def _walk(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _walk(inner.routes)


def _parts(part: Dependant) -> Iterator[Dependant]:
    yield part
    for inner in part.dependencies:
        yield from _parts(inner)


@pytest.mark.parametrize("kind", sorted({*FOUND, *COUNTED} & set(TYPES)))
def test_what_is_said_of_a_type_has_what_it_fills_in(kind: str) -> None:
    """Pydantic says which values each of its types has."""
    context = {name: 2 if value == 0 else value or "x" for name, value in TYPES[kind].items()}

    said = what_is_wrong({"type": kind, "ctx": context, "msg": "in English"})

    assert "in English" not in said
    with reading_as("es"):
        assert told(said) != said


def test_no_type_is_misspelt() -> None:
    assert {*FOUND, *COUNTED} - set(TYPES) == {"path_type", "string_sub_type"}, (
        "these two are of pydantic itself and of its older versions"
    )


def test_a_type_that_the_table_does_not_have_gets_words_that_are_right() -> None:
    error = PydanticKnownError("callable_type")

    said = what_is_wrong({"type": error.type, "msg": error.message(), "ctx": {}})

    assert said == OTHERWISE
    with reading_as("es"):
        assert told(said) == "no es lo que corresponde aquí"


def test_a_length_has_the_form_of_its_number_and_a_choice_no_english_word() -> None:
    class Short(BaseModel):
        text: str = Field(default="", max_length=1)
        every: timedelta = Field(default=timedelta(1), ge=timedelta(minutes=90))
        key: str = Field(default="a", pattern=next(iter(FORMS)))

    with pytest.raises(ValidationError) as caught:
        Short.model_validate({"text": "xx", "every": timedelta(0), "key": "%"})

    found = [str(what_is_wrong(one)) for one in caught.value.errors()]
    assert found == [
        "has more than 1 character",
        "must be at least 1h 30m",
        "use small letters, digits, - and _ only",
    ]


def test_a_field_is_called_as_its_label_says_on_a_page_and_by_its_place_for_programs() -> None:
    problem = {"type": "greater_than", "loc": ("body", "hours"), "ctx": {"gt": 0}, "msg": ""}

    with reading_as("es"):
        page = told(wrong_fields([problem], is_page=True))
    program = wrong_fields([problem], is_page=False)

    assert page == "Horas: debe ser mayor que 0"
    assert program == "body.hours: must be more than 0"


#: What no person types: buttons, hidden fields, addresses, boxes to tick.
NOT_TYPED = frozenset(
    """
    act after author_id base before claim claim_id closes cluster contact_id crisis_history crm
    cursor expected filters group ids incident incident_id into is_active is_decision is_default
    is_shared is_there key link_ids next people person scope seen source_id sure timeline version
    what whole_person with_folded
    """.split()  # noqa: SIM905 - a list would take a page
)


def test_every_field_that_people_fill_in_on_a_page_has_its_label(app: FastAPI) -> None:
    names = {
        one.alias
        for one in _fields(app, api.console.__name__)
        if not isinstance(one.field_info, params.Path)
    }
    assert "hours" in names

    assert names - NOT_TYPED - set(LABELS) == set()
    assert (NOT_TYPED | set(LABELS)) - names == set()


CHECKS = sorted(
    path
    for package in (protocol_parts, listener.collectors)
    for path in Path(str(package.__file__)).parent.glob("*.py")
)


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_check_of_a_file_says_what_is_wrong_with_a_template(path: Path) -> None:
    """A text that is put together cannot be looked up: `phrase("no %(what)s", what=...)`."""
    tree = ast.parse(path.read_text("utf-8"))
    plain = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and [ast.unparse(one) for one in node.targets] == ["msg"]
        and isinstance(node.value, ast.JoinedStr | ast.Constant)
    ]

    assert plain == []


def test_a_check_s_own_words_stay_what_they_were_made_of() -> None:
    with pytest.raises(ValidationError) as caught:
        _options("rss").model_validate({"url": "ftp://x"})

    said = what_is_wrong(caught.value.errors()[0])

    assert isinstance(said, Phrase)
    with reading_as("es"):
        assert told(said).startswith("debe ser una dirección web")
