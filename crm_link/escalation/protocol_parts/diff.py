"""What changed between two protocols, in the words of the file. Pure.

Items of a list are told apart by their name (a contact's id, a severity's level), so that a
contact that is put before another changes nothing but itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from crm_link.escalation.protocol import EscalationProtocol

#: Keys by which the items of a list are known.
_NAMES = ("id", "level")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, and what stood and stands there (None: nothing)."""

    kind: Literal["added", "removed", "changed"]
    place: str
    before: Any
    after: Any


def diff_protocols(before: EscalationProtocol, after: EscalationProtocol) -> list[Change]:
    """Return what changed, in the order of the file; defaults that are written out are none."""
    return list(_diff("", _tree(before), _tree(after)))


def _tree(protocol: EscalationProtocol) -> dict[str, Any]:
    tree: dict[str, Any] = protocol.model_dump(mode="json", by_alias=True)
    return tree


def _diff(place: str, before: Any, after: Any) -> Iterator[Change]:  # noqa: ANN401 - JSON
    if before == after:
        return
    old, new = _named(before), _named(after)
    if old is not None and new is not None:
        yield from _diff_named(place, old, new)
    elif before is None:
        yield Change("added", place, None, after)
    elif after is None:
        yield Change("removed", place, before, None)
    else:
        yield Change("changed", place, before, after)


def _diff_named(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        where = f"{place}.{name}" if place else name
        if name not in new:
            yield Change("removed", where, old[name], None)
        elif name not in old:
            yield Change("added", where, None, new[name])
        else:
            yield from _diff(where, old[name], new[name])
    kept_before = [name for name in old if name in new]
    if kept_before != [name for name in new if name in old] and not _is_mapping(old, new):
        yield Change("changed", f"{place} (order)", kept_before, [one for one in new if one in old])


def _is_mapping(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Say whether the order of two sets of names means nothing: they are keys, not items."""
    return not (isinstance(old, _Items) or isinstance(new, _Items))


class _Items(dict[str, Any]):
    """Items of a list by their names: their order means something."""


def _named(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - JSON
    """Return what is in a mapping, or in a list of things with names; None: neither."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    for key in _NAMES:
        names = [one.get(key) for one in value if isinstance(one, Mapping)]
        if len(names) == len(value) and None not in names and len(set(names)) == len(names):
            return _Items((str(name), one) for name, one in zip(names, value, strict=True))
    if all(isinstance(one, Mapping) for one in value):
        return _Items((str(number), one) for number, one in enumerate(value, 1))
    return None
