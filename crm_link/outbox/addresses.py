"""Where a record stands in a CRM: a contact's id, or `case/KEY` and `note/KEY`.

Outbox and journal know records by one name each, so that claiming, retrying, comparing before
writing, the journal and its undo are the same for contacts, cases and notes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_link.crm import Crm
from crm_link.types import ContactUpdate, RecordKind, WriteResult

#: What a key may have to stand in a query, a path and a text of every CRM.
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,80}")

_ADDRESS = re.compile(r"(case|note)/(.+)")


def make_key(platform: str, external_id: str) -> str:
    """Return the key of a post or an account: `x:12345`; an address in its place is hashed."""
    if _PLAIN.fullmatch(external_id):
        return f"{platform}:{external_id}"
    return f"{platform}:{hashlib.sha256(external_id.encode()).hexdigest()[:40]}"


def make_address(kind: RecordKind, key: str) -> str:
    """Return the address of a case or a note."""
    return f"{kind.value}/{key}"


def parse_address(address: str) -> tuple[RecordKind, str] | None:
    """Return the kind and key of a case or note; None where it is a contact's id."""
    match = _ADDRESS.fullmatch(address)
    return (RecordKind(match[1]), match[2]) if match else None


def read_records(crm: Crm, addresses: Sequence[str]) -> Mapping[str, Mapping[str, Any]] | None:
    """Return what our fields of these records hold now.

    A contact that is not there is left out; a case that is not there says nothing yet.
    """
    contacts, others = _apart(addresses)
    found: dict[str, Mapping[str, Any]] = {}
    if contacts:
        said = crm.read(contacts)
        if said is None and not others:
            return None
        found.update(said if said is not None else {one: {} for one in contacts})
    for kind, keys in others.items():
        there = crm.read_records(kind, list(keys.values()))
        found.update({address: there.get(key, {}) for address, key in keys.items()})
    return found


def write_records(crm: Crm, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
    """Write each update to its record; return one result each, in any order."""
    by_address = {update.external_id: update for update in updates}
    contacts, others = _apart(list(by_address))
    results = crm.write([by_address[one] for one in contacts]) if contacts else []
    for kind, keys in others.items():
        addresses = {key: address for address, key in keys.items()}
        told = crm.write_records(
            kind, [replace(by_address[one], external_id=key) for one, key in keys.items()]
        )
        results += [replace(one, external_id=addresses[one.external_id]) for one in told]
    return results


def _apart(addresses: Sequence[str]) -> tuple[list[str], dict[RecordKind, dict[str, str]]]:
    """Return the contacts' ids, and the keys of all others by kind and address."""
    contacts: list[str] = []
    others: dict[RecordKind, dict[str, str]] = {}
    for address in addresses:
        if (place := parse_address(address)) is None:
            contacts.append(address)
        else:
            others.setdefault(place[0], {})[address] = place[1]
    return contacts, others
