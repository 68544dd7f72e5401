"""Budgets of calls: what a CRM's account allows, and who counts them. Plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from config.errors import TransientError

#: The share of a window's calls that may be made at once. The rest come back evenly over the
#: window, so that no window of that length, wherever it begins, has more calls than allowed.
AT_ONCE_SHARE = 0.1

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in a window of time; with a window of 0, so many at one moment.

    Args:
        name: What it is called, such as `daily`; an account has it once.
        size: Calls, or credits.
        window_s: The window's length in seconds.

    """

    name: str
    size: int
    window_s: float

    @property
    def at_once(self) -> float:
        """How many may be made at one moment after a rest."""
        return max(1.0, self.size * AT_ONCE_SHARE) if self.window_s else float(self.size)

    @property
    def per_s(self) -> float:
        """How many come back each second."""
        return max(self.size - self.at_once, 1.0) / self.window_s


@dataclass(frozen=True, slots=True)
class Heard:
    """What the CRM said of one of its limits: how many are left, and of how many."""

    left: int
    of: int


def _no_costs(method: str, path: str, json: Any) -> Mapping[str, int]:  # noqa: ANN401 - any JSON
    del method, path, json
    return {}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one CRM account.

    Args:
        of: The limits.
        costs: What a call takes of which limit, from method, path and JSON body.
        hears: What an answer's headers say of which limit.

    """

    of: tuple[Limit, ...] = ()
    costs: Callable[[str, str, Any], Mapping[str, int]] = _no_costs
    hears: Callable[[Mapping[str, str]], Mapping[str, Heard]] = lambda _: {}


class LimitError(TransientError):
    """The CRM says that a limit is used up: nothing is wrong with what was sent.

    Args:
        message: What happened.
        retry_after_s: Seconds to wait.
        limit: Which limit, if it said so.

    """

    def __init__(self, message: str, *, retry_after_s: float, limit: str | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.limit = limit


class Meter(Protocol):
    """Who counts the calls of an account, over all processes."""

    def take(self, costs: Mapping[str, int]) -> str:
        """Wait until a call of these costs may be made, and count it; return its ticket.

        Raises:
            BudgetExhaustedError: That would take too long.

        """

    def give_back(self, ticket: str) -> None:
        """Say that the call is over."""

    def hear(self, said: Mapping[str, Heard]) -> None:
        """Remember what the CRM said of its limits."""

    def pause(self, limit: str | None, wait_s: float, reason: str) -> None:
        """Let nobody call for a time: a limit, or (None) all of them, is used up."""


class Unmetered:
    """Nobody counts."""

    def take(self, costs: Mapping[str, int]) -> str:
        """Let it be made."""
        del costs
        return ""

    def give_back(self, ticket: str) -> None:
        """Nothing."""
        del ticket

    def hear(self, said: Mapping[str, Heard]) -> None:
        """Nothing."""
        del said

    def pause(self, limit: str | None, wait_s: float, reason: str) -> None:
        """Nothing."""
        del limit, wait_s, reason
