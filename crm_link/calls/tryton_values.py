"""How Tryton says things over JSON-RPC, and what a contact is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Values = Mapping[str, Any]

#: What the names of our contact mechanisms begin with.
OURS = "groundswell_"

#: The name of a mechanism that can be a platform's.
_PLATFORM = re.compile(r"[a-z][a-z0-9.]{0,29}")

_TIME = ("year", "month", "day", "hour", "minute", "second", "microsecond")

_KINDS = {"email": "email", "phone": "phone", "mobile": "phone", "website": "website"}

#: What is asked of a party, with what belongs to it.
PARTY_FIELDS = (
    *("name", "code", "active", "replaced_by", "last_modified_at", "lang.code", "categories.name"),
    *("contact_mechanisms.type", "contact_mechanisms.name", "contact_mechanisms.value"),
    *("contact_mechanisms.last_modified_at", "addresses.last_modified_at", "addresses.city"),
    *("addresses.country.code", "addresses.subdivision.name"),
)

#: The fields that a party is read as; a mapping may name them.
READ_FIELDS = (
    *("id", "name", "code", "email", "phone", "website", "handles", "country", "region", "city"),
    *("categories", "lang", "do_not_contact"),
)


def to_time(value: Any) -> datetime | None:  # noqa: ANN401 - JSON
    """Return a time as Tryton writes it; its times are in UTC."""
    if not isinstance(value, Mapping):
        return None
    year, month, day, hour, minute, second, micro = (int(value[name]) for name in _TIME)
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


def from_time(moment: datetime) -> dict[str, Any]:
    """Return a time as Tryton reads it."""
    utc = moment.astimezone(UTC)
    return {"__class__": "datetime", **{name: getattr(utc, name) for name in _TIME}}


def changed_at(party: Values) -> datetime | None:
    """Return when a party, or what belongs to it and is not ours, was last changed."""
    stamps = [party["last_modified_at"]]
    stamps += [one["last_modified_at"] for one in party.get("addresses.") or ()]
    stamps += [one["last_modified_at"] for one in _theirs(party)]
    return max(filter(None, map(to_time, stamps)), default=None)


def flatten(party: Values, do_not_contact: str) -> dict[str, str]:
    """Return a party as the fields of `READ_FIELDS`, several values separated by semicolons.

    A mechanism of the kind "other" whose name is one word is an account on the platform of
    that name. Telephone numbers and mail addresses are of the person; so is the first address.

    Args:
        party: What Tryton said of it.
        do_not_contact: The category of those who must not be contacted.

    """
    cells: dict[str, list[str]] = {name: [] for name in READ_FIELDS}
    for one in _theirs(party):
        kind = _KINDS.get(one["type"])
        name = (one["name"] or "").strip().lower()
        if kind is not None:
            cells[kind].append(one["value"])
        elif one["type"] == "other" and _PLATFORM.fullmatch(name):
            cells["handles"].append(f"{name}:{one['value'].strip()}")
    for address in list(party.get("addresses.") or ())[:1]:
        cells["city"] = [address["city"] or ""]
        cells["country"] = [(address.get("country.") or {}).get("code") or ""]
        cells["region"] = [(address.get("subdivision.") or {}).get("name") or ""]
    categories = [one["name"] for one in party.get("categories.") or ()]
    is_refused = do_not_contact.casefold() in {name.casefold() for name in categories}
    return {
        **{name: "; ".join(filter(None, found)) for name, found in cells.items()},
        "id": str(party["id"]),
        "name": party["name"] or "",
        "code": party["code"] or "",
        "categories": "; ".join(name for name in categories if name != do_not_contact),
        "lang": (party.get("lang.") or {}).get("code") or "",
        "do_not_contact": "true" if do_not_contact and is_refused else "false",
    }


def is_gone(party: Values) -> bool:
    """Say whether a party was archived, or merged into another one."""
    return not party["active"] or party["replaced_by"] is not None


def in_numbers(external_ids: Iterable[str]) -> list[int]:
    """Return ids as numbers; what is none is not Tryton's, and is left out."""
    return [int(one) for one in external_ids if one.isdecimal()]


def _theirs(party: Values) -> list[Values]:
    found = party.get("contact_mechanisms.") or ()
    return [one for one in found if not (one["name"] or "").startswith(OURS)]
