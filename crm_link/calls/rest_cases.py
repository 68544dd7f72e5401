"""Cases and notes in CRMs whose objects have a field with our key, by which they are upserted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_link.calls.rest import RestClient
from crm_link.calls.rest_crm import Record
from crm_link.types import ContactUpdate, RecordKind, WriteResult

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
                value = self.states[str(value)]  # noqa: PLW2901 - the same
            found[self.names[name]] = value
        return {**self.fixed, **found} if "contact" in update.fields else found


class KeyedCases(ABC):
    """Cases and notes of one CRM, found, upserted and taken away by our keys.

    Args:
        api: The client.
        forms: The CRM's words for each kind.

    """

    def __init__(self, api: RestClient, forms: Mapping[RecordKind, ObjectForm]) -> None:
        self._api = api
        self._forms = forms

    def read(self, kind: RecordKind, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what these records say."""
        form = self._forms[kind]
        return {key: form.said(record) for key, record in self._there(form, keys).items()}

    def write(self, kind: RecordKind, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
        """Make, change and take away records; return one result each, in order."""
        form = self._forms[kind]
        results: dict[str, WriteResult] = {}
        if gone := [one.external_id for one in updates if is_removal(one)]:
            results |= self._remove(form, gone)
        if kept := [one for one in updates if not is_removal(one)]:
            answers = self._upsert(form, [form.values(one) for one in kept])
            for one, answer in zip(kept, answers, strict=True):
                results[one.external_id] = self._result(one.external_id, answer)
        return [results[one.external_id] for one in updates]

    @abstractmethod
    def setup(self) -> list[str]:
        """Create the fields of our keys, where they are not there; return the created names."""

    @abstractmethod
    def _found(self, form: ObjectForm, keys: Sequence[str]) -> Iterable[Record]:
        """Return the records with these keys, which fit into one query."""

    @abstractmethod
    def _upsert(self, form: ObjectForm, values: Sequence[Record]) -> Sequence[Record]:
        """Write records by their keys in one call; return what was said of each, in order."""

    @abstractmethod
    def _delete(self, form: ObjectForm, records: Sequence[Record]) -> Sequence[Record]:
        """Delete records in one call; return what was said of each, in order."""

    @abstractmethod
    def _result(self, key: str, answer: Record) -> WriteResult:
        """Return what the CRM's words about one record mean."""

    def _there(self, form: ObjectForm, keys: Sequence[str]) -> dict[str, Record]:
        parts = (keys[at : at + KEYS_AT_ONCE] for at in range(0, len(keys), KEYS_AT_ONCE))
        return {one[form.key]: one for part in parts for one in self._found(form, part)}

    def _remove(self, form: ObjectForm, keys: Sequence[str]) -> dict[str, WriteResult]:
        results = {key: WriteResult(key) for key in keys}
        if there := self._there(form, keys):
            answers = self._delete(form, list(there.values()))
            for key, answer in zip(there, answers, strict=True):
                results[key] = self._result(key, answer)
        return results


def is_removal(update: ContactUpdate) -> bool:
    """Say whether an update takes a record away."""
    return not any(update.fields.values())


def quoted(keys: Sequence[str]) -> str:
    """Return keys as a list in a query.

    They are made of letters, digits and `:_.-` (`crm_link.outbox.addresses`), and may stand in
    quotes.
    """
    if any(set(key) & set("'\\") for key in keys):
        raise ValueError("a key has a quote in it")
    return ", ".join(f"'{key}'" for key in keys)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    return value.get("id") if isinstance(value, Mapping) else value
