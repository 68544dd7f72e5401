"""Why an incident was raised, as the JSON API gives it."""

from __future__ import annotations

from typing import Any

from api.schemas.base import Out


class WhyOut(Out):
    """What grew, who, coordinated or organic, and what was not seen.

    Posts, accounts and contacts are ids; `authors` tells by what name an account is known.
    """

    summary: str
    now: dict[str, Any]
    opening: dict[str, Any] | None
    authors: dict[int, str]
