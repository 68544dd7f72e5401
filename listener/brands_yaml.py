"""The YAML of `brands.yaml`: read with its lines, so that every problem is said with its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from config.errors import InputError
from config.phrases import Number, Phrase, joined, phrase

#: Bigger files hold no brands.
MAX_FILE_BYTES = 1_000_000

#: The way to something in the file: keys, and numbers in lists.
Place = tuple[str | int, ...]


def load_tree(path: Path, name: str) -> CommentedMap:
    """Return what stands in the file, with its lines; `name` is what errors call it.

    Raises:
        InputError: It cannot be read, or is no mapping in YAML.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = phrase(
            "%(file)s cannot be read: %(why)s; `groundswell init` writes one to start from",
            file=name,
            why=error.strerror,
        )
        raise InputError(msg) from error
    if len(content) > MAX_FILE_BYTES:
        msg = phrase(
            "%(file)s has more than %(most)s bytes: this is no brands file",
            file=name,
            most=Number(MAX_FILE_BYTES),
        )
        raise InputError(msg)
    try:
        tree = YAML(typ="rt").load(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        msg = phrase("this is not UTF-8; save the file as UTF-8")
        raise InputError(at_line(name, line, msg)) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context).splitlines()[0]
        msg = phrase("this is not YAML: %(why)s", why=problem)
        if mark is None:
            raise InputError("%(file)s: %(problem)s", file=name, problem=msg) from error
        raise InputError(
            "%(file)s, line %(line)s, column %(column)s: %(problem)s",
            file=name,
            line=mark.line + 1,
            column=mark.column + 1,
            problem=msg,
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        msg = phrase("this is not YAML: %(why)s", why=reason[0])
        raise InputError("%(file)s: %(problem)s", file=name, problem=msg) from error
    if not isinstance(tree, CommentedMap):
        msg = phrase("a brands file is a mapping that begins with 'version: 1'")
        raise InputError("%(file)s: %(problem)s", file=name, problem=msg)
    return tree


def refusal(name: str, tree: CommentedMap, problems: Sequence[tuple[Place, str]]) -> InputError:
    """Return the error that says every problem with its line, in the order of the lines."""
    lines = sorted({(line_of(tree, place), message) for place, message in problems})
    return InputError(joined("\n", [at_line(name, line, message) for line, message in lines]))


def at_line(name: str, line: int, what: str) -> Phrase:
    """Return what is said of a line of the file."""
    return phrase("%(file)s, line %(line)s: %(problem)s", file=name, line=line, problem=what)


def line_of(tree: Any, place: Place) -> int:  # noqa: ANN401 - a YAML tree holds anything
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
