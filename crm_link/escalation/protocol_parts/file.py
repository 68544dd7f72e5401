"""Reading a crisis protocol from YAML, and saying with line numbers what is wrong with it."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from config.errors import InputError
from config.field_errors import of_field
from config.phrases import Number, Phrase, joined, phrase
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.advice import advise
from crm_link.escalation.protocol_parts.lint import Place, Problem, lint

#: Bigger files are not protocols.
MAX_FILE_BYTES = 1_000_000

#: Keys of the full protocol that this version does not obey. They are refused, so that nobody
#: relies on something that does not happen.
NOT_YET_OBEYED = frozenset(
    {
        "heartbeat",
        "silences",
    }
)


def load_protocol(path: Path) -> EscalationProtocol:
    """Return the protocol in the file `path`.

    Raises:
        InputError: The file cannot be read, or is no protocol; every problem has its line.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            "%(file)s cannot be read: %(why)s; `groundswell init` writes one to start from",
            file=path,
            why=error.strerror,
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "%(file)s, line %(line)s: %(problem)s",
            file=path,
            line=line,
            problem=phrase("this is not UTF-8; save the file as UTF-8"),
        ) from error
    return parse_protocol(text, str(path))


def default_protocol_text() -> str:
    """Return the commented protocol that `groundswell init` writes."""
    return files("config").joinpath("defaults", "protocol.yaml").read_text("utf-8")


@lru_cache(maxsize=4096)
def parse_pinned(source: str) -> EscalationProtocol:
    """Return the protocol of an incident's snapshot; each is read once in a process.

    It was whole when the incident began. What is not there any more (a channel's plugin)
    fails where it is used, and not here, where it would stop everything.
    """
    return _read_shape(source, "the incident's protocol")[0]


def parse_protocol(text: str, where: str = "protocol.yaml") -> EscalationProtocol:
    """Return the protocol that the YAML `text` says; `where` names it in messages.

    Raises:
        InputError: It is no protocol; every problem has its line.

    """
    protocol, tree = _read_shape(text, where)
    problems = lint(protocol)
    if problems:
        raise _refusal(where, tree, problems)
    return protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `protocol lint` says.

    Args:
        line: Where, from 1.
        level: `error`: the file is refused; `warning`: it is obeyed and lets people down.
        rule: The rule's name.
        message: What is wrong, and what to do.

    """

    line: int
    level: Literal["error", "warning"]
    rule: str
    message: str


def inspect_protocol(text: str, today: date, where: str = "protocol.yaml") -> list[Finding]:
    """Return everything that is to be said of a protocol file, in the order of its lines."""
    try:
        tree = _parse_yaml(text, where)
    except InputError as error:
        values = error.said.values if isinstance(error.said, Phrase) else {}
        line, message = values.get("line", 1), str(error)
        if isinstance(values.get("problem"), str):
            message = cast("str", values["problem"])
        return [Finding(cast("int", line), "error", "yaml", message)]
    try:
        protocol = EscalationProtocol.model_validate(tree, context={"source": text})
    except ValidationError as error:
        shape = {(_line(tree, one.place), one.message) for one in _shape_problems(error)}
        return [Finding(line, "error", "shape", message) for line, message in sorted(shape)]
    errors = {(_line(tree, one.place), one.message) for one in lint(protocol)}
    found = [Finding(line, "error", "names", message) for line, message in errors]
    found += [
        Finding(_line(tree, place), "warning", rule, message)
        for rule, place, message in advise(protocol, today)
    ]
    return sorted(found, key=lambda one: (one.line, one.level, one.message))


def _read_shape(text: str, where: str) -> tuple[EscalationProtocol, CommentedMap]:
    tree = _parse_yaml(text, where)
    try:
        return EscalationProtocol.model_validate(tree, context={"source": text}), tree
    except ValidationError as error:
        raise _refusal(where, tree, _shape_problems(error)) from error


def _parse_yaml(text: str, where: str) -> CommentedMap:
    if len(text.encode()) > MAX_FILE_BYTES:
        raise InputError(
            "%(file)s: %(problem)s",
            file=where,
            problem=phrase(
                "the file has more than %(most)s bytes; this is no protocol",
                most=Number(MAX_FILE_BYTES),
            ),
        )
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = phrase("this is not YAML: %(why)s", why=error.problem or error.context)
        if not mark:
            raise InputError("%(file)s: %(problem)s", file=where, problem=problem) from error
        raise InputError(
            "%(file)s, line %(line)s, column %(column)s: %(problem)s",
            file=where,
            line=mark.line + 1,
            column=mark.column + 1,
            problem=problem,
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        problem = phrase("this is not YAML: %(why)s", why=str(error).splitlines()[0])
        raise InputError("%(file)s: %(problem)s", file=where, problem=problem) from error
    if not isinstance(tree, CommentedMap):
        problem = phrase("a protocol is a mapping that begins with 'version: 1'")
        raise InputError("%(file)s: %(problem)s", file=where, problem=problem)
    return tree


def _refusal(where: str, tree: CommentedMap, problems: Iterable[Problem]) -> InputError:
    lines = sorted({(_line(tree, problem.place), problem.message) for problem in problems})
    said = [
        phrase("%(file)s, line %(line)s: %(problem)s", file=where, line=line, problem=message)
        for line, message in lines
    ]
    return InputError(joined("\n", said))


def _shape_problems(error: ValidationError) -> Iterator[Problem]:
    found = error.errors()
    places = {tuple(problem["loc"]) for problem in found}
    for problem in found:
        place = tuple(part for part in problem["loc"] if part not in _TAGS)
        if problem["type"] == "too_short" and any(
            len(other) > len(place) and other[: len(place)] == place for other in places
        ):
            continue  # it is only short of the items that are wrong themselves
        name = str(place[-1]) if place else ""
        if problem["type"] == "extra_forbidden":
            yield Problem(place, _unknown_key(place, name))
        elif problem["type"] == "missing":
            yield Problem(place[:-1], phrase("'%(name)s' is missing", name=name))
        else:
            yield Problem(place, of_field(_words(place), problem))


#: What pydantic adds to a place to tell the branches of a union apart.
_TAGS = frozenset({"[key]"})


def _unknown_key(place: Place, name: str) -> str:
    if name in NOT_YET_OBEYED:
        return phrase("'%(name)s' is not obeyed by this version yet; remove it", name=name)
    known = _keys_at(place[:-1])
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return phrase("unknown key '%(name)s'; did you mean '%(near)s'?", name=name, near=near[0])
    return phrase(
        "unknown key '%(name)s'; known here: %(known)s", name=name, known=", ".join(known)
    )


def _words(place: Place) -> str:
    return ".".join(str(part) for part in place)


def _keys_at(place: Place) -> Sequence[str]:
    """Return the keys that the model at `place` knows."""
    model: type[BaseModel] | None = EscalationProtocol
    for part in place:
        if model is not None and isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation)
    return sorted(model.model_fields) if model else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model that an annotation such as tuple[Model, ...] holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)


def _line(tree: CommentedMap, place: Place) -> int:
    """Return the line, from 1, of what is nearest to `place` in the file."""
    node: Any = tree
    line = 1
    for part in place:
        try:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0] + 1
            elif isinstance(node, CommentedSeq) and isinstance(part, int):
                line = node.lc.item(part)[0] + 1
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
    return line
