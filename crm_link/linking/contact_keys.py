"""The keys by which a contact is found, and the hash that shows that it changed. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict

from crm_link.linking.given_names import related_names
from crm_link.linking.keys import (
    MAX_KEY_LENGTH,
    KeyKind,
    handle_key,
    link_key,
    name_key,
    normalise_email,
    normalise_phone,
    profile_of,
)
from crm_link.linking.names import name_tokens
from crm_link.types import ContactRecord

#: Changed whenever keys are made otherwise, so that the next sync makes them anew.
KEYS_VERSION = "2"


def contact_keys(record: ContactRecord, country: str | None) -> tuple[set[tuple[str, str]], int]:
    """Return the keys of a contact, and how many addresses and numbers gave none.

    Args:
        record: The contact.
        country: Whose national numbers its phones are where it says no country.

    """
    found: list[tuple[KeyKind, str | None]] = [
        *((KeyKind.EMAIL, normalise_email(email)) for email in record.emails),
        *(
            (KeyKind.PHONE, normalise_phone(phone, record.country or country))
            for phone in record.phones
        ),
    ]
    unusable = sum(1 for _, value in found if value is None)
    found.extend((KeyKind.HANDLE, handle_key(*handle)) for handle in record.handles)
    for link in record.links:
        found.append((KeyKind.LINK, link_key(link)))
        if profile := profile_of(link):
            found.append((KeyKind.HANDLE, handle_key(*profile)))
    keys = {(kind.value, value) for kind, value in found if value}
    return {key for key in keys if len(key[1]) <= MAX_KEY_LENGTH}, unusable


def waking_keys(names: Iterable[str]) -> set[tuple[str, str]]:
    """Return the name keys of authors that a contact of one of these names concerns.

    With short and formal forms, so that Bob is looked at again when Robert comes.
    """
    found: set[str | None] = set()
    for text in names:
        found.add(name_key(text))
        first, *rest = name_tokens(text) or ("",)
        if rest:
            found.update(name_key(f"{other} {rest[-1]}") for other in related_names(first))
    return {(KeyKind.NAME.value, key) for key in found if key}


def record_hash(record: ContactRecord, country: str | None) -> str:
    """Return a hash of all that a record says and of how its keys are made."""
    parts = asdict(record)
    parts["fields"] = sorted(record.fields.items())
    parts.pop("updated_at")
    text = f"{KEYS_VERSION}\x1f{country}\x1f{parts}"
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
