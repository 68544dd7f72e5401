"""What accounts of CRMs allow, and what calls take of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crm_link.calls.budgets import DAY_S, Heard, Limit, Limits

#: Records that Zoho writes for one credit.
RECORDS_A_CREDIT = 10

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


def hubspot_limits(burst_calls: int, daily_calls: int) -> Limits:
    """Return HubSpot's: calls in 10 seconds and in a day, and searches in a second.

    Source: https://developers.hubspot.com/docs/guides/apps/api-usage/usage-details
    """

    def costs(method: str, path: str, json: Any) -> dict[str, int]:  # noqa: ANN401 - any JSON
        del method, json
        return {"search" if path.endswith("/search") else "burst": 1, "daily": 1}

    limits = (
        Limit("burst", burst_calls, 10.0),
        Limit("daily", daily_calls, DAY_S),
        Limit("search", 5, 1.0),
    )
    names = ("X-HubSpot-RateLimit-Daily-Remaining", "X-HubSpot-RateLimit-Daily")
    return Limits(limits, costs, lambda headers: _heard("daily", headers, *names))


def salesforce_limits(daily_calls: int) -> Limits:
    """Return Salesforce's: calls in 24 hours, of which each answer tells how many were made."""

    def hears(headers: Mapping[str, str]) -> dict[str, Heard]:
        # "api-usage=18/5000": the calls of all the account's programs.
        found = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
        if found is None:
            return {}
        used, of = int(found[1]), int(found[2])
        return {"daily": Heard(of - used, of)}

    limits = (Limit("daily", daily_calls, DAY_S),)
    return Limits(limits, lambda *_: {"daily": 1}, hears)


def zoho_limits(daily_credits: int, calls_at_once: int) -> Limits:
    """Return Zoho's: credits in 24 hours, and calls at one moment.

    Source: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """

    def costs(method: str, path: str, json: Any) -> dict[str, int]:  # noqa: ANN401 - any JSON
        del path
        records = len(json.get("data", ())) if method != "GET" and isinstance(json, dict) else 0
        return {"credits": max(1, -(-records // RECORDS_A_CREDIT)), "at once": 1}

    limits = (Limit("credits", daily_credits, DAY_S), Limit("at once", calls_at_once, 0.0))
    names = ("X-API-CREDITS-REMAINING", "X-API-CREDITS-LIMIT")
    return Limits(limits, costs, lambda headers: _heard("credits", headers, *names))


def own_limits(calls_a_minute: int, calls_at_once: int) -> Limits:
    """Return what its own people let a CRM be called, where nobody has published a limit.

    Args:
        calls_a_minute: Calls in 60 seconds; 0: as many as there are.
        calls_at_once: Calls at one moment, of all processes together; 0 likewise.

    """
    asked = (Limit("minute", calls_a_minute, 60.0), Limit("at once", calls_at_once, 0.0))
    limits = tuple(limit for limit in asked if limit.size)
    one_each = {limit.name: 1 for limit in limits}
    return Limits(limits, lambda *_: one_each)


def _heard(name: str, headers: Mapping[str, str], left: str, of: str) -> dict[str, Heard]:
    try:
        return {name: Heard(int(headers[left]), int(headers[of]))}
    except (KeyError, ValueError):
        return {}
