"""A platform's options as the fields of a form, and what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, get_origin

from pydantic.fields import FieldInfo

from config.plugins import load_plugin
from listener.collector import FOLDER, Collector

#: What begins the names of a platform's options in a form.
PREFIX = "option_"


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


def _fields(platform: str) -> Mapping[str, FieldInfo]:
    collector: type[Collector] = load_plugin(FOLDER, platform, Collector)  # type: ignore[type-abstract]
    return collector.Options.model_fields


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
