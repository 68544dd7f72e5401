"""Cases and notes in CRMs whose objects have a field with our key, by which they are upserted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_link.rest_crm import Record
from crm_link.types import ContactUpdate

#: Keys in one query: their length together stays below what an address may have.
KEYS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ObjectForm:
    """One kind of record in a CRM's words.

    Args:
        name: The object.
        key: Its field that holds our key.
        names: Our fields to the object's.
        states: Our states to the object's, where it has any.
        fixed: What a new one gets besides.

    """

    name: str
    key: str
    names: Mapping[str, str]
    states: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def said(self, record: Record) -> dict[str, Any]:
        """Return what a record says, in our words; a state of a person's own stays theirs."""
        found = {name: _plain(record.get(api)) for name, api in self.names.items()}
        if found.get("priority"):
            found["priority"] = found["priority"].lower()
        if state := found.get("state"):
            ours = {api: name for name, api in self.states.items()}
            found["state"] = ours.get(state, f"status {state}")
        return found

    def values(self, update: ContactUpdate) -> dict[str, Any]:
        """Return an update in the CRM's words; one that names the contact is of a new record."""
        found: dict[str, Any] = {self.key: update.external_id}
        for name, value in update.fields.items():
            if name == "priority":
                value = str(value).capitalize()  # noqa: PLW2901 - the CRM's word for it
            elif name == "state":
                value = self.states[str(value)]  # noqa: PLW2901
            found[self.names[name]] = value
        return {**self.fixed, **found} if "contact" in update.fields else found


def is_removal(update: ContactUpdate) -> bool:
    """Say whether an update takes a record away."""
    return not any(update.fields.values())


def in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield keys, as many as one query takes.

    Keys are made of letters, digits and `:_.-` (`crm_link.addresses`), and may stand in quotes.
    """
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]


def quoted(keys: Sequence[str]) -> str:
    """Return keys as a list in a query."""
    if any(set(key) & set("'\\") for key in keys):
        raise ValueError("a key has a quote in it")
    return ", ".join(f"'{key}'" for key in keys)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    return value.get("id") if isinstance(value, Mapping) else value
