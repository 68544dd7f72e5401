"""Faults on demand: which request is struck, and with what.

`Control.fault` says which kinds there are. Kinds in `PAGE_KINDS` bend the items of an
otherwise good answer; the others replace or break the answer and are done in `gate.py`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

PAGE_KINDS = {"duplicate", "out_of_order", "malformed", "empty", "partial"}
ANSWER_KINDS = {
    "rate_limit",
    "credits",
    "status",
    "hang",
    "slow",
    "truncated",
    "html",
    "reset",
}
#: Signing in is struck only where a fault names its path: else every fault would hit it first.
SIGN_IN = "/api/v1/access_token"


@dataclass(slots=True)
class Fault:
    """One fault, with how often it strikes and what it looks like."""

    id: int
    platform: str
    kind: str
    #: A shell pattern of the path.
    path: str = "*"
    #: How many requests are struck; -1 for all.
    times: int = 1
    #: How many matching requests pass before.
    after: int = 0
    #: HTTP status of `rate_limit`, `credits`, `status`, `html`.
    status: int = 0
    #: What a 429 carries: "reset", "retry_after", "both" or "none".
    headers: str = "reset"
    #: Until the reset, or how long `slow` and `hang` last; `hang` ends with a reset.
    seconds: float = 1.0
    #: `truncated`, `reset` and `hang`: the share of the body that is sent before, 0 to 1.
    share: float = 0.0
    #: `malformed`: "no_id", "bad_date", "bad_types", "null" or "text".
    variant: str = "no_id"
    body: str = ""
    struck: int = 0

    def strikes(self, platform: str, path: str) -> bool:
        """Tell whether this request is struck, and count it."""
        if self.platform not in {platform, "*"} or self.times == 0:
            return False
        if not fnmatchcase(path, self.path) or (path == SIGN_IN and self.path == "*"):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times = max(self.times - 1, -1)
        self.struck += 1
        return True


OPTIONS = {field.name for field in fields(Fault)} - {"id", "platform", "kind", "struck"}
_DEFAULTS: dict[str, dict[str, Any]] = {"hang": {"seconds": 3_600.0}, "truncated": {"share": 0.5}}


class Faults:
    """The faults that wait for requests, in the order in which they were set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, platform: str, kind: str, **options: Any) -> int:
        """Set a fault; give its id. Raises ValueError for a kind that does not exist."""
        if kind not in PAGE_KINDS | ANSWER_KINDS:
            msg = f"no fault {kind!r}, only {', '.join(sorted(PAGE_KINDS | ANSWER_KINDS))}"
            raise ValueError(msg)
        if platform not in {"x", "reddit", "feeds", "hook", "*"}:
            msg = f"no platform {platform!r} to strike"
            raise ValueError(msg)
        unknown = set(options) - OPTIONS
        if unknown:
            msg = f"no option {', '.join(sorted(unknown))}, only {', '.join(sorted(OPTIONS))}"
            raise ValueError(msg)
        options = _DEFAULTS.get(kind, {}) | options
        self._made += 1
        self._faults.append(Fault(id=self._made, platform=platform, kind=kind, **options))
        return self._made

    def strike(self, platform: str, path: str) -> Fault | None:
        """Give the first fault that strikes this request."""
        return next((fault for fault in self._faults if fault.strikes(platform, path)), None)

    def clear(self, number: int | None = None) -> None:
        """Take one fault away, or all."""
        self._faults = [fault for fault in self._faults if number not in {None, fault.id}]

    def listed(self) -> list[dict[str, Any]]:
        """Give every fault with what is left of it."""
        return [asdict(fault) for fault in self._faults]


def bend(items: list[Any], fault: Fault | None) -> list[Any]:
    """Give a page's items as the fault makes them."""
    if fault is None or not items:
        return items
    middle = len(items) // 2
    if fault.kind == "empty":
        return []
    if fault.kind == "duplicate":
        return [*items[: middle + 1], *items[: middle + 1], *items[middle + 1 :]]
    if fault.kind == "out_of_order":
        return [*items[1::2], *items[::2]]
    if fault.kind == "malformed":
        return [*items[:middle], _spoiled(items[middle], fault.variant), *items[middle + 1 :]]
    return items


def _spoiled(item: Any, variant: str) -> Any:
    """Spoil one item; the platform's envelope stays, as a broken back end leaves it."""
    if variant == "null":
        return None
    if variant == "text":
        return "unexpected"
    spoiled = deepcopy(item)
    inner = spoiled.get("data", spoiled)
    if variant == "bad_date":
        for name in ("created_at", "created_utc", "published"):
            if name in inner:
                inner[name] = "Wed Jan 32 18:40:40 +0000 2021"
    elif variant == "bad_types":
        inner |= {"id": ["not", "an", "id"], "text": {"not": "text"}, "body": 7, "title": 7}
    elif variant == "no_id":
        for name in ("id", "name", "guid"):
            inner.pop(name, None)
    else:
        msg = f"no malformed item {variant!r}: no_id, bad_date, bad_types, null or text"
        raise ValueError(msg)
    return spoiled
