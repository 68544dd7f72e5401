"""A platform's options as the fields of a form, and what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from config.errors import InputError
from config.field_errors import of_field
from config.language import looked_up
from config.phrases import joined, later
from config.plugins import load_plugin
from listener.brands_file import SourceEntry
from listener.collector import FOLDER, Collector

#: What begins the names of a platform's options in a form.
PREFIX = "option_"


#: What the form calls the fields that every source has.
LABELS: Mapping[str, str] = {
    "platform": later("Platform"),
    "name": later("Name, unique for the brand"),
    "every": later("Read every (60s, 5m, 1h 30m)"),
}


class FieldKind(StrEnum):
    """How an option is filled in."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    YES_NO = "yes_no"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class OptionField:
    """One option of a platform.

    Args:
        name: Its key in brands.yaml.
        kind: How it is filled in.
        description: What it means.
        value: What stands in it: a text, or whether it is on.
        choices: What a choice is among.
        is_required: Whether it must be there.

    """

    name: str
    kind: FieldKind
    description: str
    value: str | bool
    choices: tuple[str, ...] = ()
    is_required: bool = False


def option_fields(platform: str, options: Mapping[str, Any]) -> list[OptionField]:
    """Return the fields of a platform's options, with what `options` says in them.

    Raises:
        InputError: There is no such platform.

    """
    fields = []
    for name, info in _fields(platform).items():
        kind = _kind(info)
        value = options.get(name, info.get_default(call_default_factory=False))
        if isinstance(value, list | tuple):
            value = ", ".join(str(one) for one in value)
        fields.append(
            OptionField(
                name,
                kind,
                info.description or "",
                value is True if kind is FieldKind.YES_NO else _text(value),
                tuple(str(one.value) for one in _members(info)),
                is_required=info.is_required(),
            )
        )
    return fields


def read_options(platform: str, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the options that a form says, without those that say what holds anyway.

    What does not fit is left as it is: whoever reads the file says what is wrong with it.

    Raises:
        InputError: There is no such platform.

    """
    found: dict[str, Any] = {}
    for name, info in _fields(platform).items():
        text = form.get(PREFIX + name, "").strip()
        kind = _kind(info)
        value: Any = text
        if kind is FieldKind.YES_NO:
            value = bool(text)
        elif not text:
            continue
        elif kind is FieldKind.LIST:
            value = [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
        elif kind is FieldKind.NUMBER and text.isdecimal():
            value = int(text)
        if not _is_default(info, value):
            found[name] = value
    return found


def check_source(platform: str, source: Mapping[str, Any]) -> None:
    """Refuse a source that brands.yaml would refuse, with what its fields are called in the form.

    Args:
        platform: Where it is read.
        source: What the file is to say of it: platform, name, every, and options.

    Raises:
        InputError: Something is wrong; every problem is said under its field's label.

    """
    kind = _collector(platform).Options
    own = {name: source[name] for name in SourceEntry.model_fields if name in source}
    problems: list[str] = []
    for model, values in (
        (SourceEntry, own),
        (kind, {name: value for name, value in source.items() if name not in own}),
    ):
        try:
            model.model_validate(values)
        except ValidationError as error:
            problems += [of_field(_label(model, one["loc"]), one) for one in error.errors()]
    if problems:
        raise InputError(joined("\n", problems))


def _label(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Return what the form calls the field at a place of a model, in its reader's language."""
    name = str(place[0]) if place else ""
    info = model.model_fields.get(name)
    described = info.description if info else None
    return looked_up(LABELS.get(name) or described or name).rstrip(".")


def _fields(platform: str) -> Mapping[str, FieldInfo]:
    return _collector(platform).Options.model_fields


def _collector(platform: str) -> type[Collector]:
    return load_plugin(FOLDER, platform, Collector)  # type: ignore[type-abstract]


def _kind(info: FieldInfo) -> FieldKind:
    if _members(info):
        return FieldKind.CHOICE
    if get_origin(info.annotation) in {tuple, list}:
        return FieldKind.LIST
    if info.annotation is bool:
        return FieldKind.YES_NO
    return FieldKind.NUMBER if info.annotation is int else FieldKind.TEXT


def _members(info: FieldInfo) -> list[Enum]:
    kind = info.annotation
    return list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else []


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    # A required option has a default that is no value.
    return str(value) if isinstance(value, str | int | float) else ""


def _is_default(info: FieldInfo, value: object) -> bool:
    default = info.get_default(call_default_factory=False)
    if isinstance(default, tuple):
        default = list(default)
    return not info.is_required() and bool(value == default)
